using ImagesFunctions.Accounts;
using ImagesFunctions.Blobs;
using ImagesFunctions.Catalog;
using ImagesFunctions.Ingest;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rebuild;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using ImagesFunctions.Telemetry;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.GarbageCollection;

/// <summary>
/// Removes what nothing needs any more, while everything else goes on: every removal is a commit like any other. A sweep that
/// is ended in the middle leaves nothing half-made that the next one does not finish, and several at once do no harm.
/// </summary>
internal sealed class Sweeper
{
    private readonly StorageAccount _account;
    private readonly RowStore _rowStore;
    private readonly Content _content;
    private readonly ImageRows _imageRows;
    private readonly Removal _removal;
    private readonly LayoutIndex _layoutIndex;
    private readonly BlobIngest _ingest;
    private readonly CatalogJournal _catalog;
    private readonly Rebuilder _rebuilder;
    private readonly SweepOptions _options;
    private readonly ILogger<Sweeper> _log;

    public Sweeper(
        StorageAccount account,
        RowStore rowStore,
        Content content,
        ImageRows imageRows,
        Removal removal,
        LayoutIndex layoutIndex,
        BlobIngest ingest,
        CatalogJournal catalog,
        Rebuilder rebuilder,
        SweepOptions options,
        ILogger<Sweeper> log
    )
    {
        _account = account;
        _rowStore = rowStore;
        _content = content;
        _imageRows = imageRows;
        _removal = removal;
        _layoutIndex = layoutIndex;
        _ingest = ingest;
        _catalog = catalog;
        _rebuilder = rebuilder;
        _options = options;
        _log = log;
    }

    /// <summary>Sweeps the storage account once, with the times of the settings.</summary>
    /// <param name="cancellationToken">Cancels it between any two steps.</param>
    /// <exception cref="StorageUnavailableException">Storage is away, as any exception of the Azure SDK says as well.</exception>
    public Task<SweepResult> RunAsync(CancellationToken cancellationToken) =>
        RunAsync(_options, dryRun: false, cancellationToken);

    /// <summary>As the other overload, with other times, or without changing anything.</summary>
    /// <param name="options">How long to leave things alone.</param>
    /// <param name="dryRun">Only count what would be done.</param>
    /// <param name="cancellationToken">Cancels it between any two steps.</param>
    public async Task<SweepResult> RunAsync(SweepOptions options, bool dryRun, CancellationToken cancellationToken)
    {
        var counts = new SweepCounts();
        if (!dryRun)
        {
            await PrepareAsync(counts, cancellationToken);
        }

        // First: each of them names what is known to be missing.
        await new DeadLetterSweep(_account, _ingest, counts, _log, dryRun).RunAsync(cancellationToken);
        // Told at once: the rest may take long.
        Tell(counts.Result(dryRun), isDeadLetter: true);
        var namespaces = await NamespacesAsync(cancellationToken);
        // From anywhere on: where no sweep has the time for all, each namespace has its turn.
        var first = namespaces.Count == 0 ? 0 : Random.Shared.Next(namespaces.Count);
        foreach (var @namespace in namespaces.Skip(first).Concat(namespaces.Take(first)))
        {
            try
            {
                await SweepAsync(@namespace, options, dryRun, counts, cancellationToken);
            }
            catch (Exception error)
                when (!cancellationToken.IsCancellationRequested
                    && (
                        StorageErrors.IsFailure(error)
                        || StorageErrors.IsUnclear(error)
                        || error is InvalidOperationException or InvalidDataException
                    )
                )
            {
                _log.LogError(error, "The sweep of {Namespace} was given up", @namespace);
                counts.Add(SweepKind.Failed);
            }
        }

        var result = counts.Result(dryRun);
        Tell(result, isDeadLetter: false);
        if (!dryRun)
        {
            // Counted whatever it found: an alert counts on one a day.
            Metrics.Swept(Metrics.CompleteSweeps, 1);
        }

        _log.LogInformation("Swept {Namespaces} namespaces: {Result}", namespaces.Count, result);
        return result;
    }

    private static void Tell(SweepResult result, bool isDeadLetter)
    {
        foreach (
            var (kind, count) in result.Counts.Where(c =>
                !result.IsDryRun && (c.Key is SweepKind.DeadLetters or SweepKind.DeadLettersLeft) == isDeadLetter
            )
        )
        {
            Metrics.Swept(kind.ToString().ToLowerInvariant(), count);
        }
    }

    // A table that is lost is made anew before it could be swept, and tokens that have no backup get one.
    private async Task PrepareAsync(SweepCounts counts, CancellationToken cancellationToken)
    {
        if (await _rebuilder.IsNeededAsync(cancellationToken))
        {
            var failed = (await _rebuilder.RunAsync(cancellationToken)).Failed.Count;
            counts.Add(SweepKind.Failed, failed);
        }

        try
        {
            await new TokenBackup(_account).BringForwardAsync(cancellationToken);
        }
        catch (Exception error) when (StorageErrors.IsFailure(error))
        {
            _log.LogError(error, "Tokens were left without a backup");
            counts.Add(SweepKind.Left);
        }
    }

    /// <summary>As the settings say.</summary>
    public SweepOptions Options => _options;

    private async Task SweepAsync(
        string @namespace,
        SweepOptions options,
        bool dryRun,
        SweepCounts counts,
        CancellationToken cancellationToken
    )
    {
        var age = await SweepAge.ReadAsync(_account, options, cancellationToken);
        var run = new SweepRun(_account, _ingest, age, counts, _log, @namespace, dryRun);
        var garbage = new Garbage(_rowStore, _content, _removal, _ingest, _layoutIndex, age, dryRun);
        await new NamespaceSweep(run, _imageRows, garbage, _catalog).RunAsync(cancellationToken);
        await new UploadSweep(run).RunAsync(cancellationToken);
    }

    // Those that have rows or blobs, in order, and the partition of refusals without a namespace.
    private async Task<SortedSet<string>> NamespacesAsync(CancellationToken cancellationToken)
    {
        var namespaces = new SortedSet<string>(StringComparer.Ordinal);
        // One query a partition: tables cannot list them.
        for (
            var last = "";
            await _account.ImageRows.NextPartitionAsync(last, cancellationToken) is { } next;
            last = next
        )
        {
            namespaces.Add(next);
        }

        StoredBlobs[] containers = [new(_account.Images), new(_account.Uploads), new(_account.Derived)];
        foreach (var container in containers)
        {
            await foreach (var folder in container.FoldersAsync(cancellationToken))
            {
                // What stands elsewhere belongs to no namespace.
                if (Repository.IsNamespace(folder))
                {
                    namespaces.Add(folder);
                }
            }
        }

        return namespaces;
    }
}
