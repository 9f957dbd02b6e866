using System.Net;
using System.Text.Json.Nodes;
using ImagesFunctions.Local;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>Pushes over <c>/v2</c> beside sweeps.</summary>
public sealed class PushesBesideSweeps : IAsyncLifetime
{
    private Node _node = null!;
    private WebApplication _app = null!;
    private RunningHost _host = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _node = new Node(await Storages.NewWithTablesAsync());
        // No grace: every promise renews, and every sweep spares nothing.
        var options = new SweepOptions
        {
            AfterPush = TimeSpan.Zero,
            AfterDrop = TimeSpan.Zero,
            EventTakes = TimeSpan.Zero,
        };
        _app = LocalHost.Build(_node.Connection, "http://127.0.0.1:0", services => services.AddSingleton(options));
        await _app.StartAsync(Stop);
        _host = new RunningHost(new HttpClient { BaseAddress = _app.Address() }, _app.Services);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(Stop);
        await _app.DisposeAsync();
        await _node.DisposeAsync();
    }

    [ScheduleFact]
    public async Task Who_may_push_and_asks_whether_a_blob_is_there_renews_it_and_nobody_else_does()
    {
        var client = await RegistryClient.ForAsync(_host, "alice");
        var (_, readOnly) = await _host.Tokens.CreateAsync("alice", null, Stop, readOnly: true);
        var reader = new RegistryClient(_host.Http, RegistryClient.Basic("alice", readOnly));
        var layout = Layout.Small("one", "v1");
        await client.PushAsync("alice/app", layout);
        var blob = Node.Digest(Layout.Digest(layout.Read(layout.Manifests[0])["config"]!.AsObject()));
        foreach (var (kind, digest) in new[] { ("blobs", blob), ("manifests", Node.Digest(layout.FirstImage)) })
        {
            // The event of the push may still write the row.
            await _node.LandAsync([$"alice/app/{Layout.PathOf(digest.ToString())}"]);
            var path = $"/v2/alice/app/{kind}/{digest}";
            var before = await RowAsync(digest);

            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(path)).Status);
            Assert.Equal(HttpStatusCode.OK, (await reader.SendAsync("HEAD", path)).Status);
            Assert.Equal(before.Version, (await RowAsync(digest)).Version);
            Assert.Equal(HttpStatusCode.OK, (await client.SendAsync("HEAD", path)).Status);
            Assert.NotEqual(before.Version, (await RowAsync(digest)).Version);
        }
    }

    /// <summary>Returns how many.</summary>
    private async Task<int> SweepUntilAsync(CancellationToken done)
    {
        var sweeps = 0;
        // So that now and then there is the time for a push between two of them.
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(400));
        while (!done.IsCancellationRequested && await pace.WaitForNextTickAsync(Stop))
        {
            await _node.SweepYoungAsync();
            sweeps++;
        }

        return sweeps;
    }

    /// <summary>Pushes an image until it is acknowledged, and returns how many times it began again.</summary>
    private static async Task<int> PushAsync(RegistryClient client, Layout layout, JsonObject image, string tag)
    {
        var manifest = Layout.PathOf(Layout.Digest(image));
        for (var again = 0; ; again++)
        {
            foreach (var (path, content) in layout.Files)
            {
                if (path.StartsWith("blobs/", StringComparison.Ordinal) && path != manifest)
                {
                    await client.PushBlobAsync("alice/app", content);
                }
            }

            var reply = await client.PutManifestAsync("alice/app", tag, layout.Files[manifest]);
            if (reply.Status == HttpStatusCode.Created)
            {
                return again;
            }

            Assert.True(reply.Code == "MANIFEST_BLOB_UNKNOWN", reply.Text);
            Assert.True(again < 500, "It is swept again and again.");
        }
    }

    [ScheduleFact]
    public async Task What_was_pushed_and_answered_is_whole_whatever_is_swept_meanwhile()
    {
        var client = await RegistryClient.ForAsync(_host, "alice");
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var sweeping = Task.Run(() => SweepUntilAsync(done.Token), Stop);
        var (pushed, again) = (new List<string>(), 0);
        // They share a layer; each third one is deleted again.
        for (var i = 0; i < 12; i++)
        {
            var layout = new Layout();
            var image = layout.AddManifest(
                layout.Add(Layout.OciConfig, System.Text.Encoding.UTF8.GetBytes($$"""{"author":"{{i}}"}""")),
                layout.Add(Layout.OciTar, "shared"u8.ToArray()),
                layout.Add(Layout.OciTar, BitConverter.GetBytes(i))
            );
            again += await PushAsync(client, layout, image, $"v{i}");
            if (i % 3 == 2)
            {
                Assert.Equal(
                    HttpStatusCode.Accepted,
                    (await client.SendAsync("DELETE", $"/v2/alice/app/manifests/{Layout.Digest(image)}")).Status
                );
            }
            else
            {
                pushed.Add($"app@{Layout.Digest(image)} v{i}");
            }
        }

        await done.CancelAsync();
        var sweeps = await sweeping;
        await _node.SweepAllAsync();

        TestContext.Current.TestOutputHelper?.WriteLine($"{again} pushes again, {sweeps} sweeps");
        Assert.Equal(pushed.Order(StringComparer.Ordinal), await _node.ListedAsync("alice"));
        await Invariants.CompleteAsync(_node, "alice");
        // Eight manifests, their configs and own layers, and the shared one.
        Assert.Equal(25, (await _node.PathsAsync()).Count);
    }

    private async Task<TableRow> RowAsync(Digest digest) =>
        (await _node.Storage.ImageRows.GetAsync("alice", Keys.Blob("app", digest), Stop))!;
}
