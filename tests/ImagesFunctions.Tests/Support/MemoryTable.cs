using System.Globalization;

namespace ImagesFunctions.Tests.Support;

/// <summary>What becomes of a write to a <see cref="MemoryTable"/>.</summary>
internal enum WriteFate
{
    /// <summary>It is done or refused, and the answer says which.</summary>
    Answered,

    /// <summary>It is done or refused, and nobody learns which.</summary>
    AnswerLost,

    /// <summary>It never arrives, and nobody knows.</summary>
    RequestLost,
}

/// <summary>
/// A table in memory that does what Azure's does, as far as a journal can tell: versions, transactions of at most 100 rows, and
/// the limits of values, rows and transactions. <see cref="MemoryTableTests"/> holds it against the emulator.
/// </summary>
internal sealed class MemoryTable : IJournalTable
{
    private const int MaxRows = 100;
    private const int MaxKey = 512;
    private const int MaxText = 32 * 1024;
    private const int MaxEntity = 1024 * 1024;
    private const int MaxTransaction = 4 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, SortedDictionary<string, TableRow>> _partitions = new(StringComparer.Ordinal);
    private long _versions;
    private int _reads;
    private int _writes;

    /// <summary>What the table's clock says.</summary>
    public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

    /// <summary>Called before each transaction with its number, from 1 on: may wait, throw, or say what becomes of it.</summary>
    public Func<int, IReadOnlyList<Change>, Task<WriteFate>> OnWrite { get; set; } =
        (_, _) => Task.FromResult(WriteFate.Answered);

    /// <summary>Called before each read with its key, or the first key of its range: may wait or throw.</summary>
    public Func<string, Task> OnRead { get; set; } = _ => Task.CompletedTask;

    /// <summary>How many transactions were begun.</summary>
    public int Writes => Volatile.Read(ref _writes);

    /// <summary>How many reads were begun.</summary>
    public int Reads => Volatile.Read(ref _reads);

    /// <inheritdoc/>
    public async Task<TableRow?> GetAsync(string partition, string key, CancellationToken cancellationToken)
    {
        await BeginReadAsync(key, cancellationToken);
        return Find(partition, key);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<TableRow>> RangeAsync(
        string partition,
        KeyRange range,
        CancellationToken cancellationToken
    )
    {
        await BeginReadAsync(range.From, cancellationToken);
        return [.. Rows(partition).Where(row => range.Contains(row.Key))];
    }

    /// <inheritdoc/>
    public async Task<WriteResult> WriteAsync(
        string partition,
        IReadOnlyList<Change> changes,
        CancellationToken cancellationToken
    )
    {
        cancellationToken.ThrowIfCancellationRequested();
        var fate = await OnWrite(Interlocked.Increment(ref _writes), changes);
        var result = fate == WriteFate.RequestLost ? default : Write(partition, changes);
        return fate == WriteFate.Answered
            ? result
            : new WriteResult(WriteOutcome.Unclear, Error: new IOException("The connection was cut."));
    }

    /// <summary>The row as it stands, without a read that counts; or null.</summary>
    public TableRow? Find(string partition, string key)
    {
        lock (_gate)
        {
            return Partition(partition).TryGetValue(key, out var row) ? Copy(row) : null;
        }
    }

    /// <summary>All rows of a partition as they stand, in the order of their keys, without a read that counts.</summary>
    public IReadOnlyList<TableRow> Rows(string partition)
    {
        lock (_gate)
        {
            return [.. Partition(partition).Values.Select(Copy)];
        }
    }

    /// <summary>Writes a row whatever was there, as others do outside the partition's order.</summary>
    /// <returns>The row as it is read from now on.</returns>
    public TableRow Put(string partition, TableRow row, DateTimeOffset? at = null)
    {
        lock (_gate)
        {
            var stored = Stored(row, at ?? Now);
            Partition(partition)[row.Key] = stored;
            return Copy(stored);
        }
    }

    /// <summary>Commits at once, as another process does: the rows, the version and the entry.</summary>
    public void Commit(string partition, params Change[] changes)
    {
        var seq = (Find(partition, JournalKeys.Version)?.GetInt64("seq") ?? 0) + 1;
        var result = Write(
            partition,
            [
                new Change(JournalKeys.Version, new TableRow(JournalKeys.Version) { ["seq"] = seq }),
                new Change(JournalKeys.Entry(seq), JournalEntry.Of(seq, changes, _ => true).ToRow()),
                .. changes,
            ]
        );
        result.ThrowIfNotDone();
    }

    /// <summary>Removes a row, as others do outside the partition's order.</summary>
    public void Remove(string partition, string key)
    {
        lock (_gate)
        {
            Partition(partition).Remove(key);
        }
    }

    private async Task BeginReadAsync(string key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Interlocked.Increment(ref _reads);
        await OnRead(key);
    }

    /// <summary>A transaction takes effect at once, or is refused.</summary>
    public WriteResult Write(string partition, IReadOnlyList<Change> changes)
    {
        DemandLimits(changes);
        lock (_gate)
        {
            var rows = Partition(partition);
            foreach (var change in changes)
            {
                if (Refusal(rows, change) is { } refusal)
                {
                    return new WriteResult(refusal, Error: new InvalidOperationException($"{refusal}: {change.Key}"));
                }
            }

            foreach (var change in changes)
            {
                if (change.Row is null)
                {
                    rows.Remove(change.Key);
                }
                else
                {
                    rows[change.Key] = Stored(change.Row, Now);
                }
            }

            return new WriteResult(
                WriteOutcome.Done,
                [.. changes.Select(c => c.Row is null ? (VersionTag?)null : rows[c.Key].Version)]
            );
        }
    }

    private static WriteOutcome? Refusal(SortedDictionary<string, TableRow> rows, Change change)
    {
        if (!rows.TryGetValue(change.Key, out var row))
        {
            return change.Row is null || (change.IfMatch is not null && !change.IsNew) ? WriteOutcome.Gone : null;
        }

        var isRefused =
            change.IsNew && change.Row is not null ? true : change.IfMatch is { } version && version != row.Version;
        return isRefused ? WriteOutcome.Refused : null;
    }

    // Throws for what the service answers with 400 or 413: no state of the rows would make it right.
    private static void DemandLimits(IReadOnlyList<Change> changes)
    {
        var keys = changes.Select(c => c.Key).ToList();
        if (
            changes.Count is 0 or > MaxRows
            || keys.Distinct(StringComparer.Ordinal).Count() < keys.Count
            || keys.Exists(key => key.Length > MaxKey || key.Any(c => c is '/' or '\\' or '#' or '?'))
            || changes.Any(c => c.Row is not null && c.Row.Key != c.Key)
        )
        {
            throw new InvalidOperationException($"no transaction: {changes.Count} rows, {string.Join(' ', keys)}");
        }

        var sizes = changes.Select(c => c.Row is null ? 0 : SizeOf(c.Row)).ToList();
        if (sizes.Max() > MaxEntity || sizes.Sum() > MaxTransaction)
        {
            throw new InvalidOperationException($"{sizes.Max()} bytes in a row, {sizes.Sum()} in the transaction");
        }
    }

    // As Azure counts: UTF-16, 8 bytes a number, and a few bytes beside.
    private static int SizeOf(TableRow row)
    {
        var size = 4 + (2 * row.Key.Length);
        foreach (var (name, value) in row.Values)
        {
            if (value is string { Length: > MaxText })
            {
                throw new InvalidOperationException($"the value {name} of {row.Key} is too long");
            }

            size += 8 + (2 * name.Length) + (value is string text ? 4 + (2 * text.Length) : 8);
        }

        return size;
    }

    private TableRow Stored(TableRow row, DateTimeOffset at) =>
        new(
            row.Key,
            Values(row),
            new VersionTag(string.Create(CultureInfo.InvariantCulture, $"W/\"{++_versions}\"")),
            at
        );

    private static TableRow Copy(TableRow row) => new(row.Key, Values(row), row.Version, row.Timestamp);

    // What is null is not stored.
    private static Dictionary<string, object?> Values(TableRow row) =>
        row.Values.Where(v => v.Value is not null).ToDictionary(v => v.Key, v => v.Value, StringComparer.Ordinal);

    private SortedDictionary<string, TableRow> Partition(string name)
    {
        if (!_partitions.TryGetValue(name, out var rows))
        {
            _partitions[name] = rows = new SortedDictionary<string, TableRow>(StringComparer.Ordinal);
        }

        return rows;
    }
}
