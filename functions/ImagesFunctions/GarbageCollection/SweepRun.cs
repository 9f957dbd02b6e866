using ImagesFunctions.Ingest;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using ImagesFunctions.Telemetry;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.GarbageCollection;

/// <summary>What the phases of one sweep of one namespace have in common.</summary>
internal sealed class SweepRun(
    StorageAccount account,
    BlobIngest ingest,
    SweepAge age,
    SweepCounts counts,
    ILogger log,
    string @namespace,
    bool dryRun
)
{
    // Milliseconds of work, and as many of rest.
    private const long Rest = 100;

    private const int MaxFailuresInARow = 10;

    private int _failuresInARow;

    public StorageAccount Account => account;

    public SweepAge Age => age;

    public SweepCounts Counts => counts;

    public string Namespace => @namespace;

    /// <summary>Whether nothing may be changed.</summary>
    public bool IsDryRun => dryRun;

    public Repository RepositoryOf(string app) => Repository.Of(@namespace, app);

    public BlobPath PathOf(string app, Digest digest) => new(RepositoryOf(app), digest);

    /// <summary>All rows of a kind.</summary>
    /// <param name="kind">The first letter of their keys.</param>
    /// <param name="columns">What to fetch of each; null for all.</param>
    public IAsyncEnumerable<TableRow> StreamAsync(char kind, string[]? columns = null) =>
        account.ImageRows.StreamWithRetries(@namespace, Keys.All(kind), columns);

    /// <summary>All rows of a range.</summary>
    /// <param name="range">Their keys.</param>
    /// <param name="columns">What to fetch of each; null for all.</param>
    public IAsyncEnumerable<TableRow> StreamAsync(KeyRange range, string[]? columns = null) =>
        account.ImageRows.StreamWithRetries(@namespace, range, columns);

    /// <summary>Decides about rows, so many at once as one decision may.</summary>
    /// <param name="suspects">Their keys.</param>
    /// <param name="remove">The decision, as of <see cref="Garbage"/>.</param>
    /// <param name="kind">What their removal counts as.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task InBatchesAsync(
        IAsyncEnumerable<string> suspects,
        Func<string, IReadOnlyList<string>, CancellationToken, Task<int>> remove,
        SweepKind kind,
        CancellationToken cancellationToken
    )
    {
        await foreach (var keys in suspects.Chunk(Garbage.MaxRows).WithCancellation(cancellationToken))
        {
            counts.Add(kind, Math.Max(0, await TryAsync(() => remove(@namespace, keys, cancellationToken))));
        }
    }

    /// <summary>Does what the event of a blob would, and counts it as of this kind, where there is one.</summary>
    /// <returns>Whether it was done; also in a dry run.</returns>
    public Task<bool> LandedAsync(string path, SweepKind? kind, CancellationToken cancellationToken) =>
        LandedAsync(() => ingest.LandedAsync(path, cancellationToken), kind);

    /// <summary>As the other overload, for a file of a layout.</summary>
    public Task<bool> LandedAsync(LayoutPath path, SweepKind? kind, CancellationToken cancellationToken) =>
        LandedAsync(() => ingest.LandedAsync(path, cancellationToken), kind);

    private async Task<bool> LandedAsync(Func<Task<Landed>> takeIn, SweepKind? kind)
    {
        var done = await TryAsync(async () =>
        {
            // What storage keeps as it is stays where it is for another sweep.
            return !dryRun && await takeIn() == Landed.Held ? Garbage.Busy : 1;
        });
        if (done > 0 && kind is { } counted)
        {
            counts.Add(counted);
        }

        return done > 0;
    }

    /// <summary>Removes a row that needs no decision, and counts it as of this kind, where there is one.</summary>
    /// <returns>False where it was written anew meanwhile.</returns>
    public async Task<bool> RemoveRowAsync(TableRow row, SweepKind? kind, CancellationToken cancellationToken)
    {
        var removal = new Change(row.Key, null, row.Version);
        if (!dryRun && !(await account.ImageRows.PutAsync(@namespace, removal, cancellationToken)).IsDone)
        {
            return false;
        }

        if (kind is { } counted)
        {
            counts.Add(counted);
        }

        return true;
    }

    /// <summary>
    /// Tries to sweep one thing. What cannot be swept now is counted and left, so that the others go on; where nothing can be,
    /// storage is away.
    /// </summary>
    /// <returns>How many rows changed, or <see cref="Garbage.Busy"/>.</returns>
    public async Task<int> TryAsync(Func<Task<int>> sweep)
    {
        // A process that commits without a pause keeps the commits of others out: all of the sweep rests at the same time.
        var sinceRest = Environment.TickCount64 % (2 * Rest);
        if (sinceRest >= Rest)
        {
            await Task.Delay(TimeSpan.FromMilliseconds((2 * Rest) - sinceRest), CancellationToken.None);
        }

        try
        {
            var changed = await sweep();
            Volatile.Write(ref _failuresInARow, 0);
            counts.Add(SweepKind.Left, changed == Garbage.Busy ? 1 : 0);
            return changed;
        }
        catch (StorageHeldException error)
        {
            // Storage answers: it keeps only this.
            log.LogWarning(error, "Left for the next sweep of {Namespace}", @namespace);
            counts.Add(SweepKind.Left);
            return Garbage.Busy;
        }
        catch (Exception error)
            when (error is not OperationCanceledException
                && (StorageErrors.IsFailure(error) || StorageErrors.IsUnclear(error))
                && Interlocked.Increment(ref _failuresInARow) <= MaxFailuresInARow
            )
        {
            log.LogWarning(error, "Left for the next sweep of {Namespace}", @namespace);
            counts.Add(SweepKind.Left);
            return Garbage.Busy;
        }
    }
}
