using ImagesFunctions.Blobs;
using ImagesFunctions.Ingest;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.GarbageCollection;

/// <summary>
/// Looks again at the paths of events that Event Grid could not deliver, and removes each file when all of its paths were
/// looked at. The namespaces of these paths are noted for the next pass, which may be the one that has begun. Files that cannot be read, or whose paths cannot be looked at now, are left and counted apart: an alert counts
/// on that.
/// </summary>
internal sealed class DeadLetterSweep(
    StorageAccount account,
    BlobIngest ingest,
    DueNotes due,
    SweepCounts counts,
    ILogger log,
    bool dryRun
)
{
    private const int AtOnce = 4;
    private const int MaxFailures = 10;

    // A quarter of the time that the host gives a sweep: the namespaces have to have their turn.
    private static readonly TimeSpan Budget = TimeSpan.FromMinutes(15);

    private readonly DeadLetterBlobs _files = new(account);
    private readonly long _started = Environment.TickCount64;
    private int _failures;

    private bool IsOver =>
        Volatile.Read(ref _failures) >= MaxFailures || Environment.TickCount64 - _started > Budget.TotalMilliseconds;

    /// <summary>Goes through the files once. Failures of storage are logged and counted, not thrown.</summary>
    /// <param name="cancellationToken">Cancels it between two paths; the next sweep completes it.</param>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Parallel.ForEachAsync(
                _files.ListAsync(cancellationToken).TakeWhile(_ => !IsOver),
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
                async (file, stop) => await SweepAsync(file, stop)
            );
            counts.Add(SweepKind.Left, IsOver ? 1 : 0);
        }
        catch (Exception error) when (IsFailure(error) && !cancellationToken.IsCancellationRequested)
        {
            log.LogError(error, "Undelivered events cannot be listed");
            counts.Add(SweepKind.DeadLettersLeft);
        }
    }

    private async Task SweepAsync(BlobListing file, CancellationToken cancellationToken)
    {
        try
        {
            var isDone = await TakeInAsync(file, cancellationToken);
            counts.Add(isDone ? SweepKind.DeadLetters : SweepKind.DeadLettersLeft);
            if (!isDone)
            {
                log.LogWarning("The file {File} of undelivered events cannot be read, or cannot be removed", file.Name);
            }
        }
        catch (Exception error) when (IsFailure(error) && !cancellationToken.IsCancellationRequested)
        {
            log.LogWarning(error, "The file {File} of undelivered events is left for the next sweep", file.Name);
            counts.Add(SweepKind.DeadLettersLeft);
            Interlocked.Increment(ref _failures);
        }
    }

    private async Task<bool> TakeInAsync(BlobListing file, CancellationToken cancellationToken)
    {
        if (file.Size > DeadLetterBlobs.MaxLength)
        {
            return false;
        }

        if (await _files.ReadAsync(file, cancellationToken) is not { } bytes)
        {
            // Another sweep has taken it in.
            return true;
        }

        if (DeadLetter.PathsOf(bytes) is not { } paths)
        {
            return false;
        }

        if (dryRun)
        {
            return true;
        }

        // Lost events seldom come alone.
        foreach (var partition in paths.Select(RefusedRow.PartitionOf).Distinct(StringComparer.Ordinal))
        {
            await due.AnnounceNowAsync(partition, cancellationToken);
        }

        foreach (var path in paths)
        {
            await ingest.LandedAsync(path, cancellationToken);
        }

        return await _files.DeleteAsync(file, cancellationToken);
    }

    // What a namespace is given up for, too.
    private static bool IsFailure(Exception error) =>
        StorageErrors.IsFailure(error) || StorageErrors.IsUnclear(error) || error is InvalidOperationException;
}
