using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using ImagesFunctions.Ingest;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.GarbageCollection;

/// <summary>
/// Sweeps one namespace: reads its rows and the list of its blobs once or twice, each a page at a time, and hands whatever
/// looks like garbage to <see cref="Garbage"/>. What is remembered of a row takes less than 200 bytes.
/// </summary>
internal sealed partial class NamespaceSweep(
    StorageAccount account,
    ImageRows imageRows,
    BlobIngest ingest,
    Garbage garbage,
    SweepAge age,
    SweepCounts counts,
    ILogger log,
    string @namespace,
    bool dryRun
)
{
    private const int AtOnce = 8;

    // Milliseconds of work, and as many of rest.
    private const long Rest = 100;

    private const int MostFailuresInARow = 10;

    // Keyed by hashes, because keys are long and there may be a million.
    private readonly Dictionary<UInt128, (ImageState State, string Generation)> _images = [];
    private readonly Dictionary<UInt128, SeenBlob> _blobs = [];
    private readonly HashSet<UInt128> _tagged = [];
    private readonly HashSet<UInt128> _awaited = [];
    private readonly HashSet<UInt128> _needed = [];
    private readonly HashSet<UInt128> _needing = [];
    private readonly Dictionary<UInt128, (DateTimeOffset At, bool WrongBytes)> _refused = [];
    private readonly Dictionary<string, string> _layouts = new(StringComparer.Ordinal);
    private readonly List<(Repository Repository, Digest Digest)> _indexes = [];

    private int _failuresInARow;

    private readonly record struct SeenBlob(UInt128 ETag, BlobState State, bool IsYoung);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await ReadImagesAsync(cancellationToken);
        await SweepTagsAsync(cancellationToken);
        await ReadBlobsAsync(cancellationToken);
        await ReadLayoutsAsync(cancellationToken);
        await SweepRefusalsAsync(cancellationToken);
        await SweepChildrenAsync(cancellationToken);
        await SweepReferrersAsync(cancellationToken);
        await ReadNeedsAsync(cancellationToken);
        await Parallel.ForEachAsync(
            SuspectBlobsAsync(cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (act, stop) => await act(stop)
        );
        await FindGoneAsync(cancellationToken);
        await SweepLayoutsAsync(cancellationToken);
        await SweepNeedsAsync(cancellationToken);
        await SweepNamedNeedsAsync(cancellationToken);
        await SweepIndexesAsync(cancellationToken);
        await SweepFactsAsync(cancellationToken);
        await new LogTrim(account, age, counts, @namespace, dryRun).RunAsync(cancellationToken);
    }

    private async Task InBatchesAsync(
        IAsyncEnumerable<string> suspects,
        Func<string, IReadOnlyList<string>, CancellationToken, Task<int>> sweep,
        SweepKind kind,
        CancellationToken cancellationToken
    )
    {
        await foreach (var keys in suspects.Chunk(Garbage.Most).WithCancellation(cancellationToken))
        {
            counts.Add(kind, Math.Max(0, await TryAsync(() => sweep(@namespace, keys, cancellationToken))));
        }
    }

    // Counts it as of this kind, where there is one.
    private async Task LandedAsync(string path, SweepKind? kind, CancellationToken cancellationToken)
    {
        var done = await TryAsync(async () =>
        {
            if (!dryRun)
            {
                await ingest.LandedAsync(path, cancellationToken);
            }

            return 1;
        });
        if (done > 0 && kind is { } counted)
        {
            counts.Add(counted);
        }
    }

    private async Task DropRowAsync(TableRow row, SweepKind kind, CancellationToken cancellationToken)
    {
        var removal = new Change(row.Key, null, row.Version);
        // Refused where it was written anew.
        if (dryRun || (await account.ImageRows.PutAsync(@namespace, removal, cancellationToken)).IsDone)
        {
            counts.Add(kind);
        }
    }

    // One thing that cannot be swept now leaves the others to be; where nothing can be, storage is away.
    private async Task<int> TryAsync(Func<Task<int>> sweep)
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
        catch (Exception error)
            when (StorageErrors.IsFailure(error) && Interlocked.Increment(ref _failuresInARow) <= MostFailuresInARow)
        {
            log.LogWarning(error, "Left for the next sweep of {Namespace}", @namespace);
            counts.Add(SweepKind.Left);
            return Garbage.Busy;
        }
    }

    private bool IsLive(UInt128 image) =>
        _images.TryGetValue(image, out var row) && row.State is ImageState.Complete or ImageState.Hidden;

    private Repository RepositoryOf(string app) => Repository.Of(@namespace, app);

    private IAsyncEnumerable<TableRow> StreamAsync(char kind, string[]? properties = null) =>
        account.ImageRows.StreamPatiently(@namespace, Keys.All(kind), properties);

    private static SweepKind KindOf(SeenBlob blob) =>
        blob.State == BlobState.Deleting ? SweepKind.Removals : SweepKind.Events;

    private static UInt128 Print(string app, Digest digest) => Print(app, digest.ToString());

    private static UInt128 Print(string app, string what) => Print($"{app}!{what}");

    private static UInt128 Print(string text) =>
        MemoryMarshal.Read<UInt128>(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
