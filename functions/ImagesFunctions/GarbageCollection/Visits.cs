using ImagesFunctions.Blobs;
using ImagesFunctions.Catalog;
using ImagesFunctions.Ingest;
using ImagesFunctions.Journal;
using ImagesFunctions.Policy;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Sweeps single namespaces, each whole, and notes when it has to be done again.</summary>
internal sealed class Visits(
    StorageAccount account,
    RowStore rowStore,
    Content content,
    ImageRows imageRows,
    Removal removal,
    LayoutIndex layoutIndex,
    BlobIngest ingest,
    CatalogJournal catalog,
    ILogger<Sweeper> log
)
{
    /// <summary>Sweeps a namespace. Failures of storage are logged and counted, not thrown.</summary>
    /// <param name="namespace">The namespace, or the partition of refusals without one.</param>
    /// <param name="options">How long to leave things alone.</param>
    /// <param name="dryRun">Only count what would be done.</param>
    /// <param name="counts">What is done is added to it.</param>
    /// <param name="cancellationToken">Cancels it between any two steps.</param>
    /// <returns>Whether it came to its end. Then there is a note of what was too young, or was left.</returns>
    public async Task<bool> VisitAsync(
        string @namespace,
        SweepOptions options,
        bool dryRun,
        SweepCounts counts,
        CancellationToken cancellationToken
    )
    {
        var own = new SweepCounts();
        try
        {
            var age = await SweepAge.ReadAsync(account, options, cancellationToken);
            var run = new SweepRun(account, ingest, age, own, log, @namespace, dryRun);
            var garbage = new Garbage(rowStore, content, removal, ingest, layoutIndex, age, dryRun);
            await new NamespaceSweep(run, imageRows, garbage, catalog, new Quotas(rowStore, account)).RunAsync(
                cancellationToken
            );
            await new UploadSweep(run).RunAsync(cancellationToken);
            if (!dryRun)
            {
                await FollowUpAsync(@namespace, age, own, cancellationToken);
            }

            return true;
        }
        catch (Exception error)
            when (!cancellationToken.IsCancellationRequested
                && (IsFailure(error) || error is InvalidOperationException or InvalidDataException)
            )
        {
            log.LogError(error, "The sweep of {Namespace} was given up", @namespace);
            own.Add(SweepKind.Failed);
            return false;
        }
        finally
        {
            counts.Add(own);
        }
    }

    /// <summary>Finds what rules of retention would let go now; changes nothing.</summary>
    /// <param name="namespace">The namespace.</param>
    /// <param name="rules">The rules, in the place of those that are set.</param>
    /// <param name="options">How long to leave things alone.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    /// <returns>The images, and the bytes that become free with them, of all blobs that nothing else needs.</returns>
    /// <exception cref="StorageUnavailableException">Storage, or others who kept changing rows, left something out.</exception>
    public async Task<(IReadOnlyList<RetiredImage> Images, long Bytes)> TryAsync(
        string @namespace,
        AccountRules rules,
        SweepOptions options,
        CancellationToken cancellationToken
    )
    {
        var own = new SweepCounts();
        var age = await SweepAge.ReadAsync(account, options, cancellationToken);
        var run = new SweepRun(account, ingest, age, own, log, @namespace, dryRun: true);
        var garbage = new Garbage(rowStore, content, removal, ingest, layoutIndex, age, dryRun: true);
        var images = await new RetentionSweep(run, garbage.Retention, rules).RunAsync(cancellationToken);
        var bytes = await RetiredBytes.OfAsync(run, images, cancellationToken);
        return own[SweepKind.Left] == 0
            ? (images, bytes)
            : throw new StorageUnavailableException($"the namespace {@namespace} could not be looked at as a whole");
    }

    /// <summary>Whether storage failed, so that the next sweep may do better.</summary>
    public static bool IsFailure(Exception error) => StorageErrors.IsFailure(error) || StorageErrors.IsUnclear(error);

    // Before the note goes that has brought it here.
    private async Task FollowUpAsync(
        string @namespace,
        SweepAge age,
        SweepCounts own,
        CancellationToken cancellationToken
    )
    {
        if (own[SweepKind.Left] > 0)
        {
            age.Next.Add(age.Now);
        }

        if (age.Next.At is { } next)
        {
            await rowStore.Due.PutAsync(@namespace, next < age.Now ? age.Now : next, cancellationToken);
        }
    }
}
