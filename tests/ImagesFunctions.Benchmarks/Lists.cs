using System.Net;
using System.Text.Json;
using Azure.Data.Tables;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Benchmarks;

/// <summary>The list of a namespace of 1,000 images.</summary>
internal static class Lists
{
    public const string Path = "v1/images/list";
    private const int Busy = 64;
    private const int Saturated = 256;

    // A server under load, and what it has taken for it.
    private sealed class Loaded(Bench bench, Server server, Client client)
    {
        private double _cpu;
        private double _requests;

        public Client Client => client;

        public string CpuARequest => Row.Amount(1000 * _cpu / Math.Max(1, _requests), "µs");

        public async Task<Wrk> RunAsync(string path, int connections, string? etag = null)
        {
            var before = server.Cpu;
            var result = await Wrk.RunAsync(client, path, connections, bench.LoadSeconds, bench.Stop, etag);
            _cpu += server.Cpu - before;
            _requests += result.Requests * bench.LoadSeconds;
            return result;
        }
    }

    public static async Task RunAsync(Bench bench)
    {
        var images = bench.Smoke ? 20 : 1_000;
        await using var store = await Store.StartAsync(bench);
        await store.SeedAsync("alice", images, imagesPerTag: 1);
        await using var server = await Server.OursAsync(bench, store);
        using var ours = new Client(server.Address, await store.TokenAsync("alice"));
        var bytes = await ListAsync(ours, images, bench.Stop);
        await using var bare = await Server.KestrelAsync(bench, bytes);
        using var kestrel = new Client(bare.Address);

        await AgainstRegistryAsync(bench, new Loaded(bench, server, ours), images);
        await SaturatedAsync(bench, new Loaded(bench, server, ours), new Loaded(bench, bare, kestrel), images);
        await NotModifiedAsync(bench, new Loaded(bench, server, ours), new Loaded(bench, bare, kestrel), images);
        await OneConnectionAsync(bench, new Loaded(bench, server, ours), store, images);
    }

    /// <summary>Gets the list and looks whether it has so many images.</summary>
    public static async Task<byte[]> ListAsync(Client client, int images, CancellationToken stop)
    {
        var bytes = await client.GetAsync(Path, stop);
        using var json = JsonDocument.Parse(bytes);
        var listed = json.RootElement.GetProperty("data").GetProperty("images").GetArrayLength();
        return listed == images
            ? bytes
            : throw new InvalidOperationException($"{listed} images are listed and not {images}");
    }

    private static async Task AgainstRegistryAsync(Bench bench, Loaded ours, int images)
    {
        await using var server = await Server.RegistryAsync(bench);
        using var client = new Client(server.Address);
        await RegistryImages.PushAsync(client, images, bench.Stop);
        using var tags = JsonDocument.Parse(await client.GetAsync("v2/bench/tags/list", bench.Stop));
        if (tags.RootElement.GetProperty("tags").GetArrayLength() != images)
        {
            throw new InvalidOperationException("docker-registry does not list what was pushed");
        }

        var registry = new Loaded(bench, server, client);
        var medians = await bench.AlternateAsync(
            async () => (await ours.RunAsync(Path, Busy)).Requests,
            async () => (await registry.RunAsync("v2/bench/tags/list", Busy)).Requests
        );
        Add(
            bench,
            $"list of {images:#,0} images, {Busy} connections",
            medians,
            "docker-registry",
            Target.AtLeast(5),
            $"`wrk` on `/{Path}`, and on `tags/list` of a docker-registry on the file system that has as many tags, each pushed by its API. {Cpu(ours, registry)}"
        );
    }

    private static async Task SaturatedAsync(Bench bench, Loaded ours, Loaded kestrel, int images)
    {
        var medians = await bench.AlternateAsync(
            async () => (await ours.RunAsync(Path, Saturated)).Requests,
            async () => (await kestrel.RunAsync("", Saturated)).Requests
        );
        Add(
            bench,
            $"list of {images:#,0} images, {Saturated} connections",
            medians,
            "Kestrel",
            Target.AtLeast(0.6),
            $"`wrk` on the list, and on a bare Kestrel in a process of its own that sends the same bytes from memory. {Cpu(ours, kestrel)}"
        );
    }

    private static async Task NotModifiedAsync(Bench bench, Loaded ours, Loaded kestrel, int images)
    {
        using var answer = await ours.Client.SendAsync(HttpMethod.Get, Path, HttpStatusCode.OK, bench.Stop);
        var etag = $"{answer.Headers.ETag}";
        using var unchanged = await ours.Client.SendAsync(
            HttpMethod.Get,
            Path,
            HttpStatusCode.NotModified,
            bench.Stop,
            ifNoneMatch: etag
        );
        var medians = await bench.AlternateAsync(
            async () => (await ours.RunAsync(Path, Saturated, etag)).Requests,
            async () => (await kestrel.RunAsync("unchanged", Saturated, etag)).Requests
        );
        Add(
            bench,
            $"the same with `If-None-Match`, {Saturated} connections",
            medians,
            "Kestrel",
            Target.AtLeast(0.6),
            $"`wrk` on the list of {images:#,0} images with the ETag that it has, and on a bare Kestrel that answers 304. {Cpu(ours, kestrel)}"
        );
    }

    private static void Add(
        Bench bench,
        string work,
        (double Ours, double Peer) medians,
        string peer,
        Target target,
        string how
    ) => bench.Report.Add(Row.Of(work, medians, "req/s", peer, target, how));

    private static string Cpu(Loaded ours, Loaded peer) =>
        $"A request takes {ours.CpuARequest} of a processor in our process, and {peer.CpuARequest} in the peer's.";

    private static async Task OneConnectionAsync(Bench bench, Loaded ours, Store store, int images)
    {
        var (list, version) = await bench.AlternateAsync(
            async () => (await ours.RunAsync(Path, 1)).Median,
            () => VersionReadAsync(store, bench.Smoke ? 20 : 500, bench.Stop)
        );
        bench.Report.Add(
            Row.Of(
                $"list of {images:#,0} images, one connection",
                (list, version + 1),
                "ms",
                "one version read + 1 ms",
                Target.AtMost(1),
                $"The median time of a request of `wrk`, and the median time of a point read of the version's row through the SDK ({version:0.00} ms) plus 1 ms."
            )
        );
    }

    private static async Task<double> VersionReadAsync(Store store, int reads, CancellationToken stop)
    {
        var times = new List<double>();
        for (var i = 0; i < reads; i++)
        {
            var started = System.Diagnostics.Stopwatch.GetTimestamp();
            await store.Account.ImageTable.GetEntityAsync<TableEntity>(
                "alice",
                JournalKeys.Version,
                cancellationToken: stop
            );
            times.Add(Client.Since(started));
        }

        return Samples.Median(times);
    }
}
