using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using ImagesFunctions.Ingest;
using ImagesFunctions.Journal;
using ImagesFunctions.Listing;
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
        await TrimLogAsync(cancellationToken);
    }

    private async Task ReadImagesAsync(CancellationToken cancellationToken)
    {
        await foreach (
            var row in StreamAsync('i', ["app", "digest", "state", "generation"]).WithCancellation(cancellationToken)
        )
        {
            var image = Image(row);
            _images[Print(image.App, image.Digest)] = (image.State, image.Generation);
            if (image.State is ImageState.Deleted or ImageState.Waiting)
            {
                _indexes.Add((RepositoryOf(image.App), image.Digest));
            }
            else if (image.State == ImageState.Hidden)
            {
                // What it misses may have come, and whoever brought it may have been killed.
                await LandedAsync(LayoutPath.Of(RepositoryOf(image.App), image.Digest), null, cancellationToken);
            }
        }

        // Without its facts, which are long.
        static (string App, Digest Digest, ImageState State, string Generation) Image(TableRow row) =>
            (
                row.Text("app"),
                ImageRow.Parse(row.Text("digest")),
                Enum.TryParse<ImageState>(row.GetString("state"), ignoreCase: true, out var state)
                    ? state
                    : ImageState.Complete,
                row.Text("generation")
            );
    }

    private Task SweepTagsAsync(CancellationToken cancellationToken) =>
        InBatchesAsync(SuspectTagsAsync(cancellationToken), garbage.TagsAsync, SweepKind.Tags, cancellationToken);

    private async IAsyncEnumerable<string> SuspectTagsAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (var row in StreamAsync('t').WithCancellation(cancellationToken))
        {
            var tag = TagRow.From(row);
            var print = Print(tag.App, tag.Digest);
            if (tag.Generation is null)
            {
                _tagged.Add(print);
                _awaited.Add(Print(tag.App, $"{tag.Digest}!{tag.Tag}"));
                if (IsLive(print))
                {
                    // Its image is there: whoever committed it was killed before the last of its tags.
                    await LandedAsync(LayoutPath.Of(RepositoryOf(tag.App), tag.Digest), null, cancellationToken);
                }
                else if (!age.IsYoung(row.Timestamp, pushed: false))
                {
                    yield return row.Key;
                }
            }
            else if (IsLive(print) && _images[print].Generation == tag.Generation)
            {
                _tagged.Add(print);
            }
            else
            {
                yield return row.Key;
            }
        }
    }

    private async Task ReadBlobsAsync(CancellationToken cancellationToken)
    {
        await foreach (var row in StreamAsync('b').WithCancellation(cancellationToken))
        {
            var blob = BlobRow.From(row);
            _blobs[Print(blob.App, blob.Digest)] = new SeenBlob(
                Print(blob.BlobETag),
                blob.State,
                age.IsYoung(row.Timestamp, blob.Pushed)
            );
        }
    }

    private async Task ReadLayoutsAsync(CancellationToken cancellationToken)
    {
        await foreach (var row in StreamAsync('j').WithCancellation(cancellationToken))
        {
            if (row.GetString("app") is { } app && row.GetString("etag") is { } etag)
            {
                _layouts[app] = etag;
            }
        }
    }

    private async Task SweepRefusalsAsync(CancellationToken cancellationToken)
    {
        await foreach (var row in StreamAsync('x').WithCancellation(cancellationToken))
        {
            var refused = RefusedRow.From(row);
            if (refused.IsFailure)
            {
                await LandedAsync(refused.Path, SweepKind.Events, cancellationToken);
            }
            else
            {
                _refused[Print(refused.Path)] = (row.Timestamp ?? default, refused.ActualDigest is not null);
                if (refused.Expires <= age.Now)
                {
                    await DropRowAsync(row, SweepKind.Refusals, cancellationToken);
                }
            }
        }
    }

    // Before anything that they need is looked at, so that it goes in the same sweep.
    private async Task SweepChildrenAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < _indexes.Count; i++)
        {
            var (repository, digest) = _indexes[i];
            if (await ReadIndexAsync(repository, digest, cancellationToken) is not { State: ImageState.Deleted } index)
            {
                continue;
            }

            foreach (var child in index.Children.Select(ImageRow.Parse))
            {
                var print = Print(repository.App, child);
                if (
                    !IsLive(print)
                    || _tagged.Contains(print)
                    || await TryAsync(() => garbage.ChildAsync(repository, digest, child, cancellationToken)) <= 0
                )
                {
                    continue;
                }

                counts.Add(SweepKind.Children);
                _images.Remove(print);
                _blobs.Remove(print);
                // An index among them has children of its own.
                _indexes.Add((repository, child));
            }
        }
    }

    private Task SweepReferrersAsync(CancellationToken cancellationToken) =>
        InBatchesAsync(
            StreamAsync('r')
                .Where(row => ReferrerRow.From(row) is var r && !IsLive(Print(r.App, r.Digest)))
                .Select(row => row.Key),
            garbage.ReferrersAsync,
            SweepKind.Referrers,
            cancellationToken
        );

    private async Task ReadNeedsAsync(CancellationToken cancellationToken)
    {
        UInt128 tried = default;
        await foreach (var row in StreamAsync('n').WithCancellation(cancellationToken))
        {
            var need = NeedRow.From(row);
            var needed = Print(need.App, need.Needed);
            if (need.By.Digest is { } by && IsLive(Print(need.App, by)))
            {
                _needed.Add(needed);
            }

            if (
                need.ManifestType is not null
                && needed != tried
                && !IsLive(needed)
                && _blobs.TryGetValue(needed, out var blob)
                && blob.State == BlobState.Good
            )
            {
                // A manifest that waits. All that it needs may be there, and whoever brought the last of it was killed.
                tried = needed;
                await LandedAsync(LayoutPath.Of(RepositoryOf(need.App), need.Needed), null, cancellationToken);
            }
        }
    }

    // Rows of blobs of which the list of the container said nothing.
    private async Task FindGoneAsync(CancellationToken cancellationToken)
    {
        if (_blobs.Count == 0)
        {
            return;
        }

        await foreach (var row in StreamAsync('b', ["app", "digest"]).WithCancellation(cancellationToken))
        {
            var app = row.Text("app");
            var digest = ImageRow.Parse(row.Text("digest"));
            if (_blobs.TryGetValue(Print(app, digest), out var blob))
            {
                await LandedAsync(LayoutPath.Of(RepositoryOf(app), digest), KindOf(blob), cancellationToken);
            }
        }
    }

    private async Task SweepLayoutsAsync(CancellationToken cancellationToken)
    {
        foreach (var app in _layouts.Keys)
        {
            if (await TryAsync(() => garbage.LayoutAsync(RepositoryOf(app), cancellationToken)) > 0)
            {
                counts.Add(SweepKind.Layouts);
            }
        }
    }

    // By rising keys, and of each manifest only as long as none was spared: see Garbage.NeedsAsync.
    private async Task SweepNeedsAsync(CancellationToken cancellationToken)
    {
        var batch = new List<(string Key, UInt128 By)>();
        await foreach (var row in StreamAsync('n', ["app", "needed", "by"]).WithCancellation(cancellationToken))
        {
            var need = NeedRow.From(row);
            var by = Print(need.App, need.By.Text);
            var isSuspect = need.By.Digest is null
                ? need.By.WaitingTag is { } tag && !_awaited.Contains(Print(need.App, $"{need.Needed}!{tag}"))
                : !IsLive(by) && !age.IsYoung(row.Timestamp, pushed: false) && !_needing.Contains(by);
            if (isSuspect)
            {
                batch.Add((row.Key, by));
            }
            else if (need.By.Digest is not null && !IsLive(by))
            {
                _needing.Add(by);
            }

            if (batch.Count == Garbage.Most)
            {
                await SweepAsync();
            }
        }

        await SweepAsync();

        async Task SweepAsync()
        {
            batch.RemoveAll(row => _needing.Contains(row.By));
            List<string> keys = [.. batch.Select(row => row.Key)];
            var removed =
                keys.Count == 0 ? 0 : await TryAsync(() => garbage.NeedsAsync(@namespace, keys, cancellationToken));
            counts.Add(SweepKind.Needs, Math.Max(removed, 0));
            if (removed < keys.Count)
            {
                _needing.UnionWith(batch.Select(row => row.By));
            }

            batch.Clear();
        }
    }

    private async Task SweepNamedNeedsAsync(CancellationToken cancellationToken)
    {
        var batch = new List<string>();
        string? app = null;
        await foreach (var row in StreamAsync('n', ["app", "needed", "by"]).WithCancellation(cancellationToken))
        {
            var need = NeedRow.From(row);
            var needed = Print(need.App, need.Needed);
            if (
                need.By != Needer.Layout
                || age.IsYoung(row.Timestamp, pushed: false)
                || (IsLive(needed) && _tagged.Contains(needed))
            )
            {
                continue;
            }

            if (need.App != app || batch.Count == Garbage.Most)
            {
                await SweepAsync();
                app = need.App;
            }

            batch.Add(row.Key);
        }

        await SweepAsync();

        async Task SweepAsync()
        {
            if (batch.Count > 0)
            {
                List<string> keys = [.. batch];
                var repository = RepositoryOf(app!);
                var removed = await TryAsync(() => garbage.NamedNeedsAsync(repository, keys, cancellationToken));
                counts.Add(SweepKind.Needs, Math.Max(removed, 0));
                batch.Clear();
            }
        }
    }

    // Behind the rows of what they need: as long as those are there, what they name may still come and be an image.
    private async Task SweepIndexesAsync(CancellationToken cancellationToken)
    {
        foreach (var (repository, digest) in _indexes)
        {
            if (
                !_needing.Contains(Print(repository.App, digest))
                && await ReadIndexAsync(repository, digest, cancellationToken) is { } index
                && await TryAsync(() => garbage.IndexAsync(repository, index, cancellationToken)) > 0
            )
            {
                counts.Add(SweepKind.Indexes);
            }
        }
    }

    private async Task TrimLogAsync(CancellationToken cancellationToken)
    {
        var batch = new List<Change>();
        // A snapshot of the list is of use as long as the log goes on from it.
        var kept = await new ListSnapshots(account).SeqAsync(@namespace, cancellationToken);
        var newest = (await account.ImageRows.VersionAsync(@namespace, cancellationToken)).Seq;
        var end = kept > 0 && newest - kept < PartitionJournal.MostReplayed ? JournalKeys.Entry(kept) : null;
        // In order: so there are no holes, and the first entry that stays is the last to look at.
        await foreach (var row in StreamAsync('c', ["op"]).WithCancellation(cancellationToken))
        {
            if (
                age.IsYoungerThan(row.Timestamp, age.Options.KeepLog)
                || (end is not null && string.CompareOrdinal(row.Key, end) >= 0)
            )
            {
                break;
            }

            batch.Add(new Change(row.Key, null));
            if (batch.Count == 100 && !await SendAsync())
            {
                return;
            }
        }

        await SendAsync();

        async Task<bool> SendAsync()
        {
            if (batch.Count == 0)
            {
                return true;
            }

            if (!dryRun)
            {
                var result = await account.ImageRows.WriteAgainAsync(@namespace, batch, cancellationToken);
                if (result.Outcome is WriteOutcome.Refused or WriteOutcome.Gone)
                {
                    // Another sweeper trims it.
                    return false;
                }

                result.ThrowIfNotDone();
            }

            counts.Add(SweepKind.LogEntries, batch.Count);
            batch.Clear();
            return true;
        }
    }

    private async Task<ImageRow?> ReadIndexAsync(
        Repository repository,
        Digest digest,
        CancellationToken cancellationToken
    ) =>
        await account.ImageRows.GetAsync(@namespace, Keys.Image(repository.App, digest), cancellationToken) is { } row
        && ImageRow.From(row) is { State: ImageState.Deleted or ImageState.Waiting } index
            ? await imageRows.WithFactsAsync(@namespace, index, cancellationToken)
            : null;

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
