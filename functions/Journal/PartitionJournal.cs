namespace ImagesFunctions.Journal;

/// <summary>Observes a decision, and can make it again on the same rows, to show that it has no other effect.</summary>
/// <param name="changes">The changes of the decision.</param>
/// <param name="again">Makes the decision again.</param>
public delegate Task Rehearsal(IReadOnlyList<Change> changes, Func<Task<IReadOnlyList<Change>>> again);

/// <summary>One order for all changes of a partition of a table, across processes.</summary>
/// <param name="table">The table.</param>
/// <param name="partition">The partition.</param>
/// <param name="isInFull">Which rows stand in full in the entries, by their keys.</param>
/// <param name="time">By what clock it waits between tries; null: the system's.</param>
/// <param name="random">What the length of these waits is drawn from; null: the system's.</param>
/// <param name="committed">
/// Is told of each commit that this process makes, in their order, with the version after it; neither waits nor throws.
/// </param>
/// <param name="announce">Is awaited before changes are sent to the table; where it throws, they are not. Null: nothing is.</param>
public sealed class PartitionJournal(
    IJournalTable table,
    string partition,
    Func<string, bool> isInFull,
    TimeProvider? time = null,
    Random? random = null,
    Action<JournalEntry, JournalVersion>? committed = null,
    Func<CancellationToken, Task>? announce = null
)
{
    /// <summary>The maximum number of commits of <c>ChangesAsync</c>. For more, a scan of the rows is cheaper than point reads.</summary>
    public const int MaxReplayed = 1_024;

    private const int MaxTries = 200;

    // Each may have close to 1 MiB.
    private const int ReplayedAtOnce = 64;

    private static readonly TimeSpan MaxTime = TimeSpan.FromMinutes(2);

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Random _random = random ?? Random.Shared;
    private readonly CommitQueue _queue = new(table, partition, isInFull, time ?? TimeProvider.System, random)
    {
        Committed = committed,
    };

    /// <summary>Lets tests see each decision before it is committed; else null.</summary>
    public Rehearsal? Rehearsal { get; init; }

    /// <summary>
    /// Makes a decision and commits it. It is made again while other commits change what it read, so it must have no other
    /// effect. A decision without changes is answered at once, from rows read after the call.
    /// </summary>
    /// <exception cref="StorageUnavailableException">Storage gave no definite answer, or other commits were faster for two minutes.</exception>
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

    /// <summary>As <see cref="CommitAsync"/>, but gives up after a number of tries.</summary>
    /// <param name="maxTries">The maximum number of tries.</param>
    /// <param name="decide">Makes the decision.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>Whether it is committed, and its result.</returns>
    public async Task<(bool IsDone, T? Result)> TryCommitAsync<T>(
        int maxTries,
        Func<DecisionView, CancellationToken, Task<Decision<T>>> decide,
        CancellationToken cancellationToken
    )
    {
        var started = _time.GetTimestamp();
        for (var attempt = 1; attempt <= maxTries && _time.GetElapsedTime(started) < MaxTime; attempt++)
        {
            var view = new DecisionView(table, partition, await _queue.SequenceAsync(cancellationToken), _queue.Kept);
            var decision = await DecideAsync(view, decide, cancellationToken);
            if (decision.Changes.Count > 0 && announce is not null)
            {
                await announce(cancellationToken);
            }

            if (
                decision.Changes.Count == 0
                || await _queue.CommitAsync(view, decision.Changes, cancellationToken, decision.By)
            )
            {
                return (true, decision.Result);
            }

            await Backoff.DelayAsync(
                attempt,
                TimeSpan.FromMilliseconds(1),
                TimeSpan.FromMilliseconds(200),
                _time,
                _random,
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
    /// The rows in full that commits have written, after one and up to another: each key once with its last row, null for a
    /// removed one. Null altogether when the entries are not enough, because some are trimmed, too long or too many: then the
    /// caller has to scan the rows.
    /// </summary>
    /// <param name="isWanted">Which keys.</param>
    /// <param name="after">The last commit before. Null altogether, too, where the entries do not follow this very commit.</param>
    /// <param name="to">The last commit.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
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

    /// <summary>As the other overload, for commits of which only the numbers are known.</summary>
    public Task<IReadOnlyDictionary<string, TableRow?>?> ChangesAsync(
        Func<string, bool> isWanted,
        long after,
        long to,
        CancellationToken cancellationToken
    ) => ChangesAsync(isWanted, new JournalVersion(after, null), new JournalVersion(to, null), cancellationToken);

    /// <summary>The operation id of a commit; after a restore from a backup, the commit of the same number has another one. Null where its entry is trimmed.</summary>
    public async Task<string?> OperationAsync(long seq, CancellationToken cancellationToken) =>
        (await table.GetAsync(partition, JournalKeys.Entry(seq), cancellationToken))?.GetString("op");
}
