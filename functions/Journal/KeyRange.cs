namespace ImagesFunctions.Journal;

/// <summary>Row keys from <paramref name="From"/> up to, and without, <paramref name="To"/>, in ordinal order.</summary>
/// <param name="From">The first key.</param>
/// <param name="To">The key behind the last.</param>
public readonly record struct KeyRange(string From, string To)
{
    /// <summary>All keys that begin like this.</summary>
    /// <param name="prefix">It ends with the separator <c>!</c>.</param>
    public static KeyRange Prefix(string prefix) =>
        new(prefix, string.Concat(prefix.AsSpan(0, prefix.Length - 1), "\""));

    /// <summary>Whether a key is in the range.</summary>
    public bool Contains(string key) => string.CompareOrdinal(From, key) <= 0 && string.CompareOrdinal(key, To) < 0;
}
