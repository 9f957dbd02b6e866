using System.Collections.Concurrent;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Rows;

/// <summary>The rows of the table <c>images</c>: point reads, and changes by decisions that one order per namespace makes serializable.</summary>
internal sealed partial class RowStore(StorageAccount account)
{
    private const int MaxSends = 6;

    private readonly StoredTable _table = account.ImageRows;
    private readonly ConcurrentDictionary<string, PartitionJournal> _journals = new(StringComparer.Ordinal);

    private readonly CoalescedReads<JournalVersion> _versions = new(
        (ns, stop) => account.ImageRows.VersionAsync(ns, stop),
        of: "version"
    );

    /// <summary>Notes for the sweeper, which this leaves before it writes.</summary>
    public DueNotes Due { get; } = new(account);

    /// <summary>What accounts kept to at most a minute ago.</summary>
    public RecentPolicies Recent { get; } = new(account.ImageRows, TimeProvider.System);

    /// <summary>Is told of each commit of this process, with its namespace and the version after it; set before the first one.</summary>
    public Action<string, JournalEntry, JournalVersion>? Committed { get; set; }

    /// <summary>Lets tests see each decision; set before the first one.</summary>
    internal Rehearsal? Rehearsal { get; set; }

    /// <summary>
    /// Makes a decision about a namespace and commits it. It is made again while other commits change what it read, so it must
    /// have no other effect. A decision without changes is answered at once, from rows read after the call.
    /// </summary>
    /// <exception cref="StorageUnavailableException">Storage gave no definite answer, or other commits were faster for two minutes.</exception>
    public Task<T> CommitAsync<T>(
        string @namespace,
        Func<DecisionView, CancellationToken, Task<Decision<T>>> decide,
        CancellationToken cancellationToken
    ) => JournalOf(@namespace).CommitAsync(Counted(@namespace, EnforcesQuotas, decide), cancellationToken);

    /// <summary>As <see cref="CommitAsync"/>, but gives up after a number of tries.</summary>
    public Task<(bool IsDone, T? Result)> TryCommitAsync<T>(
        string @namespace,
        int maxTries,
        Func<DecisionView, CancellationToken, Task<Decision<T>>> decide,
        CancellationToken cancellationToken
    ) => JournalOf(@namespace).TryCommitAsync(maxTries, Counted(@namespace, EnforcesQuotas, decide), cancellationToken);

    /// <summary>The row, or null.</summary>
    public Task<TableRow?> GetAsync(string @namespace, string key, CancellationToken cancellationToken) =>
        _table.GetAsync(@namespace, key, cancellationToken);

    /// <summary>The rows of a range, in the order of their keys.</summary>
    public Task<IReadOnlyList<TableRow>> RangeAsync(
        string @namespace,
        KeyRange range,
        CancellationToken cancellationToken
    ) => _table.RangeAsync(@namespace, range, cancellationToken);

    /// <summary>The blob's row in any state, or null.</summary>
    public async Task<BlobRow?> BlobAsync(BlobPath path, CancellationToken cancellationToken) =>
        BlobRow.FromOrNull(await GetAsync(path.Repository.Namespace, Keys.Blob(path), cancellationToken));

    /// <summary>The row of a complete or hidden image, or null.</summary>
    public async Task<ImageRow?> ImageAsync(
        Repository repository,
        Digest digest,
        CancellationToken cancellationToken
    ) => ImageRow.Live(await GetAsync(repository.Namespace, Keys.Image(repository.App, digest), cancellationToken));

    /// <summary>The complete image that a tag points to; null where there is none, and for a text that is not a tag.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <param name="first">Gives the tag's row where its read has begun; null: it is read.</param>
    public async Task<ImageRow?> TaggedImageAsync(
        Repository repository,
        string tag,
        CancellationToken cancellationToken,
        Func<Task<TableRow?>>? first = null
    )
    {
        if (!Reference.IsTag(tag))
        {
            return null;
        }

        for (VersionTag? before = null; ; first = null)
        {
            var key = Keys.Tag(repository.App, tag);
            if (await (first?.Invoke() ?? GetAsync(repository.Namespace, key, cancellationToken)) is not { } stored)
            {
                return null;
            }

            var row = TagRow.From(stored);
            var image = await ImageAsync(repository, row.Digest, cancellationToken);
            if (image is { State: ImageState.Complete } && image.Generation == row.Generation)
            {
                return image;
            }

            // The image is gone, unless the tag was moved and the image deleted between the two reads.
            if (stored.Version == before)
            {
                return null;
            }

            before = stored.Version;
        }
    }

    /// <summary>The dependents of a digest in a repository.</summary>
    public async Task<List<DependencyRow>> DependentsAsync(
        Repository repository,
        Digest needed,
        CancellationToken cancellationToken
    ) =>
        [
            .. (
                await RangeAsync(repository.Namespace, Keys.Dependencies(repository.App, needed), cancellationToken)
            ).Select(DependencyRow.From),
        ];

    /// <summary>The live manifests of a repository that need a digest.</summary>
    public async Task<IReadOnlyList<Digest>> LiveDependentsAsync(
        Repository repository,
        Digest needed,
        CancellationToken cancellationToken
    )
    {
        var live = new List<Digest>();
        foreach (var dependency in await DependentsAsync(repository, needed, cancellationToken))
        {
            if (dependency.By.Digest is { } by && await ImageAsync(repository, by, cancellationToken) is not null)
            {
                live.Add(by);
            }
        }

        return live;
    }

    /// <summary>Writes dependency rows, outside the namespace's order, which is allowed for new rows.</summary>
    public async Task PutDependenciesAsync(
        string @namespace,
        IReadOnlyList<DependencyRow> dependencies,
        CancellationToken cancellationToken
    )
    {
        await Due.AnnounceAsync(@namespace, cancellationToken);
        foreach (var batch in dependencies.Chunk(100))
        {
            Change[] changes = [.. batch.Select(d => new Change(d.Key, d.ToRow()))];
            // A busy partition says so inside the answer to a transaction, where the SDK does not retry. The rows are the same
            // when they are written twice.
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

    /// <summary>Writes the row of a boot tar, which is the same when it is written twice.</summary>
    public async Task PutBootAsync(string @namespace, BootRow row, CancellationToken cancellationToken)
    {
        await Due.AnnounceAsync(@namespace, cancellationToken);
        (await _table.PutAsync(@namespace, new Change(row.Key, row.ToRow()), cancellationToken)).ThrowIfNotDone();
    }

    /// <summary>The version of the namespace's last commit, read after the call; its number is 0 before the first. Calls at the same time share reads.</summary>
    public Task<JournalVersion> VersionAsync(string @namespace, CancellationToken cancellationToken) =>
        _versions.ReadAsync(@namespace, cancellationToken);

    /// <summary>
    /// The image and tag rows of a namespace, or of one app of it, as they were at one moment after the call: rows are scanned
    /// page by page, and the commits of that time are replayed from the journal.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The journal has gaps each time, or storage does not answer.</exception>
    public async Task<NamespaceRows> NamespaceAsync(string @namespace, string? app, CancellationToken cancellationToken)
    {
        var rows = new NamespaceRows();
        var version = await ScanAsync(@namespace, app, () => (rows = new NamespaceRows()).Apply, cancellationToken);
        rows.Seq = version.Seq;
        return rows;
    }

    /// <summary>
    /// As <see cref="NamespaceAsync"/>, but hands on each row as it comes, so that the rows of a long namespace are not in
    /// memory all at once.
    /// </summary>
    /// <param name="namespace">The namespace.</param>
    /// <param name="app">The app, or null for all.</param>
    /// <param name="begin">Starts a scan, which replaces an earlier one. Its result gets each row by its key, the last time as it is; null for a removed one.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>The last commit that the rows include; its number is 0 before the first.</returns>
    /// <exception cref="StorageUnavailableException">The journal has gaps each time, or storage does not answer.</exception>
    public Task<JournalVersion> ScanAsync(
        string @namespace,
        string? app,
        Func<Action<string, TableRow?>> begin,
        CancellationToken cancellationToken
    )
    {
        var scope = RowScope.Of(app);
        return ScanAsync(@namespace, [scope.Images, scope.Tags], begin, cancellationToken);
    }

    /// <summary>As the other overload, of any rows that stand in full in the journal.</summary>
    public Task<JournalVersion> ScanAsync(
        string @namespace,
        IReadOnlyList<KeyRange> ranges,
        Func<Action<string, TableRow?>> begin,
        CancellationToken cancellationToken
    ) => RowScan.RunAsync(_table, JournalOf(@namespace), @namespace, ranges, begin, cancellationToken);

    /// <summary>
    /// The image and tag rows that commits have written, after one and up to another: see
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

    /// <summary>The log of a namespace from one commit to another, both included: see <see cref="JournalReads.EntriesAsync"/>.</summary>
    public Task<IReadOnlyList<JournalEntry>> EntriesAsync(
        string @namespace,
        long from,
        long to,
        CancellationToken cancellationToken
    ) => _table.EntriesAsync(@namespace, from, to, cancellationToken);

    /// <summary>The apps of a namespace that have a row of this blob, in any state.</summary>
    public async Task<IEnumerable<string>> AppsWithAsync(
        string @namespace,
        Digest digest,
        CancellationToken cancellationToken
    ) => (await RangeAsync(@namespace, Keys.Blobs(digest), cancellationToken)).Select(row => row.Text("app"));

    // Whether there is a quota need not be exact: what somebody has not counted is counted by the next collection.
    private Func<DecisionView, CancellationToken, Task<Decision<T>>> Counted<T>(
        string @namespace,
        bool isEnforced,
        Func<DecisionView, CancellationToken, Task<Decision<T>>> decide
    ) =>
        async (view, stop) =>
        {
            var decision = await decide(view, stop);
            return QuotaCount.MayChange(decision.Changes) && await HasQuotaAsync(@namespace, stop)
                ? await view.CountedAsync(decision, isEnforced, stop)
                : decision;
        };

    private PartitionJournal JournalOf(string @namespace) =>
        _journals.GetOrAdd(
            @namespace,
            ns => new PartitionJournal(
                _table,
                ns,
                Keys.IsInFull,
                committed: (entry, version) => Committed?.Invoke(ns, entry, version),
                announce: stop => Due.AnnounceAsync(ns, stop)
            )
            {
                Rehearsal = Rehearsal,
            }
        );
}
