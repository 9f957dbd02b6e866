namespace ImagesFunctions.Journal;

/// <summary>The keys of the last commits of a partition, as far as this process knows them. Not thread-safe.</summary>
internal sealed class CommitHistory
{
    /// <summary>How many commits are remembered.</summary>
    public const int MaxCommits = 128;

    private readonly Dictionary<long, IReadOnlySet<string>> _keys = [];

    /// <summary>What decisions keep of what they read, as long as no commit changes it.</summary>
    public KeptRows Kept { get; } = new();

    /// <summary>Takes in a commit.</summary>
    public void Add(long seq, IReadOnlyList<string> keys)
    {
        Kept.Add(seq, keys);
        _keys[seq] = keys.ToHashSet(StringComparer.Ordinal);
        _keys.Remove(seq - MaxCommits);
        if (_keys.Count > 2 * MaxCommits)
        {
            // The partition moved far ahead while this process committed nothing.
            foreach (var old in _keys.Keys.Where(s => s < seq - MaxCommits).ToList())
            {
                _keys.Remove(old);
            }
        }
    }

    /// <summary>Forgets all: the table is not the one any more that was read.</summary>
    public void Clear()
    {
        _keys.Clear();
        Kept.Clear();
    }

    /// <summary>Whether a commit since a decision's reads, up to this one, may have changed what it read or writes.</summary>
    public bool MayTouch(PendingDecision decision, long last)
    {
        if (decision.View.Seq > last)
        {
            // It has read before the table went back.
            return true;
        }

        for (var seq = decision.View.Seq + 1; seq <= last; seq++)
        {
            if (!_keys.TryGetValue(seq, out var keys) || decision.IsTouchedBy(keys))
            {
                return true;
            }
        }

        return false;
    }
}
