using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using ImagesFunctions.Ingest;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Benchmarks;

/// <summary>
/// Many small images that are dropped at once, each with a config, a layer and a manifest of its own, a hundred in a layout.
/// The events come in the container's order, eight at once, as the local watcher and one instance in the cloud deliver them.
/// </summary>
internal static class SmallImages
{
    private const int InALayout = 100;
    private const int AtOnce = 8;

    public static async Task RunAsync(Bench bench)
    {
        var (most, fewer) = bench.Smoke ? (6, 6) : (2_000, 200);
        var small = await MeasureAsync(bench, fewer);
        var large = most == fewer ? small : await MeasureAsync(bench, most);
        bench.Report.Add(
            Row.Of(
                $"{most:#,0} small images dropped at once",
                (most / large.Ours, most / large.Peer),
                "images/s",
                "raw replay",
                Target.AtLeast(0.7),
                $"The library's `LandedAsync` for each blob, {AtOnce} at once; and the {large.Calls:#,0} storage calls that this made, sent again without the library to a storage with the same blobs, each as soon as those are answered that had been answered before it was first sent (ETags as `*`)."
            )
        );
        bench.Report.Add(
            Row.Of(
                $"{most:#,0} small images beside {fewer:#,0}: storage calls an image",
                ((double)large.Calls / most, (double)small.Calls / fewer),
                "calls",
                $"{fewer:#,0} images",
                Target.AtMost(1.1),
                $"Calls counted in the lines above. In time an image takes {large.Ours * 1000 / most:0.0} ms of {most:#,0} and {small.Ours * 1000 / fewer:0.0} ms of {fewer:#,0}, the replay {large.Peer * 1000 / most:0.0} ms and {small.Peer * 1000 / fewer:0.0} ms: Azurite's time for a call grows with what it holds."
            )
        );
    }

    // Seconds, and how many storage calls there were.
    private static async Task<(double Ours, double Peer, int Calls)> MeasureAsync(Bench bench, int images)
    {
        var blobs = Blobs(images);
        var recording = new Recording();
        double took;
        string from;
        await using (var store = await Store.StartAsync(bench, recording))
        {
            await DropAsync(store, blobs, bench.Stop);
            from = store.ConnectionString;
            recording.Begin();
            var ingest = store.Get<BlobIngest>();
            var started = Stopwatch.GetTimestamp();
            await Parallel.ForEachAsync(
                blobs.Keys,
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = bench.Stop },
                async (path, stop) => await ingest.LandedAsync(path, stop)
            );
            took = Stopwatch.GetElapsedTime(started).TotalSeconds;
            recording.End();
            await CheckAsync(store, blobs, images, bench.Stop);
        }

        await using var other = await Store.StartAsync(bench);
        await DropAsync(other, blobs, bench.Stop);
        var replayed = await recording.ReplayAsync(from, other.ConnectionString, bench.Stop);
        await CheckAsync(other, blobs, images, bench.Stop);
        return (took, replayed, recording.Count);
    }

    private static async Task CheckAsync(
        Store store,
        SortedDictionary<string, byte[]> blobs,
        int images,
        CancellationToken stop
    )
    {
        var rowStore = store.Get<RowStore>();
        foreach (var ns in blobs.Keys.Select(p => p.Split('/')[0]).Distinct(StringComparer.Ordinal))
        {
            var rows = await rowStore.RangeAsync(ns, Keys.All('i'), stop);
            var tags = await rowStore.RangeAsync(ns, Keys.All('t'), stop);
            if (rows.Count != Math.Min(images, InALayout) || tags.Count != rows.Count)
            {
                throw new InvalidOperationException($"{ns} has {rows.Count} images and {tags.Count} tags");
            }
        }
    }

    private static async Task DropAsync(Store store, SortedDictionary<string, byte[]> blobs, CancellationToken stop) =>
        await Parallel.ForEachAsync(
            blobs,
            new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = stop },
            async (blob, ct) =>
                await store
                    .Account.Images.GetBlobClient(blob.Key)
                    .UploadAsync(BinaryData.FromBytes(blob.Value), overwrite: true, ct)
        );

    // In the order in which a container is listed.
    private static SortedDictionary<string, byte[]> Blobs(int images)
    {
        var blobs = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        for (var first = 0; first < images; first += InALayout)
        {
            AddLayout(blobs, $"team{first / InALayout}/app", first, Math.Min(InALayout, images - first));
        }

        return blobs;
    }

    private static void AddLayout(SortedDictionary<string, byte[]> blobs, string repository, int first, int count)
    {
        var manifests = new JsonArray();
        for (var i = first; i < first + count; i++)
        {
            var layer = new byte[1024];
            new Random(i).NextBytes(layer);
            var config = new JsonObject
            {
                ["architecture"] = "amd64",
                ["os"] = "linux",
                ["number"] = i,
            };
            var manifest = new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = MediaTypes.OciManifest,
                ["config"] = Put("application/vnd.oci.image.config.v1+json", Json(config)),
                ["layers"] = new JsonArray(Put("application/vnd.oci.image.layer.v1.tar+gzip", layer)),
            };
            var named = Put(MediaTypes.OciManifest, Json(manifest));
            named["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = $"v{i}" };
            manifests.Add(named);
        }

        blobs[$"{repository}/oci-layout"] = """{"imageLayoutVersion":"1.0.0"}"""u8.ToArray();
        blobs[$"{repository}/index.json"] = Json(new JsonObject { ["schemaVersion"] = 2, ["manifests"] = manifests });

        JsonObject Put(string mediaType, byte[] bytes)
        {
            var digest = Digest.Sha256(bytes);
            blobs[$"{repository}/blobs/sha256/{digest.Encoded}"] = bytes;
            return new JsonObject
            {
                ["mediaType"] = mediaType,
                ["digest"] = $"{digest}",
                ["size"] = bytes.Length,
            };
        }
    }

    private static byte[] Json(JsonObject json) => Encoding.UTF8.GetBytes(json.ToJsonString());
}
