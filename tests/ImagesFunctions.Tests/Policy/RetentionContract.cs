using System.Text.Json.Nodes;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using static ImagesFunctions.Tests.Policy.Retained;
using static ImagesFunctions.Tests.Policy.Ruled;

namespace ImagesFunctions.Tests.Policy;

/// <summary>Rules of retention as collections keep to them, and as a trial foretells.</summary>
[TakesLong(seconds: 40)]
public sealed class RetentionContract
{
    // When everything is old that is pushed now, and blobs that nothing needs may go.
    private static readonly TimeSpan s_later = TimeSpan.FromDays(31);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_trial_says_exactly_what_then_goes_and_how_many_bytes()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        var (images, untagged) = await PushSomeAsync(registry);
        var rules = Rules("web", """{"newest":2,"tags":["release-*"]}""", All);

        // Before anything is set, and while nothing is old.
        Assert.Empty((await TryAsync(node, rules, TimeSpan.FromDays(6))).Images);
        var (going, bytes) = await TryAsync(node, rules, s_later);
        await SetAsync(node, token, rules);
        await node.SweepAsync(TimeSpan.FromDays(6));
        Assert.Equal(7, (await node.ListedAsync("alice")).Length);
        var before = await StoredBytesAsync(node);
        var result = await node.SweepAsync(s_later);

        // Kept: release-1 by its tag; b, because it was tagged again, and d as the newest two.
        string[] gone = [images[0].FirstImage, images[3].FirstImage, untagged.FirstImage];
        Assert.Equal(
            gone.Order(StringComparer.Ordinal),
            going.Select(i => i.Digest.ToString()).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            [
                ["a"],
                ["c"],
                [],
            ],
            gone.Select(d => going.Single(i => i.Digest.ToString() == d).Tags)
        );
        Assert.All(going, i => Assert.Equal("alice/web", i.Repository.ToString()));
        Assert.Equal(3, result[SweepKind.Images]);
        Assert.Equal(bytes, result[SweepKind.Bytes]);
        Assert.Equal(bytes, before - await StoredBytesAsync(node));
        string[] left = [$"other@{images[0].FirstImage} a", .. Kept().Order(StringComparer.Ordinal)];
        Assert.Equal(left, await node.ListedAsync("alice"));
        await Invariants.CompleteAsync(node, "alice");
        Assert.Empty((await TryAsync(node, rules, s_later)).Images);
        Assert.Equal(0, (await node.SweepAsync(s_later))[SweepKind.Images]);

        IEnumerable<string> Kept() =>
            [
                $"web@{images[1].FirstImage} release-1",
                $"web@{images[2].FirstImage} again b",
                $"web@{images[4].FirstImage} d",
            ];
    }

    [Fact]
    public async Task What_an_index_needs_stays_as_long_as_the_index_and_goes_after_it()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        var layout = new Layout();
        var (one, two) = (layout.AddImage("one"), layout.AddImage("two"));
        var inner = layout.AddIndex(Layout.OciIndex, one);
        var outer = layout.AddIndex(Layout.OciIndex, inner, two);
        await PushAllAsync(registry, layout, [one, two, inner, outer]);
        await CreatedAsync(PutAsync(registry, layout, outer, "latest"));
        await SetAsync(node, token, Rules("**", """{"tags":["latest"]}""", All));

        Assert.Equal(0, (await node.SweepAsync(s_later))[SweepKind.Images]);
        Assert.Equal([$"web@{Layout.Digest(outer)} latest"], await node.ListedAsync("alice"));
        await Invariants.CompleteAsync(node, "alice");
        var rules = Rules("**", """{"tags":["release"]}""", All);
        var (going, bytes) = await TryAsync(node, rules, s_later);
        await SetAsync(node, token, rules);
        var result = await node.SweepAsync(s_later);

        Assert.Equal(
            new[] { outer, inner, one, two }.Select(Layout.Digest).Order(StringComparer.Ordinal),
            going.Select(i => i.Digest.ToString()).Order(StringComparer.Ordinal)
        );
        Assert.Equal((4, bytes), (result[SweepKind.Images], result[SweepKind.Bytes]));
        Assert.Empty(await node.ListedAsync("alice"));
        Assert.Empty(await node.PathsAsync());
    }

    [Fact]
    public async Task An_image_that_is_pushed_again_by_its_digest_is_new_where_a_rule_cares()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        var image = Layout.Small("old");
        await CreatedAsync(registry.PushAsync("alice/web", image, image.FirstImage));
        foreach (var (rules, isNew) in ((string, bool)[])[("{}", false), (Rules("web", null, All), true)])
        {
            await SetAsync(node, token, rules);
            var before = await WrittenAsync();
            await CreatedAsync(PutAsync(registry, image, image.Manifests[0], image.FirstImage));
            Assert.Equal(isNew, await WrittenAsync() > before);
        }

        async Task<DateTimeOffset?> WrittenAsync() =>
            (
                await node.Storage.ImageRows.GetAsync("alice", Keys.Blob("web", Node.Digest(image.FirstImage)), Stop)
            )!.Timestamp;
    }

    /// <summary>A drop's index.json says what has to be there; what it no longer names is like anything else.</summary>
    [Fact]
    public async Task What_index_json_names_stays_and_a_namespace_without_rules_is_left_alone()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var (one, two) = (Layout.Small("one", "v1"), Layout.Small("two", "v1"));
        await node.PutAsync("alice/dropped", one);
        await node.StartAsync();
        await node.SweepAsync(TimeSpan.FromDays(100));
        await SetAsync(node, token, Rules("**", null, All));
        await node.SweepAsync(TimeSpan.FromDays(100));
        Assert.Equal([$"dropped@{one.FirstImage} v1"], await node.ListedAsync("alice"));

        await node.PutAsync("alice/dropped", two);
        await node.StartAsync();
        await node.SweepAsync(TimeSpan.FromDays(100));
        await node.SweepAsync(TimeSpan.FromDays(100));

        Assert.Equal([$"dropped@{two.FirstImage} v1"], await node.ListedAsync("alice"));
    }

    [Fact]
    public async Task A_sweep_notes_when_the_next_image_is_old_enough()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var image = Layout.Small("image");
        await CreatedAsync(new NodeRegistry(node, "alice", token).PushAsync("alice/web", image, image.FirstImage));
        await SetAsync(node, token, Rules("web", null, """{"untagged_after":"90d"}"""));

        // Each pass does what is noted, and leaves the next note.
        for (var later = TimeSpan.FromHours(3); later < TimeSpan.FromDays(89); later += TimeSpan.FromDays(20))
        {
            await node.PassAsync(later);
            Assert.NotEmpty(await node.ListedAsync("alice"));
        }

        Assert.NotEmpty(await node.NotesAsync());
        Assert.Equal(1, (await node.PassAsync(TimeSpan.FromDays(91)))[SweepKind.Images]);
        Assert.Empty(await node.ListedAsync("alice"));
    }

    private static async Task<(List<Layout> Images, Layout Untagged)> PushSomeAsync(NodeRegistry registry)
    {
        var images = new List<Layout>();
        foreach (var tag in (string[])["a", "release-1", "b", "c", "d"])
        {
            // All share a layer, which stays.
            var layout = new Layout();
            var image = layout.AddManifest(
                layout.Add(Layout.OciConfig, new JsonObject { ["author"] = tag }),
                layout.Add(Layout.OciTar, Layout.Tar("base", "shared")),
                layout.Add(Layout.OciTar, Layout.Tar("own", tag))
            );
            layout.Index(image);
            images.Add(layout);
            await CreatedAsync(registry.PushAsync("alice/web", layout, tag));
        }

        var untagged = Layout.Small("untagged");
        await CreatedAsync(registry.PushAsync("alice/web", untagged, untagged.FirstImage));
        await CreatedAsync(registry.PushAsync("alice/web", images[2], "again"));
        await CreatedAsync(registry.PushAsync("alice/other", images[0], "a"));
        return (images, untagged);
    }

    private static Task<(IReadOnlyList<RetiredImage> Images, long Bytes)> TryAsync(
        Node node,
        string rules,
        TimeSpan later
    ) => node.Sweeper.TryAsync("alice", AccountRules.Parse(rules), new SweepOptions { Later = later }, Stop);

    // Blobs first, then manifests in this order, each by its digest.
    private static async Task PushAllAsync(NodeRegistry registry, Layout layout, JsonObject[] manifests)
    {
        var paths = manifests.Select(m => Layout.PathOf(Layout.Digest(m))).ToHashSet(StringComparer.Ordinal);
        foreach (
            var (path, bytes) in layout.Files.Where(f =>
                f.Key.StartsWith("blobs/", StringComparison.Ordinal) && !paths.Contains(f.Key)
            )
        )
        {
            var digest = path["blobs/".Length..].Replace('/', ':');
            await CreatedAsync(
                registry.SendAsync(
                    "POST",
                    $"/v2/alice/web/blobs/uploads/?digest={digest}",
                    bytes,
                    "application/octet-stream"
                )
            );
        }

        foreach (var manifest in manifests)
        {
            await CreatedAsync(PutAsync(registry, layout, manifest, Layout.Digest(manifest)));
        }
    }

    private static async Task<long> StoredBytesAsync(Node node)
    {
        var bytes = 0L;
        await foreach (var blob in node.Storage.Images.GetBlobsAsync(cancellationToken: Stop))
        {
            bytes += blob.Properties.ContentLength ?? 0;
        }

        return bytes;
    }
}
