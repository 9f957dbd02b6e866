namespace ImagesFunctions.Journal;

/// <summary>Sees a decision, and can have it made again on the same rows: whatever it did then, it does each time.</summary>
/// <param name="changes">What was decided.</param>
/// <param name="again">Decides once more.</param>
public delegate Task Rehearsal(IReadOnlyList<Change> changes, Func<Task<IReadOnlyList<Change>>> again);

/// <summary>One order for all changes of one partition of a table, whichever processes make them.</summary>
/// <param name="table">The table.</param>
/// <param name="partition">The partition.</param>
/// <param name="isInFull">Which rows stand in full in the entries, by their keys.</param>
public sealed class PartitionJournal(IJournalTable table, string partition, Func<string, bool> isInFull)
{
    /// <summary>The most commits that <c>ChangesAsync</c> tells of. Beyond, a scan of the rows costs less than point reads.</summary>
    public const int MaxReplayed = 1_024;

    private const int MaxTries = 200;

    // Each may have close to 1 MiB.
    private const int ReplayedAtOnce = 64;

    private static readonly TimeSpan MaxTime = TimeSpan.FromMinutes(2);

    private readonly CommitQueue _queue = new(table, partition, isInFull);

    /// <summary>How tests see each decision before it is committed; null otherwise.</summary>
    public Rehearsal? Rehearsal { get; init; }

    /// <summary>
    /// Makes a decision and commits it. It is made again for as long as somebody else changes what it read, and has to
    /// be free of other effects. A decision that changes nothing is answered at once, from rows read since the call.
    /// </summary>
    /// <exception cref="StorageUnavailableException">Storage gave no definite answer, or others were faster for two minutes.</exception>
    public async Task<T> CommitAsync<T>(
        Func<DecisionView, CancellationToken, Task<Decision<T>>> decide,
        CancellationToken cancellationToken
    )
    {
        var (isDone, result) = await TryCommitAsync(MaxTries, decide, cancellationToken);
        return isDone
            ? result!
            : throw new StorageUnavailableException(
                $"the namespace {partition} is too busy: others kept changing what this decision read"
            );
    }

    /// <summary>As <see cref="CommitAsync"/>, but gives up when others have changed what it read so many times.</summary>
    /// <param name="maxTries">How often it is made.</param>
    /// <param name="decide">Makes the decision.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Whether it is committed, and its answer.</returns>
    public async Task<(bool IsDone, T? Result)> TryCommitAsync<T>(
        int maxTries,
        Func<DecisionView, CancellationToken, Task<Decision<T>>> decide,
        CancellationToken cancellationToken
    )
    {
        var started = Environment.TickCount64;
        for (
            var attempt = 1;
            attempt <= maxTries && Environment.TickCount64 - started < MaxTime.TotalMilliseconds;
            attempt++
        )
        {
            var view = new DecisionView(table, partition, await _queue.SequenceAsync(cancellationToken));
            var decision = await DecideAsync(view, decide, cancellationToken);
            if (decision.Changes.Count == 0 || await _queue.CommitAsync(view, decision.Changes, cancellationToken))
            {
                return (true, decision.Result);
            }

            await Backoff.DelayAsync(
                attempt,
                TimeSpan.FromMilliseconds(1),
                TimeSpan.FromMilliseconds(200),
                cancellationToken
            );
        }

        return (false, default);
    }

    private async Task<Decision<T>> DecideAsync<T>(
        DecisionView view,
        Func<DecisionView, CancellationToken, Task<Decision<T>>> decide,
        CancellationToken cancellationToken
    )
    {
        var decision = await decide(view, cancellationToken);
        while (decision.Prepare is { } prepare)
        {
            await prepare(cancellationToken);
            decision = await decide(view, cancellationToken);
        }

        if (Rehearsal is { } rehearse)
        {
            await rehearse(decision.Changes, async () => (await decide(view, cancellationToken)).Changes);
        }

        return decision;
    }

    /// <summary>
    /// The rows in full that the commits after one number and up to another have written, each key once, with its
    /// last row: null for a removed one. Null altogether when the entries do not tell it all, because they are trimmed,
    /// too long or too many: then rows are to be scanned.
    /// </summary>
    /// <param name="isWanted">Which keys.</param>
    /// <param name="after">The last commit before; null altogether, too, where the entries do not go on from just that one.</param>
    /// <param name="to">The last commit.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<IReadOnlyDictionary<string, TableRow?>?> ChangesAsync(
        Func<string, bool> isWanted,
        JournalVersion after,
        JournalVersion to,
        CancellationToken cancellationToken
    )
    {
        var changes = new Dictionary<string, TableRow?>(StringComparer.Ordinal);
        if (!after.MayLeadTo(to) || to.Seq - after.Seq > MaxReplayed)
        {
            return null;
        }

        for (var first = after.Seq + 1; first <= to.Seq; first += ReplayedAtOnce)
        {
            var last = Math.Min(to.Seq, first + ReplayedAtOnce - 1);
            var entries = await table.EntriesAsync(partition, first, last, cancellationToken);
            if (entries.Count <= last - first || entries.Any(e => e.Rows is null || !after.MayLeadTo(e)))
            {
                return null;
            }

            foreach (var (key, row) in entries.SelectMany(e => e.Rows!).Where(r => isWanted(r.Key)))
            {
                changes[key] = row;
            }
        }

        return changes;
    }

    /// <summary>As the other overload, of commits of which only the numbers are known.</summary>
    public Task<IReadOnlyDictionary<string, TableRow?>?> ChangesAsync(
        Func<string, bool> isWanted,
        long after,
        long to,
        CancellationToken cancellationToken
    ) => ChangesAsync(isWanted, new JournalVersion(after, null), new JournalVersion(to, null), cancellationToken);

    /// <summary>The mark of a commit, which no other has, also not of the same number after a backup was restored; null where it is trimmed.</summary>
    public async Task<string?> OperationAsync(long seq, CancellationToken cancellationToken) =>
        (await table.GetAsync(partition, JournalKeys.Entry(seq), cancellationToken))?.GetString("op");
}
