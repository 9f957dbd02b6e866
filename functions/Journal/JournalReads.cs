namespace ImagesFunctions.Journal;

/// <summary>The version of a partition.</summary>
/// <param name="Seq">The number of its last commit; 0 before the first.</param>
/// <param name="Tag">The version of the row <c>v</c>; null before the first commit.</param>
public sealed record JournalVersion(long Seq, VersionTag? Tag)
{
    /// <summary>
    /// Whether the order that had this version has gone on to another one, as far as the two tell: numbers only grow, and each
    /// belongs to one version of the row. Else the table was emptied, or restored from a backup.
    /// </summary>
    public bool MayLeadTo(JournalVersion later) =>
        later.Seq > Seq || (later.Seq == Seq && (Tag is null || later.Tag is null || Tag == later.Tag));

    /// <summary>Whether a commit may be the next one after this version: see <see cref="JournalEntry.After"/>.</summary>
    public bool MayLeadTo(JournalEntry next) =>
        next.Seq != Seq + 1 || Tag is null || next.After is null || Tag == next.After;
}

/// <summary>Reads of the rows that a journal adds to its partition.</summary>
public static class JournalReads
{
    /// <summary>The maximum number of entries of one call: each may have close to 1 MiB.</summary>
    public const int MaxEntries = 256;

    /// <summary>How many point reads of one operation run at the same time.</summary>
    public const int MaxReadsAtOnce = 16;

    /// <summary>A partition's version; 0 before its first commit.</summary>
    public static async Task<JournalVersion> VersionAsync(
        this IJournalTable table,
        string partition,
        CancellationToken cancellationToken
    )
    {
        var row = await table.GetAsync(partition, JournalKeys.Version, cancellationToken);
        return row is null ? new JournalVersion(0, null) : new JournalVersion(row.GetInt64("seq") ?? 0, row.Version);
    }

    /// <summary>The entries from one number to another, both included, in order; fewer where entries are trimmed.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are more than <see cref="MaxEntries"/>.</exception>
    public static async Task<IReadOnlyList<JournalEntry>> EntriesAsync(
        this IJournalTable table,
        string partition,
        long from,
        long to,
        CancellationToken cancellationToken
    )
    {
        if (to - from >= MaxEntries)
        {
            throw new ArgumentOutOfRangeException(nameof(to), $"more than {MaxEntries} entries at once");
        }

        var entries = new JournalEntry?[to - from + 1];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, entries.Length),
            new ParallelOptions
            {
                MaxDegreeOfParallelism = MaxReadsAtOnce,
                CancellationToken = cancellationToken,
                TaskScheduler = TaskScheduler.Current,
            },
            async (i, stop) =>
            {
                if (await table.GetAsync(partition, JournalKeys.Entry(from + i), stop) is { } row)
                {
                    entries[i] = JournalEntry.From(from + i, row);
                }
            }
        );
        return [.. entries.OfType<JournalEntry>()];
    }
}
