using System.Net;
using System.Text.Json.Nodes;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using static ImagesFunctions.Tests.Policy.Limited;
using static ImagesFunctions.Tests.Policy.Ruled;

namespace ImagesFunctions.Tests.Policy;

/// <summary>What an account with a quota is told that pushes more than there is room for, and what is left of it.</summary>
[TakesLong(seconds: 15)]
public sealed class QuotaContract
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_blob_that_does_not_fit_is_denied_whichever_way_it_comes()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        await CreatedAsync(registry.PushAsync("alice/web", Layout.Small("first"), "v1"));
        var used = await LeaveAsync(node, 1_000);
        var large = Bytes(1_001);
        var digest = Layout.DigestOf(large);
        var paths = await node.PathsAsync();

        Denied(await PutBlobAsync(registry, large));
        Denied(await registry.SendAsync("POST", $"/v2/alice/web/blobs/uploads/?digest={digest}", large, chunked: true));
        var session = await BeginAsync(registry);
        Denied(await registry.SendAsync("PATCH", session, large));
        Denied(await registry.SendAsync("PUT", $"{session}?digest={digest}", large));
        Denied(await registry.SendAsync("PUT", $"{session}?digest={digest}", large, chunked: true));
        Assert.Equal(HttpStatusCode.Accepted, (await registry.SendAsync("PATCH", session, large[..600])).Status);
        Denied(await registry.SendAsync("PATCH", session, large[600..]));
        Assert.Equal(
            HttpStatusCode.Accepted,
            (await registry.SendAsync("PATCH", session, large[600..], chunked: true)).Status
        );
        Denied(await registry.SendAsync("PUT", $"{session}?digest={digest}"));

        Assert.Equal(paths, await node.PathsAsync());
        await IsCountedAsync(node);
        Assert.Equal(used, await InRowsAsync(node));
        // The session is open still: with more room it ends.
        await SetAsync(node, used.Bytes + 1_001);
        await CreatedAsync(registry.SendAsync("PUT", $"{session}?digest={digest}"));
        await IsCountedAsync(node);

        void Denied(Reply reply) => IsFull(reply, used.Bytes + 1_000, used.Bytes, 1_001);
    }

    [Fact]
    public async Task What_fits_and_what_is_there_is_created_and_a_copy_of_it_elsewhere_counts_again()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        var first = Layout.Small("first");
        await CreatedAsync(registry.PushAsync("alice/web", first, "v1"));
        var used = await LeaveAsync(node, 1_000);
        var bytes = Bytes(1_000);

        await CreatedAsync(PutBlobAsync(registry, bytes));
        await CreatedAsync(PutBlobAsync(registry, bytes));
        await CreatedAsync(registry.PushAsync("alice/web", first, "v2"));
        var mount = $"/v2/alice/other/blobs/uploads/?mount={Layout.DigestOf(bytes)}&from=alice/web";
        IsFull(await registry.SendAsync("POST", mount), used.Bytes + 1_000, used.Bytes + 1_000, 1_000);
        await SetAsync(node, used.Bytes + 2_000);
        await CreatedAsync(registry.SendAsync("POST", mount));

        var usage = await UsageAsync(node, token);
        Assert.Equal(used.Bytes + 2_000, usage["quota"]!.GetValue<long>());
        Assert.Equal(used.Bytes + 2_000, usage["bytes"]!.GetValue<long>());
        Assert.Equal(used.Blobs + 2, usage["blobs"]!.GetValue<long>());
        await IsCountedAsync(node);
        await SetAsync(node, null);
        await SetAsync(node, null);
        await CreatedAsync(PutBlobAsync(registry, Bytes(100_000)));
        Assert.Null((await UsageAsync(node, token))["quota"]);
        Assert.Equal(["b", "i", "n", "t"], (await node.RowsAsync("alice")).Select(key => key[..1]).Distinct());
    }

    [Fact]
    public async Task A_manifest_that_does_not_fit_is_denied_and_not_stored_and_deletes_make_room()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        var (first, second) = (Layout.Small("first"), Layout.Small("second"));
        await CreatedAsync(registry.PushAsync("alice/web", first, "v1"));
        var manifest = second.Files[Layout.PathOf(second.FirstImage)];
        foreach (var (path, bytes) in second.Files.Where(f => f.Key.StartsWith("blobs/", StringComparison.Ordinal)))
        {
            if (path != Layout.PathOf(second.FirstImage))
            {
                await CreatedAsync(PutBlobAsync(registry, bytes));
            }
        }

        var used = await LeaveAsync(node, manifest.Length - 1);
        IsFull(await PutAsync(), used.Bytes + manifest.Length - 1, used.Bytes, manifest.Length);
        Assert.DoesNotContain($"alice/web/{Layout.PathOf(second.FirstImage)}", await node.PathsAsync());
        Assert.Equal($"web@{first.FirstImage} v1", Assert.Single(await node.ListedAsync("alice")));

        await AcceptedAsync(registry, $"/v2/alice/web/manifests/{first.FirstImage}");
        await IsCountedAsync(node);
        await CreatedAsync(PutAsync());
        await IsCountedAsync(node);
        // What nothing needs any more goes, and no collection counts otherwise.
        await node.SweepAsync(TimeSpan.FromDays(60));
        await IsCountedAsync(node);
        Assert.True((await InRowsAsync(node)).Bytes < used.Bytes);

        Task<Reply> PutAsync() => registry.SendAsync("PUT", "/v2/alice/web/manifests/v2", manifest, Layout.OciManifest);
    }

    [Fact]
    public async Task Of_racing_pushes_of_several_processes_as_many_win_as_there_is_room_for()
    {
        const int Pushes = 24;
        const int Room = 7;
        const int Size = 1_000;
        var connection = await Storages.NewWithTablesAsync();
        await using var first = new Node(connection);
        var token = await NodeRegistry.TokenAsync(first, "alice");
        await SetAsync(first, (Room * Size) + (Size / 2));
        await using var second = new Node(connection);
        await using var third = new Node(connection);
        Node[] nodes = [first, second, third];
        var registries = nodes.Select(node => new NodeRegistry(node, "alice", token)).ToList();

        var replies = await Task.WhenAll(
            Enumerable
                .Range(0, Pushes)
                // By chunked bodies, which are refused only when they are there.
                .Select(async i =>
                {
                    var bytes = Bytes(Size);
                    var target = $"/v2/alice/web/blobs/uploads/?digest={Layout.DigestOf(bytes)}";
                    return await registries[i % nodes.Length].SendAsync("POST", target, bytes, chunked: true);
                })
        );

        Assert.Equal(Room, replies.Count(reply => reply.Status == HttpStatusCode.Created));
        Assert.All(
            replies.Where(reply => reply.Status != HttpStatusCode.Created),
            reply => Assert.Equal(HttpStatusCode.Forbidden, reply.Status)
        );
        await IsCountedAsync(first);
        Assert.Equal(Room * Size, (await InRowsAsync(first)).Bytes);
        Assert.Equal(
            Room,
            (await first.PathsAsync()).Count(path => path.Contains("/blobs/", StringComparison.Ordinal))
        );
    }

    /// <summary>A commit has room for a hundred rows, and this one is of what the account takes.</summary>
    [Theory]
    [InlineData("v1")]
    [InlineData("v1?tag=v2")]
    public async Task A_manifest_for_which_very_many_tags_wait_is_created(string reference)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var registry = new NodeRegistry(node, "alice", await NodeRegistry.TokenAsync(node, "alice"));
        await SetAsync(node, 1_000_000);
        string[] tags = [.. Enumerable.Range(0, 60).Select(i => $"t{i}")];
        var layout = Layout.Small("first");
        var manifest = layout.Read(layout.Manifests[0]);
        // The row of a referrer is one more.
        manifest["subject"] = layout.Manifests[0].DeepClone();
        var image = layout.Add(Layout.OciManifest, manifest);
        layout = layout.Index([.. tags.Select(tag => Layout.Tagged(image, tag))]);
        await node.PutAsync("alice/web", layout, "index.json");
        await node.LandAsync(["alice/web/index.json"]);
        var path = Layout.PathOf(Layout.Digest(image));
        foreach (var (_, bytes) in layout.Files.Where(f => f.Key != path && f.Key != "index.json"))
        {
            await PutBlobAsync(registry, bytes);
        }

        await CreatedAsync(
            registry.SendAsync("PUT", $"/v2/alice/web/manifests/{reference}", layout.Files[path], Layout.OciManifest)
        );

        var listed = JsonNode.Parse((await registry.SendAsync("GET", "/v2/alice/web/tags/list")).Text)!;
        Assert.Equal(tags.Length + reference.Split('=').Length, listed["tags"]!.AsArray().Count);
        await IsCountedAsync(node);
    }

    [Fact]
    public async Task Another_account_has_room_of_its_own()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        await SetAsync(node, 0);
        var registry = new NodeRegistry(node, "bob", await NodeRegistry.TokenAsync(node, "bob"));
        await CreatedAsync(registry.PushAsync("bob/web", Layout.Small("first"), "v1"));
        var alice = new NodeRegistry(node, "alice", await NodeRegistry.TokenAsync(node, "alice"));
        IsFull(await PutBlobAsync(alice, Bytes(1)), 0, 0, 1);
    }

    private static async Task<string> BeginAsync(NodeRegistry registry)
    {
        var begun = await registry.SendAsync("POST", "/v2/alice/web/blobs/uploads/");
        Assert.Equal(HttpStatusCode.Accepted, begun.Status);
        return begun["Location"]!;
    }
}
