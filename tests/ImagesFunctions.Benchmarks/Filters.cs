using System.Diagnostics;
using System.Globalization;
using System.Net;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Support;

namespace ImagesFunctions.Benchmarks;

/// <summary>
/// Lists of one app, cold, in a namespace of 100,000 images and in one of 100. Each request asks for an app that nobody has
/// asked that process for; five accounts of 100 images have enough of them.
/// </summary>
internal sealed class Filters : IAsyncDisposable
{
    private const int Small = 100;
    private static readonly string[] s_accounts = ["alice", "bob", "carol", "dave", "erin"];
    private static readonly string[] s_kinds = ["app", "digest", "tag"];

    private readonly Bench _bench;
    private readonly Store _many;
    private readonly Store _few;
    private readonly Server _manyServer;
    private readonly Server _fewServer;
    private readonly Client _manyClient;
    private readonly List<Client> _fewClients;
    private readonly List<ImageRow> _images;

    private Filters(Bench bench, (Store Store, Server Server) many, (Store Store, Server Server) few, string[] tokens)
    {
        _bench = bench;
        (_many, _manyServer) = many;
        (_few, _fewServer) = few;
        _manyClient = new Client(_manyServer.Address, tokens[0]);
        _fewClients = [.. tokens.Skip(1).Select(token => new Client(_fewServer.Address, token))];
        _images = [.. Seeds.Images(bench.Many, Bench.PerApp)];
    }

    // Of each kind; one more is for warming up.
    private int Requests => _bench.Smoke ? 2 : 15;

    public static async Task RunAsync(Bench bench)
    {
        var many = await bench.ManyAsync();
        await using var few = await Store.StartAsync(bench);
        List<string> tokens = [await many.TokenAsync(s_accounts[0])];
        foreach (var account in s_accounts)
        {
            await few.SeedAsync(account, Small);
            tokens.Add(await few.TokenAsync(account));
        }

        await using var filters = new Filters(
            bench,
            (many, await Server.OursAsync(bench, many)),
            (few, await Server.OursAsync(bench, few)),
            [.. tokens]
        );
        foreach (var kind in s_kinds)
        {
            await filters.RunAsync(kind);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _manyClient.Dispose();
        _fewClients.ForEach(client => client.Dispose());
        await _manyServer.DisposeAsync();
        await _fewServer.DisposeAsync();
    }

    private async Task RunAsync(string kind)
    {
        var times = new List<double[]>();
        for (var i = 0; i <= Requests; i++)
        {
            var number = (Array.IndexOf(s_kinds, kind) * (Requests + 1)) + i;
            // All over the large namespace.
            var app = 10 + (number * Math.Max(1, _bench.Many / Bench.PerApp / 64));
            var (account, fewApp) = (number % s_accounts.Length, number / s_accounts.Length);
            times.Add([
                await OursAsync(_manyClient, kind, s_accounts[0], app),
                await RawAsync(_many, s_accounts[0], app),
                await OursAsync(_fewClients[account], kind, s_accounts[account], fewApp),
                await RawAsync(_few, s_accounts[account], fewApp),
            ]);
        }

        double[] m = [.. Enumerable.Range(0, 4).Select(k => Samples.Median(times.Skip(1).Select(t => t[k])))];
        _bench.Report.Add(
            Row.Of(
                $"filter by {kind}, cold, in {_bench.Many:#,0} images",
                (m[0] / m[1], m[2] / m[3]),
                "× raw",
                $"in {Small}",
                Target.AtMost(1.2),
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The first request for an app of {Bench.PerApp} images ({m[0]:0.0} ms, and {m[2]:0.0} ms in a namespace of {Small}), by the reads that it takes, raw: the version twice, then the app's images and its tag ({m[1]:0.0} ms and {m[3]:0.0} ms). The time that Azurite takes for a row grows with the table, Azure's does not."
                )
            )
        );
    }

    private async Task<double> OursAsync(Client client, string kind, string account, int app)
    {
        var image = app * Bench.PerApp;
        var digest = _images[image].Digest;
        var query = kind switch
        {
            "app" => $"namespace={account}/{Seeds.App(app)}",
            "digest" => $"digest={account}/{Seeds.App(app)}@{digest}",
            _ => $"tag={account}/{Seeds.App(app)}:{Seeds.Tag(image)}",
        };
        var started = Stopwatch.GetTimestamp();
        using var answer = await client.SendAsync(
            HttpMethod.Get,
            $"{Lists.Path}?{query}",
            HttpStatusCode.OK,
            _bench.Stop
        );
        var body = await answer.Content.ReadAsStringAsync(_bench.Stop);
        var took = Client.Since(started);
        return body.Contains(digest.Encoded, StringComparison.Ordinal)
            ? took
            : throw new InvalidOperationException($"{query} does not show {digest}");
    }

    private async Task<double> RawAsync(Store store, string account, int app)
    {
        var rowStore = store.Get<RowStore>();
        var scope = RowScope.Of(Seeds.App(app));
        var started = Stopwatch.GetTimestamp();
        await rowStore.GetAsync(account, JournalKeys.Version, _bench.Stop);
        await rowStore.GetAsync(account, JournalKeys.Version, _bench.Stop);
        var rows = await Task.WhenAll(
            rowStore.RangeAsync(account, scope.Images, _bench.Stop),
            rowStore.RangeAsync(account, scope.Tags, _bench.Stop)
        );
        return rows.Sum(r => r.Count) == Bench.PerApp + 1
            ? Client.Since(started)
            : throw new InvalidOperationException($"{account}/{Seeds.App(app)} was not seeded");
    }
}
