using System.Text;
using System.Text.Json.Nodes;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;
using static ImagesFunctions.Tests.Sweep.SweptRepository;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>Which rows of tags, needs, referrers, refusals and facts a sweep removes, and which it leaves alone.</summary>
[TakesLong(seconds: 25)]
public sealed class RowsAreSwept
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Dead_tags_go_and_live_ones_stay()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = new Layout();
        var (one, two) = (layout.AddImage("one"), layout.AddImage("two"));
        string[] tags = [.. Enumerable.Range(0, 100).Select(i => $"t{i}")];
        layout.Index([.. tags.Select(t => Layout.Tagged(one, t)), Layout.Tagged(two, "lives")]);
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        await node.Removal.ImageAsync(Node.Repository(Repo), Node.Digest(Layout.Digest(one)), Stop);
        // It comes again, untagged, and its old tags are dead all the same.
        await node.PutAsync(Repo, layout, Layout.PathOf(Layout.Digest(one)));
        await node.LandAsync([$"{Repo}/{Layout.PathOf(Layout.Digest(one))}"]);
        var listed = await node.ListedAsync(Namespace);
        Assert.Equal(2, listed.Length);

        Assert.Equal(100, (await node.SweepAsync(TimeSpan.Zero))[SweepKind.Tags]);

        Assert.Equal("t!web!lives", Assert.Single(await node.RowsAsync(Namespace), key => key[0] == 't'));
        Assert.Equal(listed, await node.ListedAsync(Namespace));
    }

    [Fact]
    public async Task A_waiting_tag_goes_thirty_days_after_its_index_json_is_gone()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        await node.PutAsync(Repo, Layout.Small("one", "latest"), "index.json");
        await node.StartAsync();
        await node.SweepAsync(TwoMonths);
        Assert.Equal("jnnt", string.Concat((await node.RowsAsync(Namespace)).Select(key => key[0])));
        await node.Storage.Images.GetBlobClient($"{Repo}/index.json").DeleteAsync(cancellationToken: Stop);

        await node.SweepAsync(TimeSpan.FromDays(29));
        Assert.Equal("jnnt", string.Concat((await node.RowsAsync(Namespace)).Select(key => key[0])));
        var result = await node.SweepAsync(TwoMonths);

        Assert.Equal((2, 1, 1), (result[SweepKind.Tags], result[SweepKind.Needs], result[SweepKind.Layouts]));
        Assert.Empty(await node.RowsAsync(Namespace));
    }

    [Fact]
    public async Task A_waiting_tag_whose_image_is_there_is_filled_in()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = Layout.Small("one", "latest");
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        // As the commit of an image with very many tags leaves the last of them, if it is killed behind its first step.
        var digest = Node.Digest(layout.FirstImage);
        var tag = new TagRow("web", "last", digest, null, FromLayout: true);
        var need = new DependencyRow("web", digest, Dependent.Tag("last"), null);
        await node.Storage.ImageTable.AddEntityAsync(tag.ToRow().ToEntity(Namespace), Stop);
        await node.Storage.ImageTable.AddEntityAsync(need.ToRow().ToEntity(Namespace), Stop);

        await node.SweepAsync(TimeSpan.Zero);

        Assert.Equal([$"web@{layout.FirstImage} last latest"], await node.ListedAsync(Namespace));
    }

    [Fact]
    public async Task A_row_that_says_that_a_tag_waits_goes_with_the_waiting()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var need = new DependencyRow("web", Digest.Sha256("gone"u8), Dependent.Tag("latest"), null);
        await node.RowStore.PutDependenciesAsync(Namespace, [need], Stop);

        Assert.Equal(1, (await node.SweepAsync(TimeSpan.Zero))[SweepKind.Needs]);
        Assert.Empty(await node.RowsAsync(Namespace));
    }

    [Fact]
    public async Task Needs_of_a_manifest_that_is_gone_go_from_their_beginning()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var by = Dependent.Manifest(Digest.Sha256("gone"u8));
        var rows = Enumerable
            .Range(0, 100)
            .Select(i => new DependencyRow("web", Digest.Sha256(BitConverter.GetBytes(i)), by, null))
            .OrderBy(n => n.Key, StringComparer.Ordinal)
            .ToList();
        await node.RowStore.PutDependenciesAsync(Namespace, rows, Stop);
        Assert.Empty((await node.SweepAsync(TwoDays)).Counts);

        // The first commit is refused for good: then nothing of what comes behind it may go.
        await using (var hindered = new Node(node.Connection))
        {
            hindered.Calls.Before = async (_, message) =>
            {
                using var body = new MemoryStream();
                if (message.Request.Content is { } content)
                {
                    await content.WriteToAsync(body, Stop);
                }

                if (Encoding.UTF8.GetString(body.ToArray()).Contains(rows[0].Needed.Encoded, StringComparison.Ordinal))
                {
                    throw new IOException("The connection was cut.");
                }
            };
            Assert.Equal(0, (await hindered.SweepAsync(TwoMonths))[SweepKind.Needs]);
        }

        Assert.Equal(100, (await node.RowsAsync(Namespace)).Count);
        Assert.Equal(100, (await node.SweepAsync(TwoMonths))[SweepKind.Needs]);
        Assert.Empty(await node.RowsAsync(Namespace));
    }

    [Fact]
    public async Task A_referrer_that_is_no_image_goes()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = Layout.Small("one", "latest");
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        var subject = Digest.Sha256("subject"u8);
        var dead = new ReferrerRow("web", subject, Digest.Sha256("gone"u8), "text/plain", 1, null, null);
        var live = dead with { Digest = Node.Digest(layout.FirstImage) };
        await node.Storage.ImageTable.AddEntityAsync(dead.ToRow().ToEntity(Namespace), Stop);
        await node.Storage.ImageTable.AddEntityAsync(live.ToRow().ToEntity(Namespace), Stop);

        Assert.Equal(1, (await node.SweepAsync(TimeSpan.Zero))[SweepKind.Referrers]);
        Assert.Equal(live.Key, Assert.Single(await node.RowsAsync(Namespace), key => key[0] == 'r'));
    }

    [Fact]
    public async Task Refusals_go_when_they_have_expired()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        string[] paths = [$"{Repo}/notes.txt", "No Namespace/notes.txt"];
        foreach (var path in paths)
        {
            await node.PutAsync(path, "mine"u8.ToArray());
            await RefusedLaterAsync(node, path);
        }

        await node.SweepAsync(TimeSpan.FromDays(29));
        Assert.All(paths, path => Assert.NotNull(node.RowStore.RefusedAsync(path, Stop).Result));
        Assert.Equal(2, (await node.SweepAsync(TimeSpan.FromDays(31)))[SweepKind.Refusals]);
        Assert.All(paths, path => Assert.Null(node.RowStore.RefusedAsync(path, Stop).Result));
    }

    [Fact]
    public async Task Long_facts_go_with_the_image_that_they_are_of()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = new Layout();
        JsonObject Image(string name) =>
            layout.AddManifest(
                layout.Add(
                    Layout.OciConfig,
                    new JsonObject
                    {
                        ["config"] = new JsonObject { ["Cmd"] = new JsonArray(name, new string('x', 70_000)) },
                    }
                ),
                layout.Add(Layout.OciTar, "layer"u8.ToArray())
            );
        var (one, two) = (Image("one"), Image("two"));
        await node.PutAsync(Repo, layout.Index(Layout.Tagged(one, "one"), Layout.Tagged(two, "two")));
        await node.StartAsync();
        await EarlierRows.WithFactsBlobAsync(node, Repo, Layout.Digest(one));
        await EarlierRows.WithFactsBlobAsync(node, Repo, Layout.Digest(two));
        await node.Removal.ImageAsync(Node.Repository(Repo), Node.Digest(Layout.Digest(one)), Stop);

        Assert.Equal(0, (await node.SweepAsync(TwoDays))[SweepKind.Facts]);
        Assert.Equal(1, (await node.SweepAsync(TwoMonths))[SweepKind.Facts]);

        var left = new List<string>();
        await foreach (var blob in node.Storage.Derived.GetBlobsAsync(cancellationToken: Stop))
        {
            left.Add(blob.Name);
        }

        Assert.True(left.Remove($"{Namespace}/usage/1"));
        Assert.EndsWith(Node.Digest(Layout.Digest(two)).Encoded, Assert.Single(left), StringComparison.Ordinal);
        Assert.Equal(0, (await node.SweepAsync(TwoMonths))[SweepKind.Facts]);
    }

    [Fact]
    public async Task Snapshots_of_lists_that_only_earlier_versions_read_go_after_a_day()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        string[] old = ["alice/list/1", "alice/list/2", "alice/list/3", "alice/list/4"];
        string[] others = ["alice/list/5", "alice/list/6", "alice/list/x", "alice/list/1/x"];
        foreach (var path in old.Concat(others))
        {
            await node.Storage.Derived.UploadBlobAsync(path, BinaryData.FromString("a list"), Stop);
        }

        // The version before may still run on this store, and writes its own anew.
        Assert.Equal(0, (await node.SweepAsync(TimeSpan.FromHours(23)))[SweepKind.Facts]);
        Assert.Equal(4, (await node.SweepAsync(TwoDays))[SweepKind.Facts]);

        var left = new List<string>();
        await foreach (var blob in node.Storage.Derived.GetBlobsAsync(cancellationToken: Stop))
        {
            left.Add(blob.Name);
        }

        Assert.Equal(others.Order(), left.Order());
    }
}
