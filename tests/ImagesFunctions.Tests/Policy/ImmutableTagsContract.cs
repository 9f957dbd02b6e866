using System.Net;
using System.Text.Json.Nodes;
using ImagesFunctions.Accounts;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;
using static ImagesFunctions.Tests.Policy.Ruled;

namespace ImagesFunctions.Tests.Policy;

/// <summary>Tags that a rule keeps as they are, decided in the commit: by pushes, deletes and drops, in every process.</summary>
[TakesLong(seconds: 20)]
public sealed class ImmutableTagsContract
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tag_is_neither_moved_nor_deleted_and_the_same_bytes_are_created_again()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        var (first, second) = (Layout.Small("first"), Layout.Small("second"));
        await SetAsync(node, token, Rules);
        await CreatedAsync(registry.PushAsync("alice/web", first, "v1"));
        await CreatedAsync(registry.PushAsync("alice/web", second, "latest"));

        await DeniedAsync(registry.PushAsync("alice/web", second, "v1"));
        await DeniedAsync(registry.SendAsync("DELETE", "/v2/alice/web/manifests/v1"));
        await DeniedAsync(registry.SendAsync("DELETE", $"/v2/alice/web/manifests/{first.FirstImage}"));
        foreach (var path in (string[])["tag/alice%2Fweb:v1", $"digest/alice%2Fweb@{first.FirstImage}"])
        {
            var reply = await V1Async(node, token, "DELETE", $"/v1/images/{path}");
            Assert.Equal(HttpStatusCode.Forbidden, reply.Status);
            var error = Assert.Single(JsonNode.Parse(reply.Text)!["errors"]!.AsArray())!;
            Assert.Equal(14, error["error"]!.GetValue<int>());
            Assert.Contains(Named, error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        }

        Assert.Equal($"web@{first.FirstImage} v1", Assert.Single(await node.ListedAsync("alice"), Is(first)));
        await CreatedAsync(registry.PushAsync("alice/web", first, "v1"));
        // What no rule is about goes on as ever.
        await CreatedAsync(registry.PushAsync("alice/web", first, "latest"));
        await CreatedAsync(registry.PushAsync("alice/other", first, "v1"));
        await CreatedAsync(registry.PushAsync("alice/other", second, "v1"));
        await AcceptedAsync(registry, $"/v2/alice/web/manifests/{second.FirstImage}");
        // And so does everything once the rule is gone.
        await SetAsync(node, token, "{}");
        await CreatedAsync(registry.PushAsync("alice/web", second, "v1"));
        await AcceptedAsync(registry, "/v2/alice/web/manifests/v1");
    }

    [Fact]
    public async Task A_rule_that_changes_governs_the_next_commit_in_every_process()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var one = new Node(connection);
        await using var two = new Node(connection);
        var token = await NodeRegistry.TokenAsync(one, "alice");
        var (first, second) = (Layout.Small("first"), Layout.Small("second"));
        NodeRegistry[] registries = [new(one, "alice", token), new(two, "alice", token)];
        foreach (var registry in registries)
        {
            // Each knows the account without rules.
            await CreatedAsync(registry.PushAsync("alice/web", first, "v1"));
            await CreatedAsync(registry.PushAsync("alice/web", second, "free"));
        }

        for (var round = 0; round < 4; round++)
        {
            await SetAsync(round % 2 == 0 ? one : two, token, Rules);
            foreach (var registry in registries)
            {
                await DeniedAsync(registry.PushAsync("alice/web", second, "v1"));
            }

            await SetAsync(round % 2 == 0 ? two : one, token, "{}");
            var moved = round % 2 == 0 ? second : first;
            foreach (var registry in registries)
            {
                await CreatedAsync(registry.PushAsync("alice/web", moved, "v1"));
            }

            await CreatedAsync(registries[0].PushAsync("alice/web", first, "v1"));
        }
    }

    [Fact]
    public async Task Of_many_racing_pushes_of_one_new_tag_from_several_processes_exactly_one_wins()
    {
        const int Processes = 3;
        const int PushesEach = 12;
        var connection = await Storages.NewWithTablesAsync();
        await using var first = new Node(connection);
        await using var second = new Node(connection);
        await using var third = new Node(connection);
        Node[] nodes = [first, second, third];
        var token = await NodeRegistry.TokenAsync(first, "alice");
        await SetAsync(first, token, Rules);
        var layouts = Enumerable.Range(0, Processes * PushesEach).Select(i => Layout.Small($"racer {i}")).ToList();
        foreach (var layout in layouts)
        {
            // All but the tag is there.
            await CreatedAsync(
                new NodeRegistry(first, "alice", token).PushAsync("alice/web", layout, layout.FirstImage)
            );
        }

        var replies = await Task.WhenAll(
            layouts.Select(
                (layout, i) =>
                    new NodeRegistry(nodes[i % Processes], "alice", token).SendAsync(
                        "PUT",
                        "/v2/alice/web/manifests/v1",
                        layout.Files[Layout.PathOf(layout.FirstImage)],
                        Layout.OciManifest
                    )
            )
        );

        var winner = Assert.Single(replies.Index(), r => r.Item.Status == HttpStatusCode.Created).Index;
        Assert.All(replies.Where((_, i) => i != winner), reply => IsDenied(reply));
        foreach (var node in nodes)
        {
            var pulled = await new NodeRegistry(node, "alice", token).SendAsync("GET", "/v2/alice/web/manifests/v1");
            Assert.Equal(layouts[winner].FirstImage, pulled["Docker-Content-Digest"]);
        }
    }

    [Fact]
    public async Task An_index_json_that_would_move_or_remove_one_leaves_it_and_problems_says_so()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        await SetAsync(node, token, Rules);
        var (one, two) = (Layout.Small("one"), Layout.Small("two"));
        await node.PutAsync("alice/dropped", one);
        await node.PutAsync("alice/dropped", two);
        await DropIndexAsync(node, new Layout().With(one).Index(Layout.Tagged(one.Manifests[0], "v1")));
        await node.StartAsync();
        Assert.Equal($"dropped@{one.FirstImage} v1", Assert.Single(await node.ListedAsync("alice"), Is(one)));

        foreach (
            var tags in (string[][])
                [
                    ["v1", "free"],
                    ["free"],
                ]
        )
        {
            var moved = new Layout().With(two).Index([.. tags.Select(tag => Layout.Tagged(two.Manifests[0], tag))]);
            await DropIndexAsync(node, moved);
            // Again, as events may come twice.
            await node.LandAsync(["alice/dropped/index.json"]);

            Assert.Equal($"dropped@{one.FirstImage} v1", Assert.Single(await node.ListedAsync("alice"), Is(one)));
            Assert.Equal($"dropped@{two.FirstImage} free", Assert.Single(await node.ListedAsync("alice"), Is(two)));
            var problem = Assert.Single(await ProblemsAsync(node, token))!;
            Assert.Equal("alice/dropped/index.json", problem["path"]!.GetValue<string>());
            Assert.Contains("tag v1 of dropped", problem["reason"]!.GetValue<string>(), StringComparison.Ordinal);
            Assert.Contains(Named, problem["reason"]!.GetValue<string>(), StringComparison.Ordinal);
        }

        // One that says the same as before is no problem.
        await DropIndexAsync(
            node,
            new Layout().With(two).Index(Layout.Tagged(two.Manifests[0], "free"), Layout.Tagged(one.Manifests[0], "v1"))
        );
        Assert.Empty(await ProblemsAsync(node, token));
    }

    [Theory]
    [InlineData("pull,push,delete", HttpStatusCode.Forbidden)]
    [InlineData("pull", HttpStatusCode.Forbidden)]
    [InlineData("admin", HttpStatusCode.OK)]
    public async Task Rules_are_seen_and_set_with_admin_alone(string allow, HttpStatusCode status)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var tokens = node.Services.GetRequiredService<Tokens>();
        var (token, text) = await tokens.CreateAsync("alice", null, Grant.Parse(allow, []), Stop);
        var (_, scoped) = await tokens.CreateAsync("alice", null, Grant.Parse("admin", ["web"]), Stop);

        Assert.Equal(status, (await V1Async(node, text, "PUT", "/v1/images/rules", Rules)).Status);
        Assert.Equal(status, (await V1Async(node, text, "GET", "/v1/images/rules")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await V1Async(node, scoped, "GET", "/v1/images/rules")).Status);
        var all = await NodeRegistry.TokenAsync(node, "alice");
        var data = JsonNode.Parse((await V1Async(node, all, "GET", "/v1/images/rules")).Text)!["data"]!;
        if (status == HttpStatusCode.OK)
        {
            Assert.Equal(Rules, data["rules"]!.ToJsonString());
            Assert.Equal(token.Id, data["set_by"]!["token"]!.GetValue<string>());
            var at = DateTimeOffset.Parse(data["set_at"]!.GetValue<string>());
            Assert.InRange(at, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1));
        }
        else
        {
            Assert.Equal("""{"rules":{}}""", data.ToJsonString());
        }
    }

    [Theory]
    [InlineData("", "The body has to be the rules")]
    [InlineData("""{"imutable":[]}""", "'imutable'")]
    [InlineData("""{"immutable":[{"repositories":["web"],"tags":["v*"],"since":1}]}""", "'since'")]
    [InlineData("[1]", "has to be an object")]
    public async Task What_are_no_rules_is_400_and_changes_nothing(string body, string said)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        await SetAsync(node, token, Rules);

        var reply = await V1Async(node, token, "PUT", "/v1/images/rules", body);

        Assert.Equal(HttpStatusCode.BadRequest, reply.Status);
        Assert.Contains(said, JsonNode.Parse(reply.Text)!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        var rules = JsonNode.Parse((await V1Async(node, token, "GET", "/v1/images/rules")).Text)!["data"]!["rules"]!;
        Assert.Equal(Rules, rules.ToJsonString());
    }

    private static Predicate<string> Is(Layout layout) =>
        listed => listed.Contains(layout.FirstImage, StringComparison.Ordinal);

    private static async Task DropIndexAsync(Node node, Layout layout)
    {
        await node.PutAsync("alice/dropped", layout, "index.json");
        await node.LandAsync(["alice/dropped/index.json"]);
    }

    private static async Task<JsonArray> ProblemsAsync(Node node, string token) =>
        JsonNode.Parse((await V1Async(node, token, "GET", "/v1/images/problems")).Text)!["data"]![
            "problems"
        ]!.AsArray();
}
