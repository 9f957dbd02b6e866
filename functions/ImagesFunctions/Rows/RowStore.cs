using System.Collections.Concurrent;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Rows;

/// <summary>The rows of the table <c>images</c>: read as they are, or changed by decisions that one order per namespace makes serializable.</summary>
internal sealed class RowStore(StorageAccount account)
{
    private const int MaxSends = 6;

    private readonly StoredTable _table = account.ImageRows;
    private readonly ConcurrentDictionary<string, PartitionJournal> _journals = new(StringComparer.Ordinal);

    private readonly CoalescedReads<JournalVersion> _versions = new(
        (ns, stop) => account.ImageRows.VersionAsync(ns, stop),
        of: "version"
    );

    /// <summary>How tests see each decision; set before the first one.</summary>
    internal Rehearsal? Rehearsal { get; set; }

    /// <summary>
    /// Makes a decision about a namespace and commits it. It is made again for as long as somebody else changes what it read,
    /// and has to be free of other effects. A decision that changes nothing is answered at once, from rows read since the call.
    /// </summary>
    /// <exception cref="StorageUnavailableException">Storage gave no definite answer, or others were faster for two minutes.</exception>
    public Task<T> CommitAsync<T>(
        string @namespace,
        Func<DecisionView, CancellationToken, Task<Decision<T>>> decide,
        CancellationToken cancellationToken
    ) => JournalOf(@namespace).CommitAsync(decide, cancellationToken);

    /// <summary>As <see cref="CommitAsync"/>, but gives up when others have changed what it read so many times.</summary>
    public Task<(bool IsDone, T? Result)> TryCommitAsync<T>(
        string @namespace,
        int maxTries,
        Func<DecisionView, CancellationToken, Task<Decision<T>>> decide,
        CancellationToken cancellationToken
    ) => JournalOf(@namespace).TryCommitAsync(maxTries, decide, cancellationToken);

    /// <summary>The row, or null.</summary>
    public Task<TableRow?> GetAsync(string @namespace, string key, CancellationToken cancellationToken) =>
        _table.GetAsync(@namespace, key, cancellationToken);

    /// <summary>The rows of a range, in the order of their keys.</summary>
    public Task<IReadOnlyList<TableRow>> RangeAsync(
        string @namespace,
        KeyRange range,
        CancellationToken cancellationToken
    ) => _table.RangeAsync(@namespace, range, cancellationToken);

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

    /// <summary>The complete image that a tag points to; null where there is none, and for what is no tag.</summary>
    public async Task<ImageRow?> TaggedImageAsync(
        Repository repository,
        string tag,
        CancellationToken cancellationToken
    )
    {
        if (!Reference.IsTag(tag))
        {
            return null;
        }

        for (VersionTag? before = null; ; )
        {
            if (
                await GetAsync(repository.Namespace, Keys.Tag(repository.App, tag), cancellationToken) is not { } stored
            )
            {
                return null;
            }

            var row = TagRow.From(stored);
            var image = await ImageAsync(repository, row.Digest, cancellationToken);
            if (image is { State: ImageState.Complete } && image.Generation == row.Generation)
            {
                return image;
            }

            // Its image is gone, unless the tag was moved and the image deleted between the two reads.
            if (stored.Version == before)
            {
                return null;
            }

            before = stored.Version;
        }
    }

    /// <summary>Who needs this digest in the repository.</summary>
    public async Task<List<DependencyRow>> NeedsAsync(
        Repository repository,
        Digest needed,
        CancellationToken cancellationToken
    ) =>
        [
            .. (await RangeAsync(repository.Namespace, Keys.Needs(repository.App, needed), cancellationToken)).Select(
                DependencyRow.From
            ),
        ];

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
        var change = new Change(row.Key, row.ToRow(), before?.RowETag) { IsNew = before is null };
        return (await _table.PutAsync(@namespace, change, cancellationToken)).IsDone;
    }

    /// <summary>Removes a blob's row whose removal had begun, if it is still that row.</summary>
    public Task RemoveDeletingAsync(string @namespace, BlobRow row, CancellationToken cancellationToken) =>
        // Refused where somebody wrote the blob anew.
        _table.PutAsync(@namespace, new Change(row.Key, null, row.RowETag), cancellationToken);

    /// <summary>Writes rows that say who needs what, outside the namespace's order, which new rows may be.</summary>
    public async Task PutNeedsAsync(
        string @namespace,
        IReadOnlyList<DependencyRow> needs,
        CancellationToken cancellationToken
    )
    {
        foreach (var some in needs.Chunk(100))
        {
            Change[] changes = [.. some.Select(n => new Change(n.Key, n.ToRow()))];
            // A busy partition says so inside the answer to a transaction, where the SDK does not look for it. Written twice
            // these rows are the same.
            for (var sends = 1; ; sends++)
            {
                var result = await _table.WriteAsync(@namespace, changes, cancellationToken);
                if (result.Outcome != WriteOutcome.Unclear || sends == MaxSends)
                {
                    result.ThrowIfNotDone();
                    break;
                }

                await Backoff.DelayAsync(
                    sends,
                    TimeSpan.FromMilliseconds(100),
                    TimeSpan.FromSeconds(4),
                    cancellationToken
                );
            }
        }
    }

    /// <summary>Keeps the digest of a boot tar. Written twice the row is the same.</summary>
    public async Task PutBootAsync(string @namespace, BootRow row, CancellationToken cancellationToken) =>
        (await _table.PutAsync(@namespace, new Change(row.Key, row.ToRow()), cancellationToken)).ThrowIfNotDone();

    /// <summary>Records a refusal, or replaces the one for the same path.</summary>
    public async Task PutRefusedAsync(RefusedRow row, CancellationToken cancellationToken) =>
        (
            await _table.PutAsync(RefusedRow.PartitionOf(row.Path), new Change(row.Key, row.ToRow()), cancellationToken)
        ).ThrowIfNotDone();

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
        await _table.PutAsync(RefusedRow.PartitionOf(path), new Change(Keys.Refused(path), null), cancellationToken);
        return true;
    }

    /// <summary>The version of the namespace's last commit, read since the call; of number 0 before its first one. Calls at the same time share reads.</summary>
    public Task<JournalVersion> VersionAsync(string @namespace, CancellationToken cancellationToken) =>
        _versions.ReadAsync(@namespace, cancellationToken);

    /// <summary>
    /// The image and tag rows of a namespace, or of one app of it, as they were at one moment not before the call: rows
    /// are scanned page by page, and what was committed meanwhile is replayed from the log.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The log has gaps each time, or storage does not answer.</exception>
    public async Task<NamespaceRows> ReadAsync(string @namespace, string? app, CancellationToken cancellationToken)
    {
        var rows = new NamespaceRows();
        var version = await ScanAsync(@namespace, app, () => (rows = new NamespaceRows()).Apply, cancellationToken);
        rows.Seq = version.Seq;
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
    /// <returns>The last commit that is in the rows; of number 0 where there was none.</returns>
    /// <exception cref="StorageUnavailableException">The log has gaps each time, or storage does not answer.</exception>
    public async Task<JournalVersion> ScanAsync(
        string @namespace,
        string? app,
        Func<Action<string, TableRow?>> begin,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 1; attempt <= 5; attempt++)
        {
            var apply = begin();
            var before = await _table.VersionAsync(@namespace, cancellationToken);
            if (before.Seq == 0)
            {
                return before;
            }

            var scope = RowScope.Of(app);
            var gate = new Lock();
            await Task.WhenAll(ApplyAsync(scope.Images), ApplyAsync(scope.Tags));
            var after = await _table.VersionAsync(@namespace, cancellationToken);
            if (await ChangesAsync(@namespace, app, before, after, cancellationToken) is { } changes)
            {
                foreach (var (key, row) in changes)
                {
                    apply(key, row);
                }

                return after;
            }

            async Task ApplyAsync(KeyRange range)
            {
                await foreach (var page in _table.PagesAsync(@namespace, range, cancellationToken))
                {
                    lock (gate)
                    {
                        foreach (var row in page)
                        {
                            apply(row.Key, row);
                        }
                    }
                }
            }
        }

        throw new StorageUnavailableException($"the namespace {@namespace} changes faster than it can be read");
    }

    /// <summary>
    /// The image and tag rows that the commits after one and up to another have written: see
    /// <see cref="PartitionJournal.ChangesAsync(Func{string, bool}, JournalVersion, JournalVersion, CancellationToken)"/>.
    /// </summary>
    public Task<IReadOnlyDictionary<string, TableRow?>?> ChangesAsync(
        string @namespace,
        string? app,
        JournalVersion after,
        JournalVersion to,
        CancellationToken cancellationToken
    ) => JournalOf(@namespace).ChangesAsync(RowScope.Of(app).Contains, after, to, cancellationToken);

    /// <summary>The mark of a commit: see <see cref="PartitionJournal.OperationAsync"/>.</summary>
    public Task<string?> OperationAsync(string @namespace, long seq, CancellationToken cancellationToken) =>
        JournalOf(@namespace).OperationAsync(seq, cancellationToken);

    /// <summary>The apps of a namespace that have this blob, verified or going.</summary>
    public async Task<IEnumerable<string>> AppsWithAsync(
        string @namespace,
        Digest digest,
        CancellationToken cancellationToken
    ) => (await RangeAsync(@namespace, Keys.Blobs(digest), cancellationToken)).Select(row => row.Text("app"));

    private PartitionJournal JournalOf(string @namespace) =>
        _journals.GetOrAdd(@namespace, ns => new PartitionJournal(_table, ns, Keys.IsInFull) { Rehearsal = Rehearsal });
}
