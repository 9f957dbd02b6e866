using System.Net;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;
using static ImagesFunctions.Tests.Policy.Retained;
using static ImagesFunctions.Tests.Policy.Ruled;

namespace ImagesFunctions.Tests.Policy;

/// <summary>Rules that count pulls: who pulls keeps an image, and it costs nothing where there is no such rule.</summary>
[TakesLong(seconds: 30)]
public sealed class PulledContract
{
    private static readonly TimeSpan s_moment = TimeSpan.FromSeconds(5);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_pulled_stays_until_its_day_is_over_and_the_rest_goes()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        await SetAsync(node, token, Rules("**", null, Unpulled));
        await NotedSinceAsync(node, "alice", TimeSpan.FromDays(1));
        var images = await PushedAsync(registry, "tagged", "asked", "digested", "cached", "old");
        var untagged = Layout.Small("untagged");
        await CreatedAsync(registry.PushAsync("alice/web", untagged, untagged.FirstImage));

        await PullSomeAsync(node, registry, images);

        string[] pulled = [images[0].FirstImage, images[2].FirstImage, images[3].FirstImage];
        Assert.Equal(
            pulled.Order(StringComparer.Ordinal),
            (await PullsAsync(node, "alice")).Select(p => p.Image.ToString())
        );
        Assert.All(await PullsAsync(node, "alice"), p => Assert.Equal(PulledRow.DayOf(DateTimeOffset.UtcNow), p.Day));
        var (going, _) = await TryAsync(node, Rules("**", null, Unpulled), s_moment);
        Assert.Equal(3, (await node.SweepAsync(s_moment))[SweepKind.Images]);
        Assert.Equal(
            new[] { images[1], images[4], untagged }.Select(i => i.FirstImage).Order(StringComparer.Ordinal),
            going.Select(i => i.Digest.ToString()).Order(StringComparer.Ordinal)
        );
        Assert.Equal(3, (await node.ListedAsync("alice")).Length);
        // The next day, and then nothing says any more that they were pulled.
        Assert.Equal(3, (await PullsAsync(node, "alice")).Count);
        Assert.Equal(3, (await node.SweepAsync(TimeSpan.FromDays(2)))[SweepKind.Images]);
        Assert.Empty(await PullsAsync(node, "alice"));
    }

    /// <summary>The row of an image that goes on the day stays: processes know that they have written it.</summary>
    [Fact]
    public async Task The_row_of_an_image_that_is_gone_is_swept_when_its_day_is_over()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        await SetAsync(node, token, Rules("web", null, Unpulled));
        await PushedAsync(registry, "v1", "v2");
        await PulledAsync(registry, "GET", "v1");
        await PulledAsync(registry, "GET", "v2");
        var gone = (await PullsAsync(node, "alice"))[0];
        await AcceptedAsync(registry, $"/v2/alice/web/manifests/{gone.Image}");
        await SetAsync(node, token, "{}");

        await node.SweepAsync(s_moment);
        Assert.Equal(2, (await PullsAsync(node, "alice")).Count);
        Assert.NotEmpty(await node.NotesAsync());
        await node.PassAsync(TimeSpan.FromDays(2));

        Assert.NotEqual(gone.Image, Assert.Single(await PullsAsync(node, "alice")).Image);
    }

    [Fact]
    public async Task A_sweep_notes_when_the_next_image_was_not_pulled_for_long_enough()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        await SetAsync(node, token, Rules("web", null, """{"not_pulled_for":"90d"}"""));
        await PushedAsync(registry, "v1");
        await PulledAsync(registry, "GET", "v1");

        foreach (var days in (double[])[0.2, 30, 60, 89.9])
        {
            await node.PassAsync(TimeSpan.FromDays(days));
            Assert.NotEmpty(await node.ListedAsync("alice"));
        }

        // Three hours later nothing would be due if the note had been for the push.
        var tomorrow = PulledRow.EndOf(PulledRow.DayOf(DateTimeOffset.UtcNow)) - DateTimeOffset.UtcNow;
        await node.PassAsync(TimeSpan.FromDays(90) + tomorrow - s_moment);
        Assert.NotEmpty(await node.ListedAsync("alice"));
        Assert.Equal(1, (await node.PassAsync(TimeSpan.FromDays(91.1)))[SweepKind.Images]);
    }

    [Fact]
    public async Task The_second_pull_of_a_day_costs_what_one_costs_without_a_rule()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var node = new Node(connection);
        await using var other = new Node(connection);
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var (registry, second) = (new NodeRegistry(node, "alice", token), new NodeRegistry(other, "alice", token));
        await PushedAsync(registry, "v1", "v2");
        await CostAsync("v2");
        var without = await CostAsync("v1");
        await SetAsync(node, token, Rules("other", null, Unpulled));
        await CostAsync("v1");

        Assert.Equal(without, await CostAsync("v1"));
        Assert.Single(await PullsAsync(node, "alice"));
        // Another process finds it noted.
        var version = await node.RowStore.VersionAsync("alice", Stop);
        await PulledAsync(second, "GET", "v1");
        Assert.Equal(version, await node.RowStore.VersionAsync("alice", Stop));
        Assert.True(await CostAsync("v2") > without);
        Assert.Equal(2, (await PullsAsync(node, "alice")).Count);

        async Task<int> CostAsync(string tag)
        {
            var before = node.Calls.Count;
            await PulledAsync(registry, "GET", tag);
            return node.Calls.Count - before;
        }
    }

    [Fact]
    public async Task A_trial_of_such_a_rule_lets_nothing_go_where_none_was_set_before()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        await PushedAsync(new NodeRegistry(node, "alice", token), "v1");
        var rules = Rules("web", null, """{"not_pulled_for":"30d"}""");

        Assert.Empty((await TryAsync(node, rules, TimeSpan.FromDays(31))).Images);
        await SetAsync(node, token, rules);
        Assert.Empty((await TryAsync(node, rules, TimeSpan.FromDays(29))).Images);
        Assert.Equal(0, (await node.SweepAsync(TimeSpan.FromDays(30)))[SweepKind.Images]);
        Assert.Single((await TryAsync(node, rules, TimeSpan.FromDays(31))).Images);
        Assert.Equal(1, (await node.SweepAsync(TimeSpan.FromDays(31)))[SweepKind.Images]);
    }

    [Fact]
    public async Task Pulls_count_from_the_moment_when_the_first_such_rule_was_set()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        Assert.Null((await SetRowAsync(Rules("web", null, All))).PullsNotedSince);
        var first = await SetRowAsync(Rules("web", null, Unpulled));
        Assert.Equal(first.At, first.PullsNotedSince);
        Assert.True(first.PullsFrom >= first.At + RecentPolicies.MaxAge);
        await NotedSinceAsync(node, "alice", TimeSpan.FromDays(9));
        var before = (await RowAsync()).PullsNotedSince;
        Assert.True(before < first.At);

        // Other rules, which count pulls as well; none that does; and again one.
        Assert.Equal(before, (await SetRowAsync(Rules("web2", null, """{"not_pulled_for":"9d"}"""))).PullsNotedSince);
        Assert.Null((await SetRowAsync("{}")).PullsNotedSince);
        var again = await SetRowAsync(Rules("web", null, Unpulled));
        Assert.Equal(again.At, again.PullsNotedSince);

        async Task<RulesRow> SetRowAsync(string rules)
        {
            await SetAsync(node, token, rules);
            return await RowAsync();
        }

        async Task<RulesRow> RowAsync() =>
            RulesRow.FromOrNull(await node.RowStore.GetAsync("alice", Keys.Rules, Stop))!;
    }

    [Fact]
    public async Task Anothers_pull_of_an_official_image_counts_as_well()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var official = new NodeRegistry(node, "official", await NodeRegistry.TokenAsync(node, "official"));
        var image = Layout.Small("hello");
        await CreatedAsync(official.PushAsync("official/hello", image, "latest"));
        await node
            .Services.GetRequiredService<RulesStore>()
            .SetAsync("official", AccountRules.Parse(Rules("hello", null, Unpulled)), by: null, Stop);

        var alice = new NodeRegistry(node, "alice", await NodeRegistry.TokenAsync(node, "alice"));
        await OkAsync(alice.SendAsync("GET", "/v2/hello/manifests/latest"));

        Assert.Equal(image.FirstImage, Assert.Single(await PullsAsync(node, "official")).Image.ToString());
        Assert.Empty(await PullsAsync(node, "alice"));
    }

    [Fact]
    public async Task An_image_to_boot_is_pulled_with_its_tar_and_by_its_tag()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        var image = Layout.Small("boots");
        await CreatedAsync(registry.PushAsync("alice/web", image, "v1"));
        await SetAsync(node, token, Rules("web", null, Unpulled));

        var tar = (await registry.SendAsync("HEAD", "/boot/alice/web/v1"))["Location"]!;
        await OkAsync(registry.SendAsync("HEAD", tar));
        Assert.Empty(await PullsAsync(node, "alice"));
        await OkAsync(registry.SendAsync("GET", tar));

        Assert.Equal(image.FirstImage, Assert.Single(await PullsAsync(node, "alice")).Image.ToString());
        await RemovePullsAsync(node);
        // Another process: this one knows that it has noted it.
        await using var other = new Node(node.Connection);
        var reply = await new NodeRegistry(other, "alice", token).SendAsync("GET", "/boot/alice/web/v1");
        Assert.Equal(HttpStatusCode.Found, reply.Status);
        Assert.Single(await PullsAsync(node, "alice"));
    }

    /// <summary>A client may know only the image of its platform, which goes after its index.</summary>
    [Fact]
    public async Task Who_pulls_what_an_index_names_keeps_the_index()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        await SetAsync(node, token, Rules("web", null, Unpulled));
        await NotedSinceAsync(node, "alice", TimeSpan.FromDays(1));
        var layout = new Layout();
        var image = layout.AddImage("linux");
        await CreatedAsync(registry.PushAsync("alice/web", layout.Index(image), layout.FirstImage));
        await CreatedAsync(PutAsync(registry, layout, layout.AddIndex(Layout.OciIndex, image), "latest"));

        await PulledAsync(registry, "GET", Layout.Digest(image));

        Assert.Equal(0, (await node.SweepAsync(s_moment))[SweepKind.Images]);
        Assert.Equal(2, (await node.SweepAsync(TimeSpan.FromDays(2)))[SweepKind.Images]);
    }

    // The first, the third and the fourth.
    private static async Task PullSomeAsync(Node node, NodeRegistry registry, IReadOnlyList<Layout> images)
    {
        await PulledAsync(registry, "GET", "tagged");
        await PulledAsync(registry, "GET", images[2].FirstImage);
        await PulledAsync(
            registry,
            "GET",
            "cached",
            HttpStatusCode.NotModified,
            ("If-None-Match", $"\"{images[3].FirstImage}\"")
        );
        // What is asked before a push, and what is no image.
        await PulledAsync(registry, "HEAD", "asked");
        await PulledAsync(
            registry,
            "HEAD",
            "asked",
            HttpStatusCode.NotModified,
            ("If-None-Match", $"\"{images[1].FirstImage}\"")
        );
        var layer = images[1].FirstLayer["blobs/".Length..].Replace('/', ':');
        await OkAsync(registry.SendAsync("GET", $"/v2/alice/web/blobs/{layer}"));
        await OkAsync(registry.SendAsync("GET", "/v2/alice/web/tags/list"));
        await node.ListedAsync("alice");
    }

    private static async Task<IReadOnlyList<Layout>> PushedAsync(NodeRegistry registry, params string[] tags)
    {
        var images = new List<Layout>();
        foreach (var tag in tags)
        {
            images.Add(Layout.Small(tag));
            await CreatedAsync(registry.PushAsync("alice/web", images[^1], tag));
        }

        return images;
    }

    private static Task<(IReadOnlyList<RetiredImage> Images, long Bytes)> TryAsync(
        Node node,
        string rules,
        TimeSpan later
    ) => node.Sweeper.TryAsync("alice", AccountRules.Parse(rules), new SweepOptions { Later = later }, Stop);

    private static async Task OkAsync(Task<Reply> request)
    {
        var reply = await request;
        Assert.True(reply.Status == HttpStatusCode.OK, $"{reply.Status} {reply.Text}");
    }
}
