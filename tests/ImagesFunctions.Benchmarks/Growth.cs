using System.Diagnostics;
using System.Globalization;
using System.Net;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Support;

namespace ImagesFunctions.Benchmarks;

/// <summary>The same work at 100, 10,000 and 100,000 images, and on 1, 16 and 256 connections.</summary>
internal sealed class Growth
{
    private readonly Dictionary<string, List<(double, double)>> _points = new(StringComparer.Ordinal);
    private readonly Bench _bench;

    private Growth(Bench bench) => _bench = bench;

    private int[] Connections => _bench.Smoke ? [1, 256] : [1, 16, 256];

    public static async Task RunAsync(Bench bench)
    {
        var growth = new Growth(bench);
        foreach (var images in bench.Smoke ? [20] : new[] { 100, 10_000 })
        {
            await using var store = await Store.StartAsync(bench);
            await store.SeedAsync("alice", images);
            await growth.MeasureAsync(store, images);
        }

        await growth.MeasureAsync(await bench.ManyAsync(), bench.Many);
        growth.Report();
    }

    private async Task MeasureAsync(Store store, int images)
    {
        var token = await store.TokenAsync("alice");
        await using (var filtering = await Server.OursAsync(_bench, store))
        {
            using var client = new Client(filtering.Address, token);
            await OneAppAsync(client, images);
        }

        await ManyImages.ForgetAsync(_bench, store);
        await using var server = await Server.OursAsync(_bench, store);
        using var ours = new Client(server.Address, token);
        Add("first ever", images, (await ours.TimeAsync(Lists.Path, _bench.Stop)).Whole);
        Add("all rows, raw", images, await ManyImages.ScanAsync(_bench, store, images));
        var bytes = await Lists.ListAsync(ours, images, _bench.Stop);
        await AfterTagMovesAsync(store, ours, images);
        using var whole = await ours.SendAsync(HttpMethod.Head, Lists.Path, HttpStatusCode.OK, _bench.Stop);
        foreach (var connections in Connections)
        {
            // By bytes, because a long list may not end within the time.
            var list = await WrkAsync(null);
            Add(Whole(connections), images, 1000.0 * bytes.Length / list.Bytes);
            Add(Unchanged(connections), images, 1000 / (await WrkAsync($"{whole.Headers.ETag}")).Requests);

            Task<Wrk> WrkAsync(string? etag) =>
                Wrk.RunAsync(ours, Lists.Path, connections, _bench.LoadSeconds, _bench.Stop, etag);
        }
    }

    // Apps that nobody has asked for, after one that warms the process up.
    private async Task OneAppAsync(Client client, int images)
    {
        var apps = images / Bench.PerApp;
        var times = new List<double>();
        for (var i = 0; i < Math.Min(8, apps); i++)
        {
            var app = Seeds.App(i * apps / Math.Min(8, apps));
            times.Add((await client.TimeAsync($"{Lists.Path}?namespace=alice/{app}", _bench.Stop)).Whole);
        }

        Add("one app, cold", images, Samples.Median(times.Skip(1)));
    }

    private async Task AfterTagMovesAsync(Store store, Client ours, int images)
    {
        var times = new List<double>();
        for (var i = 0; i < (_bench.Smoke ? 2 : 6); i++)
        {
            await ManyImages.MoveTagAsync(_bench, store, i);
            times.Add((await ours.TimeAsync($"{Lists.Path}?limit=10", _bench.Stop)).Whole);
        }

        Add("ten images right after a tag move", images, Samples.Median(times.Skip(1)));
    }

    private void Report()
    {
        Show(
            "The whole list, kept by the process",
            "benchmarks-list.svg",
            "milliseconds of the server a list",
            Connections.Select(Whole)
        );
        Show(
            "The same, with the ETag that the client has",
            "benchmarks-unchanged.svg",
            "milliseconds of the server a request",
            Connections.Select(Unchanged)
        );
        Show(
            "One at a time",
            "benchmarks-cold.svg",
            "milliseconds",
            ["first ever", "all rows, raw", "one app, cold", "ten images right after a tag move"]
        );
    }

    private void Show(string title, string file, string unit, IEnumerable<string> names)
    {
        var series = names.Select(name => new Series(name, _points[name])).ToList();
        var table = string.Join(
            '\n',
            series.Select(s =>
                $"| {s.Name} | {string.Join(" | ", s.Points.Select(p => p.Y.ToString("0.###", CultureInfo.InvariantCulture)))} | {s.Exponent.ToString("0.00", CultureInfo.InvariantCulture)} |"
            )
        );
        var sizes = series[0].Points.Select(p => p.X.ToString("#,0", CultureInfo.InvariantCulture)).ToList();
        _bench.Report.Add(
            title,
            file,
            Plot.Svg("images in the namespace", unit, series),
            $"| {unit} | {string.Join(" | ", sizes)} | exponent |\n|{string.Concat(sizes.Select(_ => " --- |"))} --- | --- |\n{table}"
        );
    }

    private void Add(string name, int images, double milliseconds)
    {
        if (!_points.TryGetValue(name, out var points))
        {
            _points[name] = points = [];
        }

        points.Add((images, milliseconds));
    }

    private static string Whole(int connections) => connections == 1 ? "1 connection" : $"{connections} connections";

    private static string Unchanged(int connections) => $"304, {Whole(connections)}";
}
