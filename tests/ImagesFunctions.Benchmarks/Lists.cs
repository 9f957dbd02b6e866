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

    public static async Task RunAsync(Bench bench)
    {
        var images = bench.Smoke ? 100 : 1_000;
        await using var store = await Store.StartAsync(bench);
        await store.SeedAsync("alice", images, imagesPerTag: 1);
        await using var server = await Server.OursAsync(bench, store);
        using var ours = new Client(server.Address, await store.TokenAsync("alice"));
        var bytes = await ListAsync(ours, images, bench.Stop);
        await using var bare = await Server.KestrelAsync(bench, bytes);
        using var kestrel = new Client(bare.Address);

        await AgainstRegistryAsync(bench, ours, images);
        await SaturatedAsync(bench, ours, kestrel, images);
        await NotModifiedAsync(bench, ours, kestrel, images);
        await OneConnectionAsync(bench, ours, store, images);
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

    private static async Task AgainstRegistryAsync(Bench bench, Client ours, int images)
    {
        await using var server = await Server.RegistryAsync(bench);
        using var registry = new Client(server.Address);
        await RegistryImages.PushAsync(registry, images, bench.Stop);
        using var tags = JsonDocument.Parse(await registry.GetAsync("v2/bench/tags/list", bench.Stop));
        if (tags.RootElement.GetProperty("tags").GetArrayLength() != images)
        {
            throw new InvalidOperationException("docker-registry does not list what was pushed");
        }

        bench.Report.Add(
            Row.Of(
                $"list of {images:#,0} images, {Busy} connections",
                await bench.AlternateAsync(
                    async () => (await WrkAsync(bench, ours, Path, Busy)).Requests,
                    async () => (await WrkAsync(bench, registry, "v2/bench/tags/list", Busy)).Requests
                ),
                "req/s",
                "docker-registry",
                Target.AtLeast(5),
                $"`wrk` on `/{Path}`, and on `tags/list` of a docker-registry on the file system that has as many tags, each pushed by its API."
            )
        );
    }

    private static async Task SaturatedAsync(Bench bench, Client ours, Client kestrel, int images) =>
        bench.Report.Add(
            Row.Of(
                $"list of {images:#,0} images, {Saturated} connections",
                await bench.AlternateAsync(
                    async () => (await WrkAsync(bench, ours, Path, Saturated)).Requests,
                    async () => (await WrkAsync(bench, kestrel, "", Saturated)).Requests
                ),
                "req/s",
                "Kestrel",
                Target.AtLeast(0.6),
                "`wrk` on the list, and on a bare Kestrel in a process of its own that sends the same bytes from memory."
            )
        );

    private static async Task NotModifiedAsync(Bench bench, Client ours, Client kestrel, int images)
    {
        using var answer = await ours.SendAsync(HttpMethod.Get, Path, HttpStatusCode.OK, bench.Stop);
        var etag = $"{answer.Headers.ETag}";
        using var unchanged = await ours.SendAsync(
            HttpMethod.Get,
            Path,
            HttpStatusCode.NotModified,
            bench.Stop,
            ifNoneMatch: etag
        );
        bench.Report.Add(
            Row.Of(
                $"the same with `If-None-Match`, {Saturated} connections",
                await bench.AlternateAsync(
                    async () => (await WrkAsync(bench, ours, Path, Saturated, etag)).Requests,
                    async () => (await WrkAsync(bench, kestrel, "unchanged", Saturated, etag)).Requests
                ),
                "req/s",
                "Kestrel",
                Target.AtLeast(0.6),
                $"`wrk` on the list of {images:#,0} images with the ETag that it has, and on a bare Kestrel that answers 304."
            )
        );
    }

    private static async Task OneConnectionAsync(Bench bench, Client ours, Store store, int images)
    {
        var (list, version) = await bench.AlternateAsync(
            async () => (await WrkAsync(bench, ours, Path, 1)).Median,
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
            await store.Account.Catalog.GetEntityAsync<TableEntity>("alice", Keys.Version, cancellationToken: stop);
            times.Add(Client.Since(started));
        }

        return Samples.Median(times);
    }

    private static Task<Wrk> WrkAsync(Bench bench, Client client, string path, int connections, string? etag = null) =>
        Wrk.RunAsync(client, path, connections, bench.LoadSeconds, bench.Stop, etag);
}
