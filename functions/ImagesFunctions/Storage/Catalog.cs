using System.Collections.Concurrent;
using Azure;
using Azure.Data.Tables;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Storage;

/// <summary>The rows of the table <c>images</c>: read as they are, or changed by decisions that one order per namespace makes serializable.</summary>
internal sealed class Catalog(StorageAccount account)
{
    private const int MostTries = 200;
    private const int MostSends = 6;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    /// <summary>The most commits that a list is brought up to date from. Beyond, a scan of the rows costs less than the log's point reads.</summary>
    public const int MostReplayed = 1_024;

    // Each may have close to 1 MiB.
    private const int ReplayedAtOnce = 64;

    private readonly ConcurrentDictionary<string, CommitQueue> _queues = new(StringComparer.Ordinal);

    private readonly SharedReads<long> _versions = new(
        async (ns, stop) => (await account.Catalog.VersionAsync(ns, stop)).Seq,
        of: "version"
    );

    /// <summary>
    /// Makes a decision and commits it. It is made again for as long as somebody else changes what it read, and has to
    /// be free of other effects. A decision that changes nothing is answered at once, from rows read since the call.
    /// </summary>
    /// <exception cref="StorageUnavailableException">Storage gave no definite answer, or others were faster for two minutes.</exception>
    public async Task<T> CommitAsync<T>(
        string @namespace,
        Func<CatalogView, CancellationToken, Task<Decision<T>>> decide,
        CancellationToken cancellationToken
    )
    {
        var queue = _queues.GetOrAdd(@namespace, ns => new CommitQueue(account, ns));
        var started = Environment.TickCount64;
        for (
            var attempt = 1;
            attempt <= MostTries && Environment.TickCount64 - started < Longest.TotalMilliseconds;
            attempt++
        )
        {
            var view = new CatalogView(account.Catalog, @namespace, await queue.SequenceAsync(cancellationToken));
            var decision = await decide(view, cancellationToken);
            if (decision.Changes.Count == 0 || await queue.CommitAsync(view, decision.Changes, cancellationToken))
            {
                return decision.Result;
            }

            await Backoff.DelayAsync(
                attempt,
                TimeSpan.FromMilliseconds(1),
                TimeSpan.FromMilliseconds(200),
                cancellationToken
            );
        }

        throw new StorageUnavailableException(
            $"the namespace {@namespace} is too busy: others kept changing what this decision read"
        );
    }

    /// <summary>The row, or null.</summary>
    public Task<TableEntity?> GetAsync(string @namespace, string key, CancellationToken cancellationToken) =>
        account.Catalog.GetAsync(@namespace, key, cancellationToken);

    /// <summary>The rows of a range, in the order of their keys.</summary>
    public Task<List<TableEntity>> RangeAsync(string @namespace, KeyRange range, CancellationToken cancellationToken) =>
        account.Catalog.RangeAsync(@namespace, range, cancellationToken);

    /// <summary>The verified blob's row, or null. A row whose removal has begun is returned too.</summary>
    public async Task<BlobRow?> BlobAsync(Repository repository, Digest digest, CancellationToken cancellationToken) =>
        await GetAsync(repository.Namespace, Keys.Blob(repository.App, digest), cancellationToken) is { } row
            ? BlobRow.From(row)
            : null;

    /// <summary>The committed image's row, or null.</summary>
    public async Task<ImageRow?> ImageAsync(
        Repository repository,
        Digest digest,
        CancellationToken cancellationToken
    ) => ImageRow.Live(await GetAsync(repository.Namespace, Keys.Image(repository.App, digest), cancellationToken));

    /// <summary>Who needs this digest in the repository.</summary>
    public async Task<List<NeedRow>> NeedsAsync(
        Repository repository,
        Digest needed,
        CancellationToken cancellationToken
    ) =>
        (await RangeAsync(repository.Namespace, Keys.Needs(repository.App, needed), cancellationToken)).ConvertAll(
            NeedRow.From
        );

    /// <summary>
    /// Writes the row of a blob that was just verified, outside the namespace's order, which new rows may be. False when
    /// the row is no longer the one that was read before (null: there was none).
    /// </summary>
    public async Task<bool> PutBlobAsync(
        string @namespace,
        BlobRow row,
        BlobRow? before,
        CancellationToken cancellationToken
    )
    {
        try
        {
            if (before is null)
            {
                await account.Catalog.AddEntityAsync(row.ToEntity(@namespace), cancellationToken);
            }
            else
            {
                await account.Catalog.UpdateEntityAsync(
                    row.ToEntity(@namespace),
                    before.RowETag,
                    TableUpdateMode.Replace,
                    cancellationToken
                );
            }

            return true;
        }
        catch (RequestFailedException error) when (error.IsConflict() || error.IsNotFound())
        {
            return false;
        }
    }

    /// <summary>Removes a blob's row whose removal had begun, if it is still that row.</summary>
    public async Task RemoveDeletingAsync(string @namespace, BlobRow row, CancellationToken cancellationToken)
    {
        try
        {
            await account.Catalog.DeleteEntityAsync(@namespace, row.Key, row.RowETag, cancellationToken);
        }
        catch (RequestFailedException error) when (error.IsConflict())
        {
            // Somebody wrote the blob anew.
        }
    }

    /// <summary>Writes rows that say who needs what, outside the namespace's order, which new rows may be.</summary>
    public async Task PutNeedsAsync(
        string @namespace,
        IReadOnlyList<NeedRow> needs,
        CancellationToken cancellationToken
    )
    {
        foreach (var some in needs.Chunk(100))
        {
            var actions = some.Select(n => new TableTransactionAction(
                TableTransactionActionType.UpsertReplace,
                n.ToEntity(@namespace)
            ));
            await RepeatAsync(() => account.Transactions.SubmitTransactionAsync(actions, cancellationToken));
        }

        // A busy partition says so inside the answer to a transaction, where the SDK does not look for it. Written twice
        // these rows are the same.
        async Task RepeatAsync(Func<Task> submit)
        {
            for (var sends = 1; ; sends++)
            {
                try
                {
                    await submit();
                    return;
                }
                catch (Exception error)
                    when (sends < MostSends
                        && StorageErrors.IsUnclear(error)
                        && !cancellationToken.IsCancellationRequested
                    )
                {
                    await Backoff.DelayAsync(
                        sends,
                        TimeSpan.FromMilliseconds(100),
                        TimeSpan.FromSeconds(4),
                        cancellationToken
                    );
                }
            }
        }
    }

    /// <summary>Records a refusal, or replaces the one for the same path.</summary>
    public async Task PutRefusedAsync(RefusedRow row, CancellationToken cancellationToken) =>
        await account.Catalog.UpsertEntityAsync(row.ToEntity(), TableUpdateMode.Replace, cancellationToken);

    /// <summary>The refusal of a path, or null.</summary>
    public async Task<RefusedRow?> RefusedAsync(string path, CancellationToken cancellationToken) =>
        await GetAsync(RefusedRow.PartitionOf(path), Keys.Refused(path), cancellationToken) is { } row
            ? RefusedRow.From(row)
            : null;

    /// <summary>Takes a refusal back. False when there is none for the path.</summary>
    public async Task<bool> RemoveRefusedAsync(string path, CancellationToken cancellationToken)
    {
        // Most paths never were refused, and a point read costs less than a failed delete.
        if (await RefusedAsync(path, cancellationToken) is null)
        {
            return false;
        }

        // Without a condition: a second try of a lost answer finds nothing, and that is success.
        await account.Catalog.DeleteEntityAsync(
            RefusedRow.PartitionOf(path),
            Keys.Refused(path),
            ETag.All,
            cancellationToken
        );
        return true;
    }

    /// <summary>The number of the namespace's last commit, read since the call; 0 before its first one. Calls at the same time share reads.</summary>
    public Task<long> SequenceAsync(string @namespace, CancellationToken cancellationToken) =>
        _versions.ReadAsync(@namespace, cancellationToken);

    /// <summary>
    /// The image and tag rows of a namespace, or of one app of it, as they were at one moment not before the call: rows
    /// are scanned page by page, and what was committed meanwhile is replayed from the log.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The log has gaps each time, or storage does not answer.</exception>
    public async Task<NamespaceRows> ReadAsync(string @namespace, string? app, CancellationToken cancellationToken)
    {
        var rows = new NamespaceRows();
        var seq = await ScanAsync(@namespace, app, () => (rows = new NamespaceRows()).Apply, cancellationToken);
        rows.Seq = seq;
        return rows;
    }

    /// <summary>
    /// As <see cref="ReadAsync"/>, but each row is handed on as it comes, so that a long namespace need not be in memory as
    /// the rows it was read as.
    /// </summary>
    /// <param name="namespace">The namespace.</param>
    /// <param name="app">The app, or null for all.</param>
    /// <param name="begin">Begins anew: what came before does not count. It gets each row that stands by its key, the last time as it is; null for one that is removed again.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The number of the last commit that is in the rows; 0 where there was none.</returns>
    /// <exception cref="StorageUnavailableException">The log has gaps each time, or storage does not answer.</exception>
    public async Task<long> ScanAsync(
        string @namespace,
        string? app,
        Func<Action<string, TableEntity?>> begin,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 1; attempt <= 5; attempt++)
        {
            var apply = begin();
            var before = await account.Catalog.VersionAsync(@namespace, cancellationToken);
            if (before.Seq == 0)
            {
                return 0;
            }

            var scope = RowScope.Of(app);
            var gate = new Lock();
            await Task.WhenAll(ApplyAsync(scope.Images), ApplyAsync(scope.Tags));
            var after = await account.Catalog.VersionAsync(@namespace, cancellationToken);
            if (await ChangesAsync(@namespace, app, before.Seq, after.Seq, cancellationToken) is { } changes)
            {
                foreach (var (key, row) in changes)
                {
                    apply(key, row);
                }

                return after.Seq;
            }

            async Task ApplyAsync(KeyRange range)
            {
                await foreach (var page in account.Catalog.Stream(@namespace, range).AsPages().Ahead(cancellationToken))
                {
                    lock (gate)
                    {
                        foreach (var row in page.Values)
                        {
                            apply(row.RowKey, row);
                        }
                    }
                }
            }
        }

        throw new StorageUnavailableException($"the namespace {@namespace} changes faster than it can be read");
    }

    /// <summary>
    /// The image and tag rows that the commits after one number and up to another have written, each key once, with its
    /// last row: null for a removed one. Null altogether when the log does not tell it all, because entries are trimmed,
    /// too long or too many: then rows are to be scanned.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, TableEntity?>?> ChangesAsync(
        string @namespace,
        string? app,
        long after,
        long to,
        CancellationToken cancellationToken
    )
    {
        var changes = new Dictionary<string, TableEntity?>(StringComparer.Ordinal);
        if (to - after > MostReplayed)
        {
            return null;
        }

        var scope = RowScope.Of(app);
        for (var first = after + 1; first <= to; first += ReplayedAtOnce)
        {
            var last = Math.Min(to, first + ReplayedAtOnce - 1);
            var log = await account.Catalog.LogAsync(@namespace, first, last, cancellationToken);
            if (log.Count <= last - first || log.Exists(e => e.Rows is null))
            {
                return null;
            }

            foreach (var (key, row) in log.SelectMany(e => e.Rows!).Where(r => scope.Contains(r.Key)))
            {
                changes[key] = row;
            }
        }

        return changes;
    }

    /// <summary>The mark of a commit, which no other has, also not of the same number after a backup was restored; null where it is trimmed.</summary>
    public async Task<string?> OperationAsync(string @namespace, long seq, CancellationToken cancellationToken) =>
        (await GetAsync(@namespace, Keys.Log(seq), cancellationToken))?.GetString("op");

    /// <summary>The apps of a namespace that have this blob, verified or going.</summary>
    public async Task<IEnumerable<string>> AppsWithAsync(
        string @namespace,
        Digest digest,
        CancellationToken cancellationToken
    ) => (await RangeAsync(@namespace, Keys.Blobs(digest), cancellationToken)).Select(row => row.GetString("app"));
}

/// <summary>The ranges of image and tag rows of a namespace, or of one app of it.</summary>
internal readonly record struct RowScope(KeyRange Images, KeyRange Tags)
{
    public static RowScope Of(string? app) =>
        app is null
            ? new RowScope(Keys.All('i'), Keys.All('t'))
            : new RowScope(Keys.OfApp('i', app), Keys.OfApp('t', app));

    public bool Contains(string key) => Images.Contains(key) || Tags.Contains(key);
}

/// <summary>Image and tag rows by their keys, which sort them by app.</summary>
internal sealed class NamespaceRows
{
    /// <summary>The number of the last commit that is in here; 0 where there was none.</summary>
    public long Seq { get; set; }

    public SortedDictionary<string, ImageRow> Images { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, TagRow> Tags { get; } = new(StringComparer.Ordinal);

    /// <summary>Fetches the children of those indexes that were too long to stand in their rows.</summary>
    public async Task LoadChildrenAsync(ImageRows imageRows, string @namespace, CancellationToken cancellationToken)
    {
        foreach (
            var (key, row) in Images.Where(i => !i.Value.HasFacts && MediaTypes.IsIndex(i.Value.MediaType)).ToList()
        )
        {
            Images[key] = await imageRows.WithFactsAsync(@namespace, row, cancellationToken);
        }
    }

    /// <summary>Takes a row that was read or that a commit wrote; null for one that it removed.</summary>
    public void Apply(string key, TableEntity? row)
    {
        if (row is null)
        {
            Images.Remove(key);
            Tags.Remove(key);
        }
        else if (key[0] == 'i')
        {
            Images[key] = ImageRow.From(row);
        }
        else
        {
            Tags[key] = TagRow.From(row);
        }
    }
}

internal static class LogReads
{
    /// <summary>The most entries that one call reads: each may have close to 1 MiB.</summary>
    public const int MostEntries = 256;

    /// <summary>A namespace's version; 0 before its first commit.</summary>
    public static async Task<NamespaceVersion> VersionAsync(
        this TableClient table,
        string @namespace,
        CancellationToken cancellationToken
    )
    {
        var row = await table.GetAsync(@namespace, Keys.Version, cancellationToken);
        return row is null ? new NamespaceVersion(0, null) : new NamespaceVersion(row.GetInt64("seq") ?? 0, row.ETag);
    }

    /// <summary>The log entries from one number to another, both included, in order; fewer where entries are trimmed.</summary>
    public static async Task<List<LogEntry>> LogAsync(
        this TableClient table,
        string @namespace,
        long from,
        long to,
        CancellationToken cancellationToken
    )
    {
        if (to - from >= MostEntries)
        {
            throw new ArgumentOutOfRangeException(nameof(to), $"more than {MostEntries} log entries at once");
        }

        var entries = new LogEntry?[to - from + 1];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, entries.Length),
            new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellationToken },
            async (i, stop) =>
            {
                if (await table.GetAsync(@namespace, Keys.Log(from + i), stop) is { } row)
                {
                    entries[i] = LogEntry.From(@namespace, from + i, row);
                }
            }
        );
        return [.. entries.OfType<LogEntry>()];
    }
}
