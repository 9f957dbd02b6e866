using System.Net;
using System.Text.Json.Nodes;
using Azure.Storage.Blobs.Models;
using ImagesFunctions.Accounts;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;
using static ImagesFunctions.Tests.Policy.Ruled;

namespace ImagesFunctions.Tests.Policy;

/// <summary>Usage: what rows and the container add up to, once garbage was collected.</summary>
[TakesLong(seconds: 20)]
public sealed class UsageContract
{
    private static readonly TimeSpan s_later = TimeSpan.FromDays(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_a_collection_it_is_the_sum_of_the_rows_and_of_the_container()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        Assert.Equal(
            """{"account":"alice","bytes":0,"blobs":0,"images":0,"tags":0,"repositories":[]}""",
            await AsTextAsync()
        );
        var registry = new NodeRegistry(node, "alice", token);
        var (first, second) = (Layout.Small("first"), Layout.Small("second"));
        await CreatedAsync(registry.PushAsync("alice/web", first, "v1"));
        await CreatedAsync(registry.PushAsync("alice/web", second, "v2"));
        await CreatedAsync(registry.PushAsync("alice/web", second, "latest"));
        await CreatedAsync(registry.PushAsync("alice/team/api", first, "v1"));
        await node.PutAsync("alice/dropped", Layout.Small("dropped", "v1"));
        // Bytes that are not what their name says are no verified blob.
        await node.PutAsync(
            $"alice/dropped/{Layout.PathOf(Layout.DigestOf("right"u8.ToArray()))}",
            "wrong"u8.ToArray()
        );
        await node.StartAsync();
        await new NodeRegistry(node, "bob", await NodeRegistry.TokenAsync(node, "bob")).PushAsync(
            "bob/web",
            first,
            "v1"
        );

        await node.SweepAsync(TimeSpan.Zero);

        await AddsUpAsync(("dropped", 1, 1), ("team/api", 1, 1), ("web", 2, 3));
        await AcceptedAsync(registry, $"/v2/alice/web/manifests/{second.FirstImage}");
        await AcceptedAsync(registry, "/v2/alice/team/api/manifests/v1");
        // Not before the collection.
        Assert.Equal(3, (await AskAsync(node, token))["repositories"]!.AsArray().Count);
        await node.SweepAsync(s_later);
        await AddsUpAsync(("dropped", 1, 1), ("team/api", 1, 0), ("web", 1, 1));
        await AcceptedAsync(registry, $"/v2/alice/team/api/manifests/{first.FirstImage}");
        await node.SweepAsync(s_later);
        await AddsUpAsync(("dropped", 1, 1), ("web", 1, 1));
        await using var other = new Node(node.Connection);
        Assert.Equal(await AsTextAsync(), await TextAsync(other, token));

        Task<string> AsTextAsync() => TextAsync(node, token);
        Task AddsUpAsync(params (string App, int Images, int Tags)[] apps) =>
            UsageContract.AddsUpAsync(node, token, apps);
    }

    [Theory]
    [InlineData("pull,push,delete", "", HttpStatusCode.Forbidden)]
    [InlineData("admin", "web", HttpStatusCode.Forbidden)]
    [InlineData("admin", "", HttpStatusCode.OK)]
    public async Task It_is_told_to_who_has_admin_on_all_repositories(
        string allow,
        string repository,
        HttpStatusCode status
    )
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var tokens = node.Services.GetRequiredService<Tokens>();
        var grant = Grant.Parse(allow, repository.Length == 0 ? [] : [repository]);
        var (_, text) = await tokens.CreateAsync("alice", null, grant, Stop);

        var reply = await V1Async(node, text, "GET", "/v1/images/usage");

        Assert.Equal(status, reply.Status);
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (
                await V1Async(node, await NodeRegistry.TokenAsync(node, "alice"), "GET", "/v1/images/usage?account=bob")
            ).Status
        );
    }

    [Fact]
    public async Task A_dry_run_writes_none_and_of_a_namespace_where_nothing_ever_was_none_is_left()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        await CreatedAsync(new NodeRegistry(node, "alice", token).PushAsync("alice/web", Layout.Small("first"), "v1"));
        await node.PutAsync("stray/file", "no file of a layout"u8.ToArray());

        await node.SweepAsync(TimeSpan.Zero, dryRun: true);
        Assert.Empty(await DerivedAsync(node));
        await node.SweepAsync(TimeSpan.Zero);
        Assert.Equal(["alice/usage/1"], await DerivedAsync(node));
        // No sweep takes it for something that nothing needs.
        await node.SweepAsync(s_later);
        Assert.Equal(["alice/usage/1"], await DerivedAsync(node));
    }

    [Fact]
    public async Task Damage_is_taken_for_nothing_and_is_gone_after_the_next_collection()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        await CreatedAsync(new NodeRegistry(node, "alice", token).PushAsync("alice/web", Layout.Small("first"), "v1"));
        var blob = node.Storage.Derived.GetBlobClient("alice/usage/1");
        foreach (var damage in (string[])["", "{", "null", "{}", """{"at":null,"repositories":[{"app":"web"}]}"""])
        {
            await blob.UploadAsync(BinaryData.FromString(damage), overwrite: true, Stop);
            Assert.Equal(0, Number(await AskAsync(node, token), "bytes"));
        }

        await node.SweepAsync(TimeSpan.Zero);

        Assert.NotEqual(0, Number(await AskAsync(node, token), "bytes"));
    }

    private static async Task AddsUpAsync(Node node, string token, (string App, int Images, int Tags)[] apps)
    {
        var usage = await AskAsync(node, token);
        var stored = await StoredAsync(node);
        Assert.Equal(stored, await InRowsAsync(node));
        var told = usage["repositories"]!.AsArray().Select(r => r!).ToList();
        Assert.Equal(
            stored.Select(s => $"{s.Key}: {s.Value}"),
            told.Select(r => $"{Text(r, "name")}: {(Number(r, "bytes"), Number(r, "blobs"))}")
        );
        Assert.Equal(
            apps.Select(a => ($"alice/{a.App}", (long)a.Images, (long)a.Tags)),
            told.Select(r => (Text(r, "name"), Number(r, "images"), Number(r, "tags")))
        );
        foreach (var name in (string[])["bytes", "blobs", "images", "tags"])
        {
            Assert.Equal(told.Sum(r => Number(r, name)), Number(usage, name));
        }

        var at = DateTimeOffset.Parse(Text(usage, "collected_at"));
        Assert.InRange(at, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1));
    }

    private static async Task<string> TextAsync(Node node, string token) =>
        (await AskAsync(node, token)).ToJsonString();

    private static string Text(JsonNode node, string name) => node[name]!.GetValue<string>();

    private static long Number(JsonNode node, string name) => node[name]!.GetValue<long>();

    private static async Task<JsonNode> AskAsync(Node node, string token)
    {
        var reply = await V1Async(node, token, "GET", "/v1/images/usage");
        Assert.True(reply.Status == HttpStatusCode.OK, reply.Text);
        return JsonNode.Parse(reply.Text)!["data"]!;
    }

    // The blobs of layouts that are what their names say, by repository.
    private static async Task<SortedDictionary<string, (long, long)>> StoredAsync(Node node)
    {
        var all = new SortedDictionary<string, (long Bytes, long Blobs)>(StringComparer.Ordinal);
        await foreach (
            var blob in node.Storage.Images.GetBlobsAsync(
                new GetBlobsOptions { Prefix = "alice/" },
                cancellationToken: Stop
            )
        )
        {
            if (LayoutPath.TryParse(blob.Name, out var path, out _) && path is BlobPath { Digest: var digest })
            {
                var content = await node.Storage.Images.GetBlobClient(blob.Name).DownloadContentAsync(Stop);
                var bytes = content.Value.Content.ToArray();
                if (Layout.DigestOf(bytes) == digest.ToString())
                {
                    var name = path.Repository.ToString();
                    var (sum, count) = all.GetValueOrDefault(name);
                    all[name] = (sum + bytes.Length, count + 1);
                }
            }
        }

        return all;
    }

    private static async Task<SortedDictionary<string, (long, long)>> InRowsAsync(Node node)
    {
        var all = new SortedDictionary<string, (long Bytes, long Blobs)>(StringComparer.Ordinal);
        foreach (var row in await node.Storage.ImageRows.RangeAsync("alice", Keys.All('b'), Stop))
        {
            var blob = BlobRow.From(row);
            if (blob.State == BlobState.Deleting)
            {
                continue;
            }

            Assert.Equal(BlobState.Good, blob.State);
            var (sum, count) = all.GetValueOrDefault($"alice/{blob.App}");
            all[$"alice/{blob.App}"] = (sum + blob.Size, count + 1);
        }

        return all;
    }

    private static async Task<List<string>> DerivedAsync(Node node)
    {
        var names = new List<string>();
        await foreach (var blob in node.Storage.Derived.GetBlobsAsync(cancellationToken: Stop))
        {
            names.Add(blob.Name);
        }

        return names;
    }
}
