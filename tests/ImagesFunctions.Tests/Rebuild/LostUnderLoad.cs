using System.Diagnostics;
using System.Net;
using ImagesFunctions.Catalog;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Rebuild;

/// <summary>
/// Real processes on one store, killed while clients push, move and delete; then the tables are lost at once. What was answered longer
/// ago than the window is there after a rebuild; what came later may be as it was before.
/// </summary>
[TakesLong(seconds: 120)]
public sealed class LostUnderLoad
{
    private const string Account = "alice";

    // Documented: docs/operate.md.
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>How long it takes until a commit of a process that lives is in the catalog.</summary>
    [Fact]
    public async Task What_is_committed_is_in_the_catalog_within_the_window()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var node = new Node(connection);
        var token = await NodeRegistry.TokenAsync(node, Account);
        await using var server = await LocalProgram.ServeAsync(connection);
        using var http = new HttpClient { BaseAddress = server.Address };
        var client = new RegistryClient(http, RegistryClient.Basic(Account, token));
        var longest = TimeSpan.Zero;
        for (var i = 0; i < 3; i++)
        {
            await client.PushAsync($"{Account}/app", Layout.Small($"{i}", $"v{i}"));
            var clock = Stopwatch.StartNew();
            await Until.TrueAsync(
                () => HasTagAsync(node, $"v{i}"),
                () => Task.FromResult($"v{i} is not in the catalog"),
                s_window
            );
            longest = clock.Elapsed > longest ? clock.Elapsed : longest;
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"at most {longest.TotalSeconds:0.0} s");
        Assert.True(longest < s_window);
    }

    /// <summary>An orderly end writes what is left.</summary>
    [Fact]
    public async Task What_was_committed_before_an_orderly_end_is_in_the_catalog()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var node = new Node(connection);
        var token = await NodeRegistry.TokenAsync(node, Account);
        await using var app = ImagesFunctions.Local.LocalHost.Build(connection, "http://127.0.0.1:0");
        await app.StartAsync(Stop);
        using var http = new HttpClient { BaseAddress = ImagesFunctions.Local.LocalHost.Address(app) };
        await new RegistryClient(http, RegistryClient.Basic(Account, token)).PushAsync(
            $"{Account}/app",
            Layout.Small("last", "last")
        );

        await app.StopAsync(Stop);

        Assert.True(await HasTagAsync(node, "last"));
    }

    [LongFact]
    public async Task What_was_answered_longer_ago_than_the_window_comes_back()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var node = new Node(connection);
        var token = await NodeRegistry.TokenAsync(node, Account);
        var begun = Stopwatch.StartNew();
        var clients = Enumerable.Range(0, 8).Select(i => new Client($"{Account}/app{i}")).ToList();
        using var end = new CancellationTokenSource();
        await using (var fleet = new Stress.Fleet(connection, token, servers: 2, sweeps: false))
        {
            await fleet.StartAsync();
            var killing = fleet.KillAsync(() => Task.Delay(TimeSpan.FromSeconds(3), Stop), end.Token);
            // Each stops at another moment: so their last answers are of different ages in the end.
            await Task.WhenAll(clients.Select((c, i) => c.RunAsync(fleet, begun, TimeSpan.FromSeconds(60 + (10 * i)))));
            await end.CancelAsync();
            await killing;
            TestContext.Current.TestOutputHelper?.WriteLine($"{fleet.Kills} kills");
        }

        // Killed, all of them; and everything is lost at the same moment.
        var lost = begun.Elapsed;
        await node.Storage.ImageTable.DeleteAsync(Stop);
        await node.Storage.Accounts.DeleteAsync(Stop);
        await using (var rebuild = LocalProgram.Start(connection, ["rebuild"]))
        {
            Assert.Equal(0, await rebuild.EndsWithinAsync(TimeSpan.FromMinutes(10)));
        }

        await using var fresh = new Node(connection);
        var registry = new NodeRegistry(fresh, Account, token);
        foreach (var client in clients)
        {
            var differs = await client.DiffersAsync(registry);
            var age = lost - client.At;
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{client.Repository}: {client.Operations} operations, the last {age.TotalSeconds:0.0} s before: {differs ?? "all there"}"
            );
            Assert.True(differs is null || age < s_window, $"{client.Repository}: {differs}");
        }

        await Invariants.HoldSinceRebuildAsync(fresh, Account);
    }

    private static async Task<bool> HasTagAsync(Node node, string tag) =>
        await new CatalogFiles(node.Storage).ReadAsync(Account, Stop) is { } read
        && read.State.Rows.ContainsKey(Keys.Tag("app", tag));

    // The only one that changes its repository, so that it knows what is there.
    private sealed class Client(string repository)
    {
        private readonly Dictionary<string, string> _tags = new(StringComparer.Ordinal);

        public string Repository => repository;

        public int Operations { get; private set; }

        // When the last operation was answered.
        public TimeSpan At { get; private set; }

        public async Task RunAsync(Stress.Fleet fleet, Stopwatch clock, TimeSpan until)
        {
            for (var i = 0; clock.Elapsed < until; i++)
            {
                var tag = $"t{Random.Shared.Next(5)}";
                if (_tags.ContainsKey(tag) && Random.Shared.Next(3) == 0)
                {
                    await SureAsync(fleet, "DELETE", $"/v2/{repository}/manifests/{tag}");
                    _tags.Remove(tag);
                }
                else
                {
                    var image = Layout.Small($"{repository} {Random.Shared.Next(6)}");
                    foreach (
                        var (path, bytes) in image.Files.Where(f =>
                            f.Key.StartsWith("blobs/", StringComparison.Ordinal)
                        )
                    )
                    {
                        var digest = path["blobs/".Length..].Replace('/', ':');
                        if (digest != image.FirstImage)
                        {
                            await SureAsync(fleet, "POST", $"/v2/{repository}/blobs/uploads/?digest={digest}", bytes);
                        }
                    }

                    await SureAsync(
                        fleet,
                        "PUT",
                        $"/v2/{repository}/manifests/{tag}",
                        image.Files[Layout.PathOf(image.FirstImage)],
                        ("Content-Type", Layout.OciManifest)
                    );
                    _tags[tag] = image.FirstImage;
                }

                (Operations, At) = (Operations + 1, clock.Elapsed);
            }
        }

        // Until it is answered: the same again changes nothing more.
        private static async Task SureAsync(
            Stress.Fleet fleet,
            string method,
            string path,
            byte[]? body = null,
            params (string Name, string Value)[] headers
        )
        {
            while (true)
            {
                Stop.ThrowIfCancellationRequested();
                if (await fleet.TryAsync(method, path, body, chunked: false, headers) is { } reply)
                {
                    Assert.True(
                        reply.Status is HttpStatusCode.Created or HttpStatusCode.Accepted
                            || (method == "DELETE" && reply.Status == HttpStatusCode.NotFound),
                        reply.Text
                    );
                    return;
                }
            }
        }

        // Null where all is there.
        public async Task<string?> DiffersAsync(NodeRegistry registry)
        {
            for (var i = 0; i < 5; i++)
            {
                var reply = await registry.SendAsync("GET", $"/v2/{repository}/manifests/t{i}");
                var expected = _tags.GetValueOrDefault($"t{i}");
                var actual = reply.Status == HttpStatusCode.OK ? reply["Docker-Content-Digest"] : null;
                if (expected != actual)
                {
                    return $"t{i} is {actual ?? "not there"}, and was {expected ?? "not there"}";
                }
            }

            return null;
        }
    }
}
