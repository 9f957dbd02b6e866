namespace ImagesFunctions.Journal;

/// <summary>
/// Commits the decisions of this process to a partition. Callers make decisions concurrently; those that do not conflict are packed
/// into one transaction, which writes the row <c>v</c> with If-Match and adds a journal entry. A decision whose reads and writes no
/// later commit has changed is committed; any other is returned to its caller, which makes it again.
/// </summary>
internal sealed class CommitQueue(
    IJournalTable table,
    string partition,
    Func<string, bool> isInFull,
    TimeProvider time,
    Random? random = null
)
{
    private const int MaxRounds = 3;

    private readonly Lock _gate = new();
    private readonly Random _random = random ?? Random.Shared;
    private readonly CommitTransaction _transaction = new(table, partition, time, random);
    private readonly List<PendingDecision> _arrived = [];
    private readonly CommitHistory _history = new();
    private bool _running;
    private JournalVersion? _version;

    // After a refusal: the last version up to which the keys of commits are known.
    private JournalVersion? _behind;

    // The number of an entry that is there although no commit had it yet: left from the history that a backup has replaced.
    private long? _leftover;

    /// <summary>What decisions keep of what they read.</summary>
    public KeptRows Kept => _history.Kept;

    /// <summary>Is told of each commit of this process, in their order, before the decisions are answered.</summary>
    public Action<JournalEntry, JournalVersion>? Committed { get; init; }

    /// <summary>The number of a commit that took effect before this returns: later reads are at least that new.</summary>
    public async Task<long> SequenceAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _version) is { } known)
        {
            return known.Seq;
        }

        return (await table.VersionAsync(partition, cancellationToken)).Seq;
    }

    /// <summary>Commits a decision. False when what it read has changed since, and it has to be made again.</summary>
    /// <exception cref="StorageUnavailableException">Storage gave no definite answer: the decision may or may not be committed.</exception>
    public Task<bool> CommitAsync(
        DecisionView view,
        IReadOnlyList<Change> changes,
        CancellationToken cancellationToken,
        string? by = null
    )
    {
        if (changes.Count > Change.MaxRows)
        {
            throw new ArgumentException($"a decision writes at most {Change.MaxRows} rows", nameof(changes));
        }

        var pending = new PendingDecision(view, changes, by);
        lock (_gate)
        {
            _arrived.Add(pending);
            if (!_running)
            {
                _running = true;
                // Runs while decisions of any caller arrive. A caller that is cancelled only stops waiting. On the caller's
                // scheduler, which is the pool's unless somebody explores the order of all steps.
                _ = Task.Factory.StartNew(
                    RunAsync,
                    CancellationToken.None,
                    TaskCreationOptions.DenyChildAttach,
                    TaskScheduler.Current
                );
            }
        }

        return pending.Done.Task.WaitAsync(cancellationToken);
    }

    private async Task RunAsync()
    {
        var open = new List<PendingDecision>();
        var refusals = 0;
        while (true)
        {
            lock (_gate)
            {
                open.AddRange(_arrived);
                _arrived.Clear();
                if (open.Count == 0)
                {
                    _running = false;
                    return;
                }
            }

            try
            {
                refusals = await CommitOnceAsync(open) ? 0 : refusals + 1;
                if (refusals > 0)
                {
                    await Backoff.DelayAsync(
                        refusals,
                        TimeSpan.FromMilliseconds(5),
                        TimeSpan.FromMilliseconds(250),
                        time,
                        _random,
                        CancellationToken.None
                    );
                }
            }
            catch (Exception error)
            {
                Volatile.Write(ref _version, null);
                open.ForEach(p => p.Done.TrySetException(error));
                open.Clear();
            }
        }
    }

    // Removes answered decisions from the list. False when the transaction was refused.
    private async Task<bool> CommitOnceAsync(List<PendingDecision> open)
    {
        var known = Volatile.Read(ref _version);
        var version =
            known is not null && _behind is null
                ? known
                : await CatchUpAsync(open, _behind ?? new JournalVersion(open.Min(p => p.View.Seq), null));
        _behind = null;
        SendBackStale(open, version);
        if (open.Count == 0)
        {
            return true;
        }

        var pack = Packing.Pack(open);
        var entry = EntryOf(pack, version);
        JournalVersion? next;
        try
        {
            next = await _transaction.SendAsync(
                version,
                entry,
                pack.SelectMany(p => p.Changes),
                replaces: entry.Seq == _leftover
            );
        }
        catch (Exception error)
        {
            Volatile.Write(ref _version, null);
            GiveUp(open, pack, error);
            return false;
        }

        if (next is null)
        {
            await AfterRefusalAsync(open, pack, version);
            return false;
        }

        _history.Add(entry.Seq, entry.Keys);
        Volatile.Write(ref _version, next);
        Committed?.Invoke(entry with { After = version.Tag }, next);
        Answer(open, pack, isCommitted: true);
        return true;
    }

    private JournalEntry EntryOf(List<PendingDecision> pack, JournalVersion version) =>
        JournalEntry.Of(
            version.Seq + 1,
            [.. pack.SelectMany(p => p.Changes)],
            isInFull,
            pack.SelectMany(p => p.View.WrittenKeys)
        ) with
        {
            Authors = [.. pack.Select(p => new EntryAuthor(p.Changes.Count, p.By))],
        };

    private async Task AfterRefusalAsync(List<PendingDecision> open, List<PendingDecision> pack, JournalVersion version)
    {
        var now = await ReadVersionAsync();
        if (now != version)
        {
            _behind = version;
            return;
        }

        // There was no other commit: the version of a row did not match, or an entry is in the way. All of the pack are made again.
        var next = JournalKeys.Entry(version.Seq + 1);
        var isLeftover = await table.GetAsync(partition, next, CancellationToken.None) is not null;
        _leftover = isLeftover ? version.Seq + 1 : null;
        Answer(open, pack, isCommitted: false);
    }

    private static void Answer(List<PendingDecision> open, List<PendingDecision> pack, bool isCommitted)
    {
        pack.ForEach(p => p.Done.TrySetResult(isCommitted));
        open.RemoveAll(pack.Contains);
    }

    // Reads the commits of other processes, and then the version again: they commit at the same time, and the less time passes
    // between the last read and the transaction, the better are the chances against a process that has nothing to catch up with.
    private async Task<JournalVersion> CatchUpAsync(List<PendingDecision> open, JournalVersion from)
    {
        for (var round = 1; ; round++)
        {
            var version = await ReadVersionAsync();
            if (!from.MayLeadTo(version))
            {
                SendBackAll(open);
                return version;
            }

            if (version.Seq == from.Seq || version.Seq - from.Seq > CommitHistory.MaxCommits)
            {
                return version;
            }

            foreach (
                var committed in await table.EntriesAsync(partition, from.Seq + 1, version.Seq, CancellationToken.None)
            )
            {
                if (!from.MayLeadTo(committed))
                {
                    SendBackAll(open);
                    return version;
                }

                _history.Add(committed.Seq, committed.Keys);
            }

            if (round == MaxRounds)
            {
                return version;
            }

            from = version;
        }
    }

    // The table is not the one any more that they have read: it was emptied, or restored from a backup.
    private void SendBackAll(List<PendingDecision> open)
    {
        _history.Clear();
        open.ForEach(p => p.Done.TrySetResult(false));
        open.Clear();
    }

    // The failure may be due to one decision: each of the pack is committed alone next time.
    private static void GiveUp(List<PendingDecision> open, List<PendingDecision> pack, Exception error)
    {
        if (pack.Count > 1 && error is not StorageUnavailableException)
        {
            pack.ForEach(p => p.GoesAlone = true);
            return;
        }

        pack.ForEach(p => p.Done.TrySetException(error));
        open.RemoveAll(pack.Contains);
    }

    private void SendBackStale(List<PendingDecision> open, JournalVersion version) =>
        open.RemoveAll(p =>
        {
            if (_history.MayTouch(p, version.Seq))
            {
                p.Done.TrySetResult(false);
                return true;
            }

            return false;
        });

    private async Task<JournalVersion> ReadVersionAsync()
    {
        var version = await table.VersionAsync(partition, CancellationToken.None);
        Volatile.Write(ref _version, version);
        return version;
    }
}
