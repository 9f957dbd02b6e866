using Azure;
using Azure.Data.Tables;

namespace ImagesFunctions.Storage;

/// <summary>
/// The one way by which this process commits to a namespace. Decisions are made by their callers, at the same time;
/// here those that do not touch each other are packed into one transaction that carries the row <c>v</c> with If-Match
/// and adds a log entry. A decision that a later commit left untouched stands; any other goes back to be made again.
/// </summary>
internal sealed class CommitQueue(StorageAccount account, string @namespace)
{
    private const int MostCharacters = 400_000;
    private const int MostHistory = 128;
    private const int MostSends = 8;
    private const int MostRounds = 3;

    private readonly Lock _gate = new();
    private readonly List<Pending> _arrived = [];
    private readonly Dictionary<long, IReadOnlySet<string>> _history = [];
    private bool _running;
    private NamespaceVersion? _version;

    // After a refusal: the last number up to which is known what was committed.
    private long? _behind;

    private sealed class Pending(CatalogView view, IReadOnlyList<Change> changes)
    {
        public CatalogView View => view;

        public IReadOnlyList<Change> Changes => changes;

        // True: committed. False: stale, to be made again.
        public TaskCompletionSource<bool> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool GoesAlone { get; set; }

        public bool IsTouchedBy(IReadOnlySet<string> keys) =>
            View.IsTouchedBy(keys) || Changes.Any(c => keys.Contains(c.Key));
    }

    /// <summary>A sequence number that was committed before this returns: what is read afterwards is at least that new.</summary>
    public async Task<long> SequenceAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _version) is { } known)
        {
            return known.Seq;
        }

        return (await account.Catalog.VersionAsync(@namespace, cancellationToken)).Seq;
    }

    /// <summary>Commits a decision. True: it is committed. False: what it read has changed since; make it again.</summary>
    /// <exception cref="StorageUnavailableException">Storage gave no definite answer: the decision may or may not be committed.</exception>
    public Task<bool> CommitAsync(CatalogView view, IReadOnlyList<Change> changes, CancellationToken cancellationToken)
    {
        if (changes.Count > Change.Most)
        {
            throw new ArgumentException($"a decision writes at most {Change.Most} rows", nameof(changes));
        }

        var pending = new Pending(view, changes);
        lock (_gate)
        {
            _arrived.Add(pending);
            if (!_running)
            {
                _running = true;
                // Goes on for as long as decisions arrive, whoever's they are; each caller may stop waiting for its own.
                _ = Task.Run(RunAsync, CancellationToken.None);
            }
        }

        return pending.Done.Task.WaitAsync(cancellationToken);
    }

    private async Task RunAsync()
    {
        var open = new List<Pending>();
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

    // Takes what it can answer out of the list. False when the transaction was refused.
    private async Task<bool> CommitOnceAsync(List<Pending> open)
    {
        var known = Volatile.Read(ref _version);
        var version =
            known is not null && _behind is null ? known : await CatchUpAsync(_behind ?? open.Min(p => p.View.Seq));
        _behind = null;
        SendBackStale(open, version);
        if (open.Count == 0)
        {
            return true;
        }

        var pack = Pack(open);
        var entry = LogEntry.Of(
            version.Seq + 1,
            [.. pack.SelectMany(p => p.Changes)],
            pack.SelectMany(p => p.View.Announced)
        );
        NamespaceVersion? next;
        try
        {
            next = await SendAsync(version, entry, pack);
        }
        catch (Exception error)
        {
            Volatile.Write(ref _version, null);
            GiveUp(open, pack, error);
            return false;
        }

        if (next is not null)
        {
            Remember(entry.Seq, entry.Keys);
            Volatile.Write(ref _version, next);
            pack.ForEach(p => p.Done.TrySetResult(true));
            open.RemoveAll(pack.Contains);
            return true;
        }

        var now = await ReadVersionAsync();
        if (now.Seq == version.Seq)
        {
            // Nobody committed: a row's own If-Match did not hold. Which one is not worth knowing.
            pack.ForEach(p => p.Done.TrySetResult(false));
            open.RemoveAll(pack.Contains);
        }
        else
        {
            _behind = version.Seq;
        }

        return false;
    }

    // Reads what others have committed, and then the version once more: they commit at this very time, and the less of it
    // passes between that read and the transaction, the better the chance against one who has no log to read.
    private async Task<NamespaceVersion> CatchUpAsync(long from)
    {
        for (var round = 1; ; round++)
        {
            var version = await ReadVersionAsync();
            if (version.Seq <= from || version.Seq - from > MostHistory)
            {
                return version;
            }

            foreach (
                var committed in await account.Catalog.LogAsync(
                    @namespace,
                    from + 1,
                    version.Seq,
                    CancellationToken.None
                )
            )
            {
                Remember(committed.Seq, committed.Keys);
            }

            if (round == MostRounds)
            {
                return version;
            }

            from = version.Seq;
        }
    }

    // What storage does not take may be the fault of one decision: the others are innocent, and go alone next time.
    private static void GiveUp(List<Pending> open, List<Pending> pack, Exception error)
    {
        if (pack.Count > 1 && error is RequestFailedException)
        {
            pack.ForEach(p => p.GoesAlone = true);
            return;
        }

        pack.ForEach(p => p.Done.TrySetException(error));
        open.RemoveAll(pack.Contains);
    }

    private void SendBackStale(List<Pending> open, NamespaceVersion version) =>
        open.RemoveAll(p =>
        {
            for (var seq = p.View.Seq + 1; seq <= version.Seq; seq++)
            {
                if (!_history.TryGetValue(seq, out var keys) || p.IsTouchedBy(keys))
                {
                    p.Done.TrySetResult(false);
                    return true;
                }
            }

            return false;
        });

    // The decisions of a pack count as made one after the other, so none may have read or written what an earlier one writes.
    private static List<Pending> Pack(List<Pending> open)
    {
        var pack = new List<Pending>();
        var written = new HashSet<string>(StringComparer.Ordinal);
        var characters = 0;
        foreach (var pending in open)
        {
            var length = pending.Changes.Sum(c => c.Length) + pending.View.Announced.Sum(key => key.Length);
            var fits =
                !pending.GoesAlone
                && !pack.Exists(p => p.GoesAlone)
                && written.Count + pending.Changes.Count <= Change.Most
                && characters + length <= MostCharacters;
            if (pack.Count == 0 || (fits && !pending.IsTouchedBy(written)))
            {
                pack.Add(pending);
                written.UnionWith(pending.Changes.Select(c => c.Key));
                written.UnionWith(pending.View.Announced);
                characters += length;
            }
        }

        return pack;
    }

    // The new version, or null when the transaction was refused and has changed nothing.
    private async Task<NamespaceVersion?> SendAsync(NamespaceVersion version, LogEntry entry, List<Pending> pack)
    {
        var v = new TableEntity(@namespace, Keys.Version) { ["seq"] = entry.Seq };
        List<TableTransactionAction> actions =
        [
            version.ETag is { } etag
                ? new TableTransactionAction(TableTransactionActionType.UpdateReplace, v, etag)
                : new TableTransactionAction(TableTransactionActionType.Add, v),
            new TableTransactionAction(TableTransactionActionType.Add, entry.ToEntity(@namespace)),
            .. pack.SelectMany(p => p.Changes).Select(ToAction),
        ];
        for (var send = 1; ; send++)
        {
            try
            {
                var answer = await account.Transactions.SubmitTransactionAsync(actions);
                return new NamespaceVersion(entry.Seq, answer.Value[0].Headers.ETag);
            }
            catch (RequestFailedException error) when (error.IsConflict() || error.IsNotFound())
            {
                // 404: a row to remove under If-Match is gone. After a lost answer the refusal may be our own success.
                return send > 1 && await IsOursAsync(entry) ? await AfterOursAsync(version, entry) : null;
            }
            catch (Exception error) when (StorageErrors.IsUnclear(error))
            {
                if (send == MostSends)
                {
                    throw new StorageUnavailableException("storage gave no definite answer to a commit", error);
                }

                await Backoff.DelayAsync(
                    send,
                    TimeSpan.FromMilliseconds(50),
                    TimeSpan.FromSeconds(4),
                    CancellationToken.None
                );
            }
        }
    }

    private TableTransactionAction ToAction(Change change) =>
        change switch
        {
            { Entity: null } => new(
                TableTransactionActionType.Delete,
                new TableEntity(@namespace, change.Key),
                change.IfMatch ?? ETag.All
            ),
            { IfMatch: { } etag } => new(TableTransactionActionType.UpdateReplace, change.Entity, etag),
            _ => new(TableTransactionActionType.UpsertReplace, change.Entity),
        };

    private async Task<bool> IsOursAsync(LogEntry entry)
    {
        if (await account.Catalog.GetAsync(@namespace, Keys.Log(entry.Seq), CancellationToken.None) is { } row)
        {
            return row.GetString("op") == entry.Operation;
        }

        if ((await ReadVersionAsync()).Seq >= entry.Seq)
        {
            // This machine slept for longer than the log is kept: to commit it again could do it twice.
            throw new StorageUnavailableException("the log no longer tells whether a commit took effect");
        }

        return false;
    }

    // Ours is committed, but the answer with its ETag is lost. Where another process has gone on since, the old ETag,
    // which matches nothing any more, makes the next transaction find that out.
    private async Task<NamespaceVersion> AfterOursAsync(NamespaceVersion version, LogEntry entry)
    {
        var now = await ReadVersionAsync();
        return now.Seq == entry.Seq ? now : version with { Seq = entry.Seq };
    }

    private async Task<NamespaceVersion> ReadVersionAsync()
    {
        var version = await account.Catalog.VersionAsync(@namespace, CancellationToken.None);
        Volatile.Write(ref _version, version);
        return version;
    }

    private void Remember(long seq, IReadOnlyList<string> keys)
    {
        _history[seq] = keys.ToHashSet(StringComparer.Ordinal);
        _history.Remove(seq - MostHistory);
        if (_history.Count > 2 * MostHistory)
        {
            // The namespace ran ahead while this process slept.
            foreach (var old in _history.Keys.Where(s => s < seq - MostHistory).ToList())
            {
                _history.Remove(old);
            }
        }
    }
}

/// <summary>A namespace's place in its order: its sequence number, and the ETag of the row <c>v</c>, or null before its first commit.</summary>
internal sealed record NamespaceVersion(long Seq, ETag? ETag);
