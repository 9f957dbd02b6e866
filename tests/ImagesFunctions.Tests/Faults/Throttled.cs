using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Azure;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// More is asked of the service than one storage account of Azure would serve: it becomes slow, says so in the API's own
/// words where it gives up, and loses nothing.
/// </summary>
[TakesLong(seconds: 90)]
public sealed class Throttled
{
    private const string Hot = "hot";

    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, bool>> _acknowledged = new();
    private readonly ConcurrentDictionary<string, bool> _dropped = new();
    private readonly ConcurrentDictionary<string, string> _tokens = new();
    private int _givenUp;
    private int _lists;
    private int _sweeps;
    private int _eventsGivenUp;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [ScheduleFact]
    public Task Storage_makes_the_service_slow_and_loses_nothing() =>
        RunAsync(namespaces: 2, imagesEach: 1, dividedBy: 40, sweepEverySeconds: 3);

    [LongFact]
    public Task Storage_makes_the_service_slow_and_loses_nothing_for_minutes() =>
        // A sweep reads each row: of these many, at a hundredth of the limits, one takes half a minute of what a partition serves.
        RunAsync(namespaces: 12, imagesEach: 12, dividedBy: 100, sweepEverySeconds: 60);

    private async Task RunAsync(int namespaces, int imagesEach, double dividedBy, double sweepEverySeconds)
    {
        var connection = await Storages.NewWithTablesAsync();
        using var limits = new AzureLimits(AzureLimits.TablePortOf(connection), dividedBy);
        await using var outside = new Node(connection);
        Node[] nodes = [.. Enumerable.Range(0, 3).Select(_ => new Node(AzureLimits.AccountOver(connection, limits)))];
        string[] names = [Hot, .. Enumerable.Range(0, namespaces).Select(i => $"cool{i}")];
        foreach (var name in names)
        {
            _acknowledged[name] = new();
            _tokens[name] = await NodeRegistry.TokenAsync(outside, name);
        }

        using var done = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var watch = Stopwatch.StartNew();
        Task[] others =
        [
            WhileAsync(() => ListAsync(nodes[0], Hot), 0.3, done.Token),
            WhileAsync(() => ListAsync(nodes[1], names[Random.Shared.Next(names.Length)]), 0.3, done.Token),
            WhileAsync(() => SweepAsync(nodes[2]), sweepEverySeconds, done.Token),
            OthersAsync(limits, done.Token),
        ];
        await Task.WhenAll([
            .. names.Skip(1).Select((name, i) => PushAsync(nodes[i % 3], name, $"p{i}", imagesEach)),
            .. Enumerable.Range(0, 2).Select(i => PushAsync(nodes[i], Hot, $"h{i}", imagesEach)),
            DropAsync(outside, nodes[1], "d", imagesEach),
        ]);
        await done.CancelAsync();
        await Task.WhenAll(others);
        var counts = limits.Counts;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{watch.Elapsed.TotalSeconds:0.0} s: {counts}, {_givenUp} requests given up, {_eventsGivenUp} events left to the sweeper, {_lists} lists, {_sweeps} sweeps"
        );
        limits.Lift();
        await CheckAsync(outside, nodes, names, counts);
        foreach (var node in nodes)
        {
            await node.DisposeAsync();
        }
    }

    private async Task CheckAsync(
        Node outside,
        Node[] nodes,
        string[] names,
        (int Served, int ByAccount, int ByPlace) counts
    )
    {
        Assert.True(counts.ByPlace > 5, $"no partition was at its limit: {counts}");
        Assert.True(counts.ByAccount > 5, $"the account was not at its limit: {counts}");
        // Who waits longer and longer asks little more than is served.
        Assert.True(counts.ByAccount + counts.ByPlace < 2 * counts.Served, $"a storm of retries: {counts}");
        Assert.NotEqual(0, _lists);

        // What the host has given up after five tries is taken in like a lost event.
        await outside.Sweeper.RunAsync(new SweepOptions { EventTakes = TimeSpan.Zero }, dryRun: false, Stop);
        foreach (var name in names)
        {
            await Invariants.HoldAsync(outside, name);
            foreach (var node in (Node[])[outside, .. nodes])
            {
                var listed = await node.ListedAsync(name);
                var tags = listed.SelectMany(line => line.Split(' ').Skip(1)).ToList();
                Assert.Empty(_acknowledged[name].Keys.Except(tags));
                Assert.Empty(_dropped.Keys.Where(_ => name == Hot).Except(tags));
            }
        }
    }

    // One image after the other, each request until it is answered with something else than "try again".
    private async Task PushAsync(Node node, string @namespace, string name, int images)
    {
        var registry = new NodeRegistry(node, @namespace, _tokens[@namespace]);
        for (var i = 0; i < images; i++)
        {
            var tag = $"{name}-{i}";
            // What is longer than a buffer goes on to storage as it comes, in one request that cannot be repeated.
            var image = Image(tag, @namespace == Hot ? 5_000_000 : 1_000);
            foreach (var digest in image.Files.Keys.Where(f => f.StartsWith("blobs/", StringComparison.Ordinal)))
            {
                if (digest != Layout.PathOf(image.FirstImage))
                {
                    await PushBlobAsync(registry, $"{@namespace}/web", digest, image.Files[digest]);
                }
            }

            var pushed = await SendAsync(() =>
                registry.SendAsync(
                    "PUT",
                    $"/v2/{@namespace}/web/manifests/{tag}",
                    image.Files[Layout.PathOf(image.FirstImage)],
                    Layout.OciManifest
                )
            );
            Assert.True(pushed.Status == HttpStatusCode.Created, $"{pushed.Status} {pushed.Text}");
            _acknowledged[@namespace][tag] = true;
        }
    }

    private async Task PushBlobAsync(NodeRegistry registry, string repository, string path, byte[] bytes)
    {
        var digest = path["blobs/".Length..].Replace('/', ':');
        for (var attempt = 1; attempt < 20; attempt++)
        {
            var head = await SendAsync(() => registry.SendAsync("HEAD", $"/v2/{repository}/blobs/{digest}"));
            if (head.Status == HttpStatusCode.OK)
            {
                return;
            }

            Assert.Equal(HttpStatusCode.NotFound, head.Status);
            var session = await SendAsync(() => registry.SendAsync("POST", $"/v2/{repository}/blobs/uploads/"));
            Assert.Equal(HttpStatusCode.Accepted, session.Status);
            var put = await SendAsync(() => registry.SendAsync("PUT", $"{session["Location"]}?digest={digest}", bytes));
            if (put.Status == HttpStatusCode.Created)
            {
                return;
            }

            // One that was given up may have ended the session all the same: the blob is there, or it begins anew.
            Assert.True(put.Status == HttpStatusCode.NotFound, $"{put.Status} {put.Text}");
        }

        Assert.Fail($"{path} could not be pushed.");
    }

    private async Task ListAsync(Node node, string @namespace)
    {
        // What was acknowledged before the request has to be in its answer.
        var acknowledged = _acknowledged[@namespace].Keys.ToList();
        var registry = new NodeRegistry(node, @namespace, _tokens[@namespace]);
        var list = await SendAsync(() =>
            registry.SendAsync(
                "GET",
                $"/v1/images/list?namespace={@namespace}",
                headers: ("Authorization", $"Bearer {_tokens[@namespace]}")
            )
        );
        Assert.True(list.Status == HttpStatusCode.OK, $"{list.Status} {list.Text}");
        Assert.All(acknowledged, tag => Assert.Contains($":{tag}\"", list.Text));
        Interlocked.Increment(ref _lists);
    }

    // Who drops has storage to himself; the events come as the host delivers them: five tries, then it is the sweeper's.
    private async Task DropAsync(Node outside, Node node, string name, int images)
    {
        for (var i = 0; i < images; i++)
        {
            var image = Image($"{name}-{i}");
            image.Index(Layout.Tagged(image.Manifests[0], $"{name}-{i}"));
            // Into a repository of its own: another index.json would take the tags of the one before.
            await outside.PutAsync($"{Hot}/{name}-{i}", image);
            foreach (var path in image.Files.Keys)
            {
                await LandAsync(node, $"{Hot}/{name}-{i}/{path}");
            }

            _dropped[$"{name}-{i}"] = true;
        }
    }

    private async Task LandAsync(Node node, string path)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await node.LandAsync([path]);
                return;
            }
            catch (Exception error) when (error is StorageUnavailableException or RequestFailedException)
            {
                if (attempt == 5)
                {
                    Interlocked.Increment(ref _eventsGivenUp);
                    return;
                }
            }
        }
    }

    private async Task SweepAsync(Node node)
    {
        try
        {
            await node.SweepAsync(TimeSpan.Zero);
        }
        catch (Exception error) when (error is StorageUnavailableException or RequestFailedException)
        {
            // The next one goes on.
        }

        Interlocked.Increment(ref _sweeps);
    }

    // A client: asks again after the time that it is told, for as long as it is told so in the right way.
    private async Task<Reply> SendAsync(Func<Task<Reply>> send)
    {
        for (var attempt = 1; ; attempt++)
        {
            var reply = await send();
            if (reply.Status != HttpStatusCode.ServiceUnavailable)
            {
                return reply;
            }

            Assert.True(attempt < 60, "never answered");
            Interlocked.Increment(ref _givenUp);
            var wait = reply["Retry-After"];
            Assert.NotNull(wait);
            Assert.InRange(int.Parse(wait), 1, 60);
            if (reply.Bytes.Length > 0)
            {
                Assert.NotEmpty(reply.Json["errors"]!.AsArray());
            }

            await Task.Delay(TimeSpan.FromSeconds(int.Parse(wait)), Stop);
        }
    }

    // Without a pace, lists or sweeps alone would take all that a partition serves.
    private static async Task WhileAsync(Func<Task> act, double everySeconds, CancellationToken done)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromSeconds(everySeconds));
        while (!done.IsCancellationRequested)
        {
            await act();
            await pace.WaitForNextTickAsync(Stop);
        }
    }

    // Whoever else uses the account: for one second of four nothing is left of it, and for another one of its partitions.
    private static async Task OthersAsync(AzureLimits limits, CancellationToken done)
    {
        using var second = new PeriodicTimer(TimeSpan.FromSeconds(1));
        for (var i = 1; !done.IsCancellationRequested; i++)
        {
            limits.OthersTakeAll(i % 4 == 0);
            limits.OthersTakePlaces(i % 4 == 2);
            await second.WaitForNextTickAsync(Stop);
        }

        limits.OthersTakeAll(false);
        limits.OthersTakePlaces(false);
    }

    private static Layout Image(string name, int layerLength = 1_000)
    {
        var layout = new Layout();
        return layout.Index(
            layout.AddManifest(
                layout.Add(Layout.OciConfig, new JsonObject { ["author"] = name }),
                layout.Add(Layout.OciTar, RandomNumberGenerator.GetBytes(layerLength))
            )
        );
    }
}
