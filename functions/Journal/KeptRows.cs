namespace ImagesFunctions.Journal;

/// <summary>
/// Rows that many decisions read and few commits change. What was read of one counts as long as every commit since is known, and none
/// has changed it: so decisions need not read it again. Thread-safe.
/// </summary>
internal sealed class KeptRows
{
    // Its first commits may be unknown: what was read before Since is not kept.
    private sealed class Kept
    {
        public long Since { get; set; }

        public long Touched { get; set; }

        public long ReadAt { get; set; }

        public bool IsRead { get; set; }

        public TableRow? Row { get; set; }
    }

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Kept> _rows = new(StringComparer.Ordinal);

    // Up to this commit all are known.
    private long _last;

    /// <summary>Takes in a commit.</summary>
    public void Add(long seq, IReadOnlyList<string> keys)
    {
        lock (_gate)
        {
            if (seq > _last + 1)
            {
                Forget(seq);
            }

            foreach (var (key, kept) in _rows)
            {
                if (keys.Contains(key, StringComparer.Ordinal))
                {
                    kept.Touched = Math.Max(kept.Touched, seq);
                    kept.IsRead &= seq <= kept.ReadAt;
                }
            }

            _last = Math.Max(_last, seq);
        }
    }

    /// <summary>The row as it was read, null where there was none; false where it has to be read.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="seq">The commit that reads have to include.</param>
    /// <param name="row">The row.</param>
    public bool TryGet(string key, long seq, out TableRow? row)
    {
        lock (_gate)
        {
            if (seq > _last)
            {
                Forget(seq);
                _last = seq;
            }

            if (!_rows.TryGetValue(key, out var kept))
            {
                _rows.Add(key, kept = new Kept { Since = _last });
            }

            row = kept.IsRead ? kept.Row : null;
            return kept.IsRead;
        }
    }

    /// <summary>Keeps a row that was read, unless a commit has changed it since.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="seq">A commit that the read includes.</param>
    /// <param name="row">The row; null where there is none.</param>
    public void Keep(string key, long seq, TableRow? row)
    {
        lock (_gate)
        {
            if (_rows.TryGetValue(key, out var kept) && seq >= kept.Since && seq >= kept.Touched)
            {
                (kept.Row, kept.ReadAt, kept.IsRead) = (row, seq, true);
            }
        }
    }

    /// <summary>Forgets all: the table is not the one any more that was read.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _rows.Clear();
            _last = 0;
        }
    }

    private void Forget(long since)
    {
        foreach (var kept in _rows.Values)
        {
            (kept.Since, kept.IsRead, kept.Row) = (since, false, null);
        }
    }
}
