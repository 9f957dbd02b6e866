namespace ImagesFunctions.Journal;

/// <summary>The version of a row. A write that carries it takes effect only while the row has this version.</summary>
/// <param name="Text">The text of the table, which is opaque.</param>
public readonly record struct VersionTag(string Text);

/// <summary>A row of a partition: a key, and values by their names.</summary>
public sealed class TableRow
{
    private readonly IDictionary<string, object?> _values;

    /// <summary>A row to write.</summary>
    /// <param name="key">Its key inside the partition.</param>
    public TableRow(string key)
        : this(key, new Dictionary<string, object?>(StringComparer.Ordinal), default, null) { }

    /// <summary>A row as it was read.</summary>
    /// <param name="key">Its key inside the partition.</param>
    /// <param name="values">Its values: text, <see cref="long"/>, <see cref="bool"/>, <see cref="DateTimeOffset"/> or bytes. Kept, not copied.</param>
    /// <param name="version">The version that was read.</param>
    /// <param name="timestamp">When that version was written, by the table's clock.</param>
    public TableRow(string key, IDictionary<string, object?> values, VersionTag version, DateTimeOffset? timestamp) =>
        (Key, _values, Version, Timestamp) = (key, values, version, timestamp);

    /// <summary>The key inside the partition.</summary>
    public string Key { get; }

    /// <summary>The version that was read; the default of a row that was not read.</summary>
    public VersionTag Version { get; }

    /// <summary>When this version was written, by the table's clock; null of a row that was not read.</summary>
    public DateTimeOffset? Timestamp { get; }

    /// <summary>All values by their names.</summary>
    public IEnumerable<KeyValuePair<string, object?>> Values => _values;

    /// <summary>A value, or null where the row has none of this name.</summary>
    public object? this[string name]
    {
        get => _values.TryGetValue(name, out var value) ? value : null;
        set => _values[name] = value;
    }

    /// <summary>A text that every such row has.</summary>
    /// <exception cref="InvalidOperationException">It has none of this name.</exception>
    public string Text(string name) =>
        GetString(name) ?? throw new InvalidOperationException($"row {Key} has no {name}");

    /// <summary>A text, or null.</summary>
    /// <exception cref="InvalidOperationException">The value has another type.</exception>
    public string? GetString(string name) =>
        this[name] switch
        {
            null => null,
            string text => text,
            _ => throw Other(name),
        };

    /// <summary>A whole number, or null.</summary>
    /// <exception cref="InvalidOperationException">The value has another type.</exception>
    public long? GetInt64(string name) => Get<long>(name);

    /// <summary>A flag, or null.</summary>
    /// <exception cref="InvalidOperationException">The value has another type.</exception>
    public bool? GetBoolean(string name) => Get<bool>(name);

    /// <summary>A time, or null.</summary>
    /// <exception cref="InvalidOperationException">The value has another type.</exception>
    public DateTimeOffset? GetDateTimeOffset(string name) => Get<DateTimeOffset>(name);

    /// <summary>Bytes, or null.</summary>
    /// <exception cref="InvalidOperationException">The value is something else.</exception>
    public byte[]? GetBytes(string name) =>
        this[name] switch
        {
            null => null,
            byte[] bytes => bytes,
            _ => throw Other(name),
        };

    private T? Get<T>(string name)
        where T : struct =>
        this[name] switch
        {
            null => null,
            T value => value,
            _ => throw Other(name),
        };

    private InvalidOperationException Other(string name) =>
        new($"the value {name} of row {Key} is a {this[name]!.GetType().Name}");
}
