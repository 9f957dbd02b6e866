using ImagesFunctions.Journal;

namespace ImagesFunctions.Exploration.Model;

/// <summary>A commit as the table has seen it.</summary>
/// <param name="Seq">Its number.</param>
/// <param name="Changes">All that its transaction wrote, the version and the entry too.</param>
/// <param name="At">When, by the world's clock.</param>
public sealed record SeenCommit(long Seq, IReadOnlyList<Change> Changes, TimeSpan At)
{
    /// <summary>The entry of the log that it wrote.</summary>
    public JournalEntry Entry =>
        field ??= JournalEntry.From(
            Seq,
            Changes.Single(c => c.Key == JournalKeys.Entry(Seq) && c.Row is not null).Row!
        );
}

/// <summary>What the table has seen: every commit in the order in which they took effect, which no later change of the rows hides.</summary>
public sealed class Truth
{
    private readonly List<SeenCommit> _commits = [];
    private readonly List<SortedDictionary<string, TableRow>> _states = [new(StringComparer.Ordinal)];

    /// <summary>The commits.</summary>
    public IReadOnlyList<SeenCommit> Commits => _commits;

    /// <summary>The number of the last commit.</summary>
    public int Seq => _commits.Count;

    /// <summary>Takes note of a transaction that took effect.</summary>
    /// <returns>What is wrong with it; null where nothing is.</returns>
    public string? Add(IReadOnlyList<Change> changes, TimeSpan now)
    {
        if (changes.FirstOrDefault(c => c.Key == JournalKeys.Version) is not { Row: { } version })
        {
            return null;
        }

        var seq = version.GetInt64("seq") ?? 0;
        if (seq != Seq + 1)
        {
            return $"commit {seq} follows commit {Seq}";
        }

        if (changes.Count(c => c.Key == JournalKeys.Entry(seq) && c.Row is not null) != 1)
        {
            return $"commit {seq} has no entry";
        }

        _commits.Add(new SeenCommit(seq, changes, now));
        var state = new SortedDictionary<string, TableRow>(_states[^1], StringComparer.Ordinal);
        foreach (var change in changes.Where(c => !IsOfJournal(c.Key)))
        {
            if (change.Row is { } row)
            {
                state[change.Key] = row;
            }
            else
            {
                state.Remove(change.Key);
            }
        }

        _states.Add(state);
        return null;
    }

    /// <summary>The rows that commits have written, without those of the journal, after so many commits.</summary>
    public SortedDictionary<string, TableRow> After(long seq) => _states[(int)seq];

    /// <summary>Whether a row is the version or an entry.</summary>
    public static bool IsOfJournal(string key) => key == JournalKeys.Version || JournalKeys.Entries.Contains(key);
}
