using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ImagesFunctions.Accounts;
using ImagesFunctions.Catalog;
using ImagesFunctions.Rebuild;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Rebuild;

/// <summary>A store with all kinds of content, whose tables get lost and are made anew.</summary>
internal sealed class LostTables(string connection)
{
    public const string Account = "alice";

    /// <summary>How long answers vouch for tables here: tests cannot wait for a minute.</summary>
    public static readonly TimeSpan Vouches = TimeSpan.FromSeconds(5);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public string Connection => connection;

    /// <summary>The token of the account.</summary>
    public string Token { get; private set; } = "";

    /// <summary>A token of it that is revoked.</summary>
    public string Revoked { get; private set; } = "";

    /// <summary>A process of the store.</summary>
    /// <param name="calls">Sees its calls to storage.</param>
    /// <param name="isGuarded">Whether it never answers from a table that is half made.</param>
    public Node Node(StorageCalls? calls = null, bool isGuarded = true)
    {
        var storage = StorageAccount.From(
            new ConfigurationBuilder().AddInMemoryCollection([new(StorageAccount.Section, connection)]).Build(),
            calls is null ? [] : [calls],
            credential: null,
            network: null,
            new StorageTimes { Vouches = Vouches }
        );
        if (isGuarded)
        {
            storage.Guard();
        }

        return new Node(storage);
    }

    /// <summary>A store that was filled by pushes, drops, moves, pins and deletes, and whose catalog is up to date.</summary>
    public static async Task<LostTables> FilledAsync()
    {
        var store = new LostTables(await Storages.NewWithTablesAsync());
        await using var node = store.Node();
        var writer = node.Services.GetRequiredService<CatalogWriter>();
        store.Token = await NodeRegistry.TokenAsync(node, Account);
        var tokens = node.Services.GetRequiredService<Tokens>();
        var (revoked, text) = await tokens.CreateAsync(Account, null, Stop);
        store.Revoked = text;
        Assert.True(await tokens.RevokeAsync(Account, revoked.Id, Stop));
        await store.PushAsync(node);
        await DropAsync(node);
        await store.DeleteAsync(node);
        Assert.True(await writer.FlushAsync(Stop));
        return store;
    }

    /// <summary>Both tables are gone.</summary>
    public async Task LoseAsync()
    {
        await using var node = Node();
        await node.Storage.ImageTable.DeleteAsync(Stop);
        await node.Storage.Accounts.DeleteAsync(Stop);
    }

    /// <summary>Makes them anew, in a process of its own.</summary>
    public async Task<RebuildResult> RebuildAsync(StorageCalls? calls = null)
    {
        await using var node = Node(calls);
        return await node.Services.GetRequiredService<ImagesApp>().RebuildAsync(Stop);
    }

    /// <summary>Everything that a client is told, by what it asks.</summary>
    public async Task<SortedDictionary<string, string>> AnswersAsync(Node node)
    {
        var registry = new NodeRegistry(node, Account, Token);
        var answers = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await AskAsync("/v1/images/list?namespace=alice");
        await AskAsync("/v1/images/list?namespace=alice&tagged=true");
        // Who pushed what, and when.
        await AskAsync("/controlplane/v1/images?details=true&namespace=alice");
        await AskAsync("/v2/_catalog");
        foreach (var path in await node.PathsAsync())
        {
            if (path.Split("/blobs/sha256/") is [var repository, var encoded])
            {
                await AskAsync($"/v2/{repository}/tags/list");
                await AskAsync($"/v2/{repository}/manifests/sha256:{encoded}");
                await AskAsync($"/v2/{repository}/referrers/sha256:{encoded}");
                await AskAsync($"/v2/{repository}/blobs/sha256:{encoded}");
                foreach (var tag in (string[])["latest", "v1", "v2", "both", "dropped", "kept", "gone", "docker"])
                {
                    await AskAsync($"/v2/{repository}/manifests/{tag}");
                }
            }
        }

        return answers;

        async Task AskAsync(string target)
        {
            if (!answers.ContainsKey(target))
            {
                var reply = await registry.SendAsync(
                    "GET",
                    target,
                    headers: target.Contains("/v1/", StringComparison.Ordinal)
                        ? [("Authorization", $"Bearer {Token}")]
                        : []
                );
                Assert.True(reply.Status is HttpStatusCode.OK or HttpStatusCode.NotFound, $"{target}: {reply.Text}");
                // How long it took is all that may differ.
                var said = target.Contains("/v1/", StringComparison.Ordinal)
                    ? Regex.Replace(reply.Text, "\"op_time_us\":[0-9]+", "")
                    : Layout.DigestOf(reply.Bytes);
                answers[target] = $"{reply.Status} {reply["Content-Type"]} {reply["Docker-Content-Digest"]} {said}";
            }
        }
    }

    private async Task PushAsync(Node node)
    {
        var registry = new NodeRegistry(node, Account, Token);
        var (first, second) = (Layout.Small("first"), Layout.Small("second"));
        await CreatedAsync(registry.PushAsync("alice/web", first, "v1"));
        await CreatedAsync(registry.PushAsync("alice/web", first, "latest"));
        await CreatedAsync(registry.PushAsync("alice/web", second, "v2"));
        // A tag that moves, and one that goes.
        await CreatedAsync(registry.PushAsync("alice/web", second, "latest"));
        await CreatedAsync(registry.PushAsync("alice/web", second, "gone"));
        await CreatedAsync(
            registry.PushAsync("alice/tools/cli", Layout.Small("untagged"), Layout.Small("untagged").FirstImage)
        );
        var image = await node
            .Services.GetRequiredService<Pins>()
            .PinAsync(
                ImagesFunctions.Oci.Reference.TryParse($"alice/web@{first.FirstImage}", out var reference)
                    ? reference
                    : throw new FormatException(),
                new ImagePin(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000), TimeSpan.FromDays(9_000)),
                Stop
            );
        Assert.NotNull(image?.Pin);

        // An index, a manifest whose bytes do not say their type, and what refers to another one.
        var several = new Layout();
        JsonObject[] children =
        [
            Layout.For(several.AddImage("amd64"), "linux", "amd64"),
            Layout.For(several.AddImage("arm64"), "linux", "arm64"),
        ];
        var index = several.AddIndex(Layout.OciIndex, children);
        foreach (var child in children)
        {
            await CreatedAsync(registry.PushAsync("alice/web", several.Pruned(child), Layout.Digest(child)));
        }

        await PutAsync(registry, "both", several.Files[Layout.PathOf(Layout.Digest(index))], Layout.OciIndex);
        var docker = second.Read(second.Manifests[0]);
        docker.Remove("mediaType");
        docker["annotations"] = new JsonObject { ["says"] = "no type" };
        await PutAsync(registry, "docker", Bytes(docker), Layout.OciManifest);
        docker["subject"] = second.Manifests[0].DeepClone();
        docker["artifactType"] = "text/plain";
        await PutAsync(registry, Layout.DigestOf(Bytes(docker)), Bytes(docker), Layout.OciManifest);
    }

    private static async Task DropAsync(Node node)
    {
        var layout = new Layout();
        var (one, two, three) = (layout.AddImage("drop 1"), layout.AddImage("drop 2"), layout.AddImage("drop 3"));
        await node.PutAsync(
            "alice/dropped",
            layout.Index(Layout.Tagged(one, "dropped"), Layout.Tagged(one, "gone"), Layout.Tagged(two, "kept"), three)
        );
        // One whose layer never comes, and its tag waits.
        var waiting = Layout.Small("waiting", "v1");
        await node.PutAsync("alice/waits", waiting, [.. waiting.Files.Keys.Where(f => f != waiting.FirstLayer)]);
        await node.StartAsync();
    }

    private async Task DeleteAsync(Node node)
    {
        var registry = new NodeRegistry(node, Account, Token);
        await AcceptedAsync("/v2/alice/web/manifests/gone");
        // What an index.json names stays deleted.
        await AcceptedAsync("/v2/alice/dropped/manifests/gone");
        await AcceptedAsync($"/v2/alice/dropped/manifests/{Layout.Digest(new Layout().AddImage("drop 3"))}");
        // An index that keeps what it named out of lists.
        var gone = new Layout();
        var child = gone.AddImage("child");
        await CreatedAsync(registry.PushAsync("alice/web", gone.Pruned(child), Layout.Digest(child)));
        var index = gone.Files[
            Layout.PathOf(Layout.Digest(gone.AddIndex(Layout.OciIndex, Layout.For(child, "linux", "amd64"))))
        ];
        await PutAsync(registry, Layout.DigestOf(index), index, Layout.OciIndex);
        await AcceptedAsync($"/v2/alice/web/manifests/{Layout.DigestOf(index)}");

        async Task AcceptedAsync(string path)
        {
            var reply = await registry.SendAsync("DELETE", path);
            Assert.True(reply.Status == HttpStatusCode.Accepted, reply.Text);
        }
    }

    private static Task PutAsync(NodeRegistry registry, string reference, byte[] bytes, string type) =>
        CreatedAsync(registry.SendAsync("PUT", $"/v2/alice/web/manifests/{reference}", bytes, type));

    private static async Task CreatedAsync(Task<Reply> push)
    {
        var reply = await push;
        Assert.True(reply.Status == HttpStatusCode.Created, reply.Text);
    }

    private static byte[] Bytes(JsonObject json) => System.Text.Encoding.UTF8.GetBytes(json.ToJsonString());
}

/// <summary>Layouts to push.</summary>
internal static class Pushed
{
    /// <summary>A layout of one manifest of another one, and of what it needs.</summary>
    public static Layout Pruned(this Layout layout, JsonObject manifest) =>
        new Layout().With(layout).Index(manifest).Pruned();
}
