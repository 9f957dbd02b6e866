using ImagesFunctions.Blobs;
using ImagesFunctions.Catalog;
using ImagesFunctions.Ingest;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ImagesFunctions.Rebuild;

/// <summary>
/// Makes the rows of one namespace anew. First what its catalog says: its images are hidden then, as if their bytes had gone. Then every
/// blob is taken in as if it had just landed: its bytes are hashed, and what is complete by that is shown again, with its tags.
/// </summary>
internal sealed class NamespaceRebuild
{
    private const int AtOnce = 8;
    private const int MaxTries = 5;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(10);

    private readonly StorageAccount _account;
    private readonly RowStore _rowStore;
    private readonly Content _content;
    private readonly BlobIngest _ingest;
    private readonly string _namespace;

    /// <param name="account">The account, as who rebuilds it sees it.</param>
    /// <param name="log">Gets what is refused.</param>
    /// <param name="namespace">The namespace.</param>
    public NamespaceRebuild(StorageAccount account, ILogger<Refusals> log, string @namespace)
    {
        (_account, _namespace) = (account, @namespace);
        // Of its own: what those of the host remember is of the table that is lost. And what was there stays there.
        _rowStore = new RowStore(account) { EnforcesQuotas = false };
        _content = new Content(account);
        var imageRows = new ImageRows(_rowStore, _content);
        var refusals = new Refusals(_rowStore, account.Clock, log);
        var manifests = new ManifestCommit(_rowStore, _content, imageRows, refusals);
        var registration = new BlobRegistration(
            _rowStore,
            _content,
            manifests,
            new BlobInvalidation(_rowStore, _content),
            new Removal(_rowStore, _content),
            refusals
        );
        _ingest = new BlobIngest(
            _content,
            registration,
            refusals,
            new LayoutIndex(_rowStore, _content, manifests, refusals)
        );
    }

    /// <summary>Makes them, and then a new checkpoint of the catalog.</summary>
    /// <exception cref="InvalidDataException">The catalog is damaged.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var read = await new CatalogFiles(_account).ReadAsync(_namespace, cancellationToken);
        await new Seeding(_account, _rowStore, _content, _namespace).RunAsync(
            read?.State ?? new CatalogState(),
            cancellationToken
        );
        // It was read before the catalog's rows were there.
        _rowStore.Recent.Forget(_namespace);
        await TakeInAsync(cancellationToken);
        await new LayoutFiles(_rowStore, _content, _ingest, _namespace).WriteAsync(cancellationToken);
        await new CatalogJournal(_account, _rowStore, NullLogger<CatalogJournal>.Instance).CheckpointAsync(
            _namespace,
            cancellationToken
        );
    }

    // In any order, as events come.
    private Task TakeInAsync(CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(
            new StoredBlobs(_account.Images).ListAsync($"{_namespace}/", uncommitted: false, cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (blob, stop) =>
            {
                for (var attempt = 1; ; attempt++)
                {
                    try
                    {
                        await _ingest.LandedAsync(blob.Name, stop);
                        return;
                    }
                    catch (Exception error)
                        when (StorageErrors.MayPass(error)
                            && attempt < MaxTries
                            && !cancellationToken.IsCancellationRequested
                        )
                    {
                        await Backoff.DelayAsync(attempt, FirstPause, MaxPause, stop);
                    }
                }
            }
        );
}
