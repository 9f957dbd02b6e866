using System.Text.Json.Nodes;
using Azure.Core;
using ImagesFunctions.Tests.Listing;

namespace ImagesFunctions.Tests.Faults;

/// <summary>What an index names is no image of its own, whatever becomes of the index.</summary>
[TakesLong(seconds: 45)]
public sealed class Children
{
    private const string Repo = "alice/web";

    [Fact]
    public async Task Are_not_listed_while_their_index_waits_is_there_is_hidden_or_deleted()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var (layout, index, one, two) = Index();
        var oneBlobs = layout.Needs(Layout.Digest(one));
        var missing = layout.Needs(Layout.Digest(two)).First(p => !oneBlobs.Contains(p));
        await node.PutAsync(Repo, layout, [.. layout.Files.Keys.Where(p => p != missing)]);

        await node.StartAsync();
        Assert.Empty(await node.ListedAsync("alice"));

        await node.PutAsync(Repo, layout, missing);
        await node.StartAsync();
        Assert.Equal([$"web@{Layout.Digest(index)} latest"], await node.ListedAsync("alice"));

        await node.PutAsync($"{Repo}/{missing}", "other bytes"u8.ToArray());
        await node.StartAsync();
        Assert.Empty(await node.ListedAsync("alice"));

        await node.PutAsync(Repo, layout, missing);
        await node.StartAsync();
        await node.Removal.ImageAsync(
            Node.Repository(Repo),
            Node.Digest(Layout.Digest(index)),
            TestContext.Current.CancellationToken
        );
        Assert.Empty(await node.ListedAsync("alice"));
        await Invariants.SettledAsync(node, "alice");

        // Dropped again it is a new image, with its tag.
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        Assert.Equal([$"web@{Layout.Digest(index)} latest"], await node.ListedAsync("alice"));
    }

    [Fact]
    public async Task Keep_their_index_from_losing_them()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var (layout, index, one, _) = Index();
        await node.PutAsync(Repo, layout);
        await node.StartAsync();

        var result = await node.Removal.ImageAsync(
            Node.Repository(Repo),
            Node.Digest(Layout.Digest(one)),
            TestContext.Current.CancellationToken
        );

        Assert.Equal(Layout.Digest(index), result.NeededBy?.ToString());
        Assert.Equal([$"web@{Layout.Digest(index)} latest"], await node.ListedAsync("alice"));
    }

    /// <summary>An index that never completes, and a child of it that index.json names as well.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Are_listed_or_not_whatever_the_order_of_events(bool indexTagged)
    {
        var (layout, index, one, two) = Index();
        layout.Index(one, indexTagged ? Layout.Tagged(index, "latest") : index);
        var oneBlobs = layout.Needs(Layout.Digest(one));
        var missing = layout.Needs(Layout.Digest(two)).First(p => !oneBlobs.Contains(p));
        string[] there = [.. layout.Files.Keys.Where(p => p != missing)];
        foreach (var seed in Enumerable.Range(1, 4))
        {
            await using var node = new Node(await Storages.NewWithTablesAsync());
            await node.PutAsync(Repo, layout, there);
            new Random(seed).Shuffle(there);
            await node.LandAsync(there.Select(p => $"{Repo}/{p}"));
            await node.StartAsync();

            // What waits for its tag keeps what it names; nobody awaits the other.
            Assert.Equal(indexTagged ? [] : [$"web@{Layout.Digest(one)}"], await node.ListedAsync("alice"));

            // A layer of the complete one goes bad and heals: nothing else changes.
            var layer = oneBlobs.First(p => p != Layout.PathOf(Layout.Digest(one)));
            await node.PutAsync($"{Repo}/{layer}", "other bytes"u8.ToArray());
            await node.LandAsync([$"{Repo}/{layer}"]);
            Assert.Empty(await node.ListedAsync("alice"));
            await node.PutAsync(Repo, layout, layer);
            await node.LandAsync([$"{Repo}/{layer}"]);
            Assert.Equal(indexTagged ? [] : [$"web@{Layout.Digest(one)}"], await node.ListedAsync("alice"));
        }
    }

    /// <summary>Calls of storage a blob, while an index's parts land one by one: about the same for many as for few.</summary>
    [Fact]
    public async Task Cost_no_more_each_the_more_of_them_there_are()
    {
        var few = await CallsABlobAsync(children: 5);
        var many = await CallsABlobAsync(children: 20);

        TestContext.Current.TestOutputHelper?.WriteLine($"{few:F1} calls a blob of 5 children, {many:F1} of 20");
        Assert.InRange(many, 0, 1.5 * few);
    }

    private static async Task<double> CallsABlobAsync(int children)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = new Layout();
        var index = layout.AddIndex(
            Layout.OciIndex,
            [
                .. Enumerable
                    .Range(0, children)
                    .Select(i => Layout.For(layout.AddImage($"image {i}"), "linux", $"arch{i}")),
            ]
        );
        layout.Index(Layout.Tagged(index, "latest"));
        await node.PutAsync(Repo, layout);
        var before = node.Calls.Count;
        string[] first = ["index.json", Layout.PathOf(Layout.Digest(index))];
        await node.LandAsync(first.Concat(layout.Files.Keys.Except(first)).Select(p => $"{Repo}/{p}"));
        Assert.Equal([$"web@{Layout.Digest(index)} latest"], await node.ListedAsync("alice"));
        return (double)(node.Calls.Count - before) / layout.Files.Count;
    }

    /// <summary>More images share a layer than one transaction can hide.</summary>
    [Fact]
    public async Task A_layer_that_a_hundred_images_share_hides_all_of_them_and_brings_all_of_them_back()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = new Layout();
        var layer = layout.Add(Layout.OciTar, "a layer"u8.ToArray());
        var config = layout.Add(Layout.OciConfig, new JsonObject { ["author"] = "one for all" });
        var images = Enumerable
            .Range(0, 100)
            .Select(i =>
                layout.Add(
                    Layout.OciManifest,
                    new JsonObject
                    {
                        ["schemaVersion"] = 2,
                        ["mediaType"] = Layout.OciManifest,
                        ["config"] = config.DeepClone(),
                        ["layers"] = new JsonArray(layer.DeepClone()),
                        ["annotations"] = new JsonObject { ["number"] = $"{i}" },
                    }
                )
            )
            .ToArray();
        layout.Index([.. images.Select((image, i) => Layout.Tagged(image, $"v{i}"))]);
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        Assert.Equal(100, (await node.ListedAsync("alice")).Length);

        var path = Layout.PathOf(Layout.Digest(layer));
        await node.PutAsync($"{Repo}/{path}", "other bytes"u8.ToArray());
        await node.LandAsync([$"{Repo}/{path}"]);
        Assert.Empty(await node.ListedAsync("alice"));

        await node.PutAsync(Repo, layout, path);
        await node.LandAsync([$"{Repo}/{path}"]);
        Assert.Equal(100, (await node.ListedAsync("alice")).Count(i => i.Contains(" v", StringComparison.Ordinal)));
        await Invariants.SettledAsync(node, "alice");
    }

    /// <summary>What an index names is not shown while that waits, at whatever depth.</summary>
    [Fact]
    public async Task Of_an_index_in_an_index_are_not_listed_while_the_outer_one_is_awaited()
    {
        var (layout, outer, one, two) = Nested();
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var oneBlobs = layout.Needs(Layout.Digest(one));
        var missing = layout.Needs(Layout.Digest(two)).First(p => !oneBlobs.Contains(p));
        await node.PutAsync(Repo, layout, [.. layout.Files.Keys.Where(p => p != missing)]);

        await node.StartAsync();
        Assert.Empty(await node.ListedAsync("alice"));

        await node.PutAsync(Repo, layout, missing);
        await node.StartAsync();
        Assert.Equal([$"web@{Layout.Digest(outer)} latest"], await node.ListedAsync("alice"));
    }

    /// <summary>Killed anywhere, and only the event that was interrupted comes again: all others were handled.</summary>
    [ScheduleFact]
    public async Task Of_an_index_in_an_index_that_lands_last_and_is_interrupted_are_all_tried_again()
    {
        var (layout, outer, _, _) = Nested();
        var last = Layout.PathOf(Layout.Digest(outer));
        var call = 1;
        for (var interrupted = true; interrupted; call += 7)
        {
            await using var node = new Node(await Storages.NewWithTablesAsync());
            await node.PutAsync(Repo, layout);
            await node.LandAsync(layout.Files.Keys.Where(p => p != last).Select(p => $"{Repo}/{p}"));
            await using (var victim = new Node(node.Connection))
            {
                victim.Calls.KillAt(call, afterIt: true);
                interrupted = await Record.ExceptionAsync(() => victim.LandAsync([$"{Repo}/{last}"])) is not null;
            }

            await node.LandAsync([$"{Repo}/{last}"]);
            Assert.Equal([$"web@{Layout.Digest(outer)} latest"], await node.ListedAsync("alice"));
        }
    }

    /// <summary>A process that is slow to announce a long index finds that another has completed it meanwhile.</summary>
    [Fact]
    public async Task Of_a_long_index_give_it_their_facts_however_late_it_was_announced()
    {
        var layout = new Layout();
        var one = layout.AddImage("one");
        // With urls they need not be there, and are named all the same: more than a row holds.
        var elsewhere = Enumerable
            .Range(0, 900)
            .Select(i => new JsonObject
            {
                ["mediaType"] = Layout.OciManifest,
                ["digest"] = Layout.DigestOf(BitConverter.GetBytes(i)),
                ["size"] = 4,
                ["urls"] = new JsonArray("https://elsewhere.invalid/"),
            });
        var index = layout.AddIndex(Layout.OciIndex, [Layout.For(one, "linux", "amd64"), .. elsewhere]);
        layout.Index(Layout.Tagged(index, "latest"));
        await using var slow = new Node(await Storages.NewWithTablesAsync());
        await using var fast = new Node(slow.Connection);
        await slow.PutAsync(Repo, layout);
        await slow.LandAsync([$"{Repo}/index.json"]);
        var announces = 0;
        slow.Calls.Before = async (_, message) =>
        {
            if (
                message.Request.Method == RequestMethod.Put
                && message.Request.Uri.ToString().Contains("/derived/", StringComparison.Ordinal)
                && announces++ == 0
            )
            {
                await fast.StartAsync();
            }
        };
        await slow.LandAsync([$"{Repo}/{Layout.PathOf(Layout.Digest(index))}"]);

        Assert.Equal(1, announces);
        var rows = await slow.RowStore.NamespaceAsync("alice", null, TestContext.Current.CancellationToken);
        await rows.LoadChildrenAsync(slow.ImageRows, "alice", TestContext.Current.CancellationToken);
        var (row, _) = Assert.Single(rows.Listed());
        Assert.Equal(["/bin/run", "one"], row.Facts.Args);
    }

    private static (Layout Layout, JsonObject Outer, JsonObject One, JsonObject Two) Nested()
    {
        var (layout, index, one, two) = Index();
        var outer = layout.AddIndex(Layout.OciIndex, Layout.For(index, "linux", "amd64"));
        layout.Index(Layout.Tagged(outer, "latest"));
        return (layout, outer, one, two);
    }

    private static (Layout Layout, JsonObject Index, JsonObject One, JsonObject Two) Index()
    {
        var layout = new Layout();
        var (one, two) = (layout.AddImage("one"), layout.AddImage("two"));
        var index = layout.AddIndex(
            Layout.OciIndex,
            Layout.For(one, "linux", "amd64"),
            Layout.For(two, "linux", "arm64")
        );
        layout.Index(Layout.Tagged(index, "latest"));
        return (layout, index, one, two);
    }
}
