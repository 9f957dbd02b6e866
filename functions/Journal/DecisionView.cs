namespace ImagesFunctions.Journal;

/// <summary>
/// The view of a decision on a partition: every read happens after commit <see cref="Seq"/> and is recorded, so that a later commit
/// that conflicts with the decision is detected.
/// </summary>
/// <param name="table">The table.</param>
/// <param name="partition">The partition.</param>
/// <param name="seq">The number of a commit that every read includes.</param>
public sealed class DecisionView(IJournalTable table, string partition, long seq)
{
    private readonly KeptRows? _kept;

    /// <summary>A view with what decisions of this process keep of their reads.</summary>
    internal DecisionView(IJournalTable table, string partition, long seq, KeptRows kept)
        : this(table, partition, seq) => _kept = kept;

    private readonly Lock _gate = new();
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TableRow?> _rows = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TableRow?> _remembered = new(StringComparer.Ordinal);
    private readonly Dictionary<KeyRange, IReadOnlyList<TableRow>?> _ranges = [];
    private readonly HashSet<string> _writtenKeys = new(StringComparer.Ordinal);

    /// <summary>The partition.</summary>
    public string Partition => partition;

    /// <summary>The number of a commit that every read includes.</summary>
    public long Seq => seq;

    /// <summary>The keys of <see cref="AddWrittenKey"/>.</summary>
    public IReadOnlyCollection<string> WrittenKeys => _writtenKeys;

    /// <summary>The row, or null. Repeated reads return the same.</summary>
    public async Task<TableRow?> GetAsync(string key, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _keys.Add(key);
            if (_rows.TryGetValue(key, out var known))
            {
                return known;
            }
        }

        var row = await table.GetAsync(partition, key, cancellationToken);
        lock (_gate)
        {
            // A concurrent read of the same row may have been faster.
            return _rows.TryAdd(key, row) ? row : _rows[key];
        }
    }

    /// <summary>
    /// As <see cref="GetAsync"/>, of a row that hardly ever changes: as this process has read it before, where it knows all commits
    /// since and none has changed it. One that it does not know of may have: so whoever commits nothing because of the row has to ask
    /// for it by <see cref="GetAsync"/> before.
    /// </summary>
    public async Task<TableRow?> GetKeptAsync(string key, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _keys.Add(key);
            if (_rows.TryGetValue(key, out var known) || _remembered.TryGetValue(key, out known))
            {
                return known;
            }

            if (_kept?.TryGet(key, seq, out var kept) == true)
            {
                _remembered[key] = kept;
                return kept;
            }
        }

        var row = await GetAsync(key, cancellationToken);
        _kept?.Keep(key, seq, row);
        return row;
    }

    /// <summary>Those of these rows that exist, in the order of the keys.</summary>
    public async Task<IReadOnlyList<TableRow>> GetAllAsync(
        IEnumerable<string> keys,
        CancellationToken cancellationToken
    )
    {
        var rows = await Task.WhenAll(keys.Select(key => GetAsync(key, cancellationToken)));
        return [.. rows.OfType<TableRow>()];
    }

    /// <summary>The rows of a range, in the order of their keys. Repeated reads return the same.</summary>
    public async Task<IReadOnlyList<TableRow>> RangeAsync(KeyRange range, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_ranges.TryGetValue(range, out var known) && known is not null)
            {
                return known;
            }

            // Recorded before the read.
            _ranges.TryAdd(range, null);
        }

        var rows = await table.RangeAsync(partition, range, cancellationToken);
        lock (_gate)
        {
            return _ranges[range] ??= rows;
        }
    }

    /// <summary>Counts a key as read, without reading it: a commit that writes or adds it makes this decision stale.</summary>
    public void AddReadKey(string key)
    {
        lock (_gate)
        {
            _keys.Add(key);
        }
    }

    /// <summary>
    /// Counts a key as changed by this decision's commit, without writing it. For rows that were written before, outside the
    /// partition's order, and count from this commit on: it makes decisions stale that read them.
    /// </summary>
    public void AddWrittenKey(string key)
    {
        lock (_gate)
        {
            _writtenKeys.Add(key);
        }
    }

    /// <summary>Whether a commit that changed these keys may have changed what was read here.</summary>
    public bool IsTouchedBy(IEnumerable<string> changed)
    {
        lock (_gate)
        {
            return changed.Any(key => _keys.Contains(key) || _ranges.Keys.Any(r => r.Contains(key)));
        }
    }
}
