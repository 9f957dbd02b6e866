using System.Net;
using System.Text.Json.Nodes;
using ImagesFunctions.Accounts;
using ImagesFunctions.Catalog;
using ImagesFunctions.Tests.Accounts;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Policy;

/// <summary>Rows, the log and the catalog say who did something and when; the account itself is told, and nobody else.</summary>
public sealed class WhoDidIt
{
    private const string Everything = "/controlplane/v1/images?details=true&namespace=";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tag_says_which_token_or_identity_has_pushed_it_last_and_when()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var (token, text) = await node.Services.GetRequiredService<Tokens>().CreateAsync("alice", null, Stop);
        await TrustAsync(node, issuer);
        var before = DateTimeOffset.UtcNow.AddSeconds(-2);
        var (first, second) = (Layout.Small("first"), Layout.Small("second"));
        await PushAsync(new NodeRegistry(node, "alice", text), first, "by-token");
        await PushAsync(new NodeRegistry(node, "alice", text), first, "moved");
        await PushAsync(new NodeRegistry(node, "alice", issuer.Token(issuer.Claims())), second, "moved");

        var tags = await TagsAsync(node, "alice", text, "alice");

        Assert.Equal(token.Id, tags["by-token"]["pushed_by"]!["token"]!.GetValue<string>());
        Assert.Equal("token", string.Join(' ', tags["by-token"]["pushed_by"]!.AsObject().Select(m => m.Key)));
        Assert.Equal(issuer.Issuer, tags["moved"]["pushed_by"]!["issuer"]!.GetValue<string>());
        Assert.Equal("repo:acme/web:ref:refs/heads/main", tags["moved"]["pushed_by"]!["subject"]!.GetValue<string>());
        Assert.All(
            tags.Values,
            tag =>
                Assert.InRange(
                    DateTimeOffset.Parse(tag["push_time"]!.GetValue<string>()),
                    before,
                    DateTimeOffset.UtcNow.AddSeconds(2)
                )
        );
        // The image's row says who brought it first, and stays.
        await PushAsync(new NodeRegistry(node, "alice", issuer.Token(issuer.Claims())), first, "again");
        var image = await node.RowStore.ImageAsync(Node.Repository("alice/web"), Node.Digest(first.FirstImage), Stop);
        Assert.Equal(token.Id, image!.PushedBy!.Token);
    }

    [Fact]
    public async Task Nobody_else_is_told_and_a_drop_is_of_nobody()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var (alice, official) = (
            await NodeRegistry.TokenAsync(node, "alice"),
            await NodeRegistry.TokenAsync(node, "official")
        );
        await PushAsync(new NodeRegistry(node, "official", official), Layout.Small("hello"), "latest", "official/web");
        await node.PutAsync("alice/dropped", Layout.Small("dropped", "v1"));
        await node.StartAsync();

        var others = Assert.Single(await TagsAsync(node, "alice", alice, "official")).Value;
        Assert.Equal("digest name push_time size", MembersOf(others));
        var own = Assert.Single(await TagsAsync(node, "official", official, "official")).Value;
        Assert.Equal("digest name push_time pushed_by size", MembersOf(own));
        var dropped = (await TagsAsync(node, "alice", alice, "alice"))["v1"];
        Assert.Equal("digest name push_time size", MembersOf(dropped));

        // An index.json that lands again leaves the time as it is.
        await node.PutAsync("alice/dropped/index.json", [.. Layout.Small("dropped", "v1").Files["index.json"], 10]);
        await node.LandAsync(["alice/dropped/index.json"]);
        Assert.Equal(
            dropped["push_time"]!.GetValue<string>(),
            (await TagsAsync(node, "alice", alice, "alice"))["v1"]["push_time"]!.GetValue<string>()
        );
    }

    [Fact]
    public async Task An_answer_with_another_author_has_another_ETag()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var (one, two) = (await NodeRegistry.TokenAsync(node, "alice"), await NodeRegistry.TokenAsync(node, "alice"));
        await PushAsync(new NodeRegistry(node, "alice", one), Layout.Small("first"), "latest");
        var before = await AskAsync(node, "alice", one, "alice");
        await PushAsync(new NodeRegistry(node, "alice", two), Layout.Small("first"), "latest");
        var after = await AskAsync(node, "alice", one, "alice");

        Assert.NotEqual(before["ETag"], after["ETag"]);
        Assert.Equal(after["ETag"], (await AskAsync(node, "alice", two, "alice"))["ETag"]);
    }

    [Fact]
    public async Task The_log_and_the_catalog_say_who_removed_something()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var (token, text) = await node.Services.GetRequiredService<Tokens>().CreateAsync("alice", null, Stop);
        var registry = new NodeRegistry(node, "alice", text);
        var layout = Layout.Small("first");
        await PushAsync(registry, layout, "latest");
        var deleted = await registry.SendAsync("DELETE", $"/v2/alice/web/manifests/{layout.FirstImage}");
        Assert.Equal(HttpStatusCode.Accepted, deleted.Status);

        var seq = (await node.Storage.ImageRows.VersionAsync("alice", Stop)).Seq;
        var entry = Assert.Single(await node.Storage.ImageRows.EntriesAsync("alice", seq, seq, Stop));
        var key = Keys.Image("web", Node.Digest(layout.FirstImage));
        Assert.Null(entry.Rows![key]);
        Assert.Equal(token.Id, entry.AuthorOf(key));

        var kept = CatalogEntry.Of(entry, tag: null, DateTimeOffset.UnixEpoch);
        Assert.Equal(token.Id, kept.By[key]);
        using var line = new MemoryStream();
        kept.WriteTo(line);
        var read = CatalogEntry.Read(line.ToArray().AsSpan()[..^1])!;
        Assert.Equal(kept.By, read.By);
        // Nobody is known for what the service does itself.
        var none = CatalogEntry.Of(entry with { Authors = [new EntryAuthor(entry.Keys.Count, null)] }, null, default);
        Assert.Empty(none.By);
    }

    private static async Task PushAsync(NodeRegistry registry, Layout layout, string tag, string to = "alice/web")
    {
        var reply = await registry.PushAsync(to, layout, tag);
        Assert.True(reply.Status == HttpStatusCode.Created, reply.Text);
    }

    private static Task<TrustRule> TrustAsync(Node node, TestIssuer issuer) =>
        node
            .Services.GetRequiredService<TrustRules>()
            .AddAsync(
                "alice",
                new TrustCondition(
                    issuer.Issuer,
                    "images",
                    "repo:acme/*:ref:refs/heads/main",
                    new Dictionary<string, string>(StringComparer.Ordinal)
                ),
                Grant.Parse("push", []),
                Stop
            );

    private static Task<Reply> AskAsync(Node node, string account, string token, string @namespace) =>
        new NodeRegistry(node, account, token).SendAsync(
            "GET",
            Everything + @namespace,
            headers: ("Authorization", $"Bearer {token}")
        );

    private static async Task<Dictionary<string, JsonObject>> TagsAsync(
        Node node,
        string account,
        string token,
        string @namespace
    )
    {
        var reply = await AskAsync(node, account, token, @namespace);
        Assert.True(reply.Status == HttpStatusCode.OK, reply.Text);
        return JsonNode.Parse(reply.Text)!["data"]!["images"]!
            .AsArray()
            .SelectMany(image => image!["tags"]!.AsArray())
            .ToDictionary(tag => tag!["name"]!.GetValue<string>(), tag => tag!.AsObject());
    }

    private static string MembersOf(JsonObject json) =>
        string.Join(' ', json.Select(m => m.Key).Order(StringComparer.Ordinal));
}
