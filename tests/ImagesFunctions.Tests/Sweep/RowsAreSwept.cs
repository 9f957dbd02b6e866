using System.Text;
using System.Text.Json.Nodes;
using Azure.Data.Tables;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>Which rows a sweep removes, and which it leaves alone.</summary>
[TakesLong(seconds: 25)]
public sealed class RowsAreSwept
{
    private const string Namespace = "alice";
    private const string Repo = "alice/web";

    private static readonly TimeSpan TwoDays = TimeSpan.FromDays(2);
    private static readonly TimeSpan TwoMonths = TimeSpan.FromDays(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_a_deleted_index_nothing_is_left()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var (layout, index, _) = await DroppedIndexAsync(node);
        await DeleteAsync(node, index, layout);

        // Its children stay for a day, in which another index may name them.
        Assert.Equal(0, (await node.SweepAsync(TimeSpan.Zero))[SweepKind.Children]);
        await node.SweepAllAsync();

        Assert.Equal([$"{Repo}/oci-layout"], await node.PathsAsync());
        Assert.Empty(await node.RowsAsync(Namespace));
    }

    [Fact]
    public async Task A_child_stays_as_long_as_the_deletion_of_its_index_is_young()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var (layout, index, children) = await DroppedIndexAsync(node);
        await DeleteAsync(node, index, layout);
        var (repository, child) = (Node.Repository(Repo), Node.Digest(children[0]));
        var row = await node.Storage.ImageRows.GetAsync(Namespace, Keys.Image("web", Node.Digest(index)), Stop);
        var deleted = row!.Timestamp!.Value;

        var before = node.Garbage(deleted.AddTicks(-1));
        Assert.Equal(0, await before.Blobs.RemoveChildAsync(repository, Node.Digest(index), child, Stop));
        Assert.NotNull(await node.RowStore.ImageAsync(repository, child, Stop));
        Assert.NotEqual(
            0,
            await node.Garbage(deleted).Blobs.RemoveChildAsync(repository, Node.Digest(index), child, Stop)
        );
        Assert.Null(await node.RowStore.ImageAsync(repository, child, Stop));
    }

    [Fact]
    public async Task Of_a_deleted_index_in_an_index_nothing_is_left()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = new Layout();
        var inner = layout.AddIndex(Layout.OciIndex, layout.AddImage("one"));
        var outer = layout.AddIndex(Layout.OciIndex, inner, layout.AddImage("two"));
        await node.PutAsync(Repo, layout.Index(Layout.Tagged(outer, "latest")));
        await node.StartAsync();
        await DeleteAsync(node, Layout.Digest(outer), layout);

        await node.SweepAllAsync();

        Assert.Equal([$"{Repo}/oci-layout"], await node.PathsAsync());
        Assert.Empty(await node.RowsAsync(Namespace));
    }

    [Fact]
    public async Task A_child_of_a_deleted_index_stays_when_it_has_a_tag()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var (layout, index, children) = await DroppedIndexAsync(node);
        await node.Tagging.SetAsync(Node.Repository(Repo), "mine", Node.Digest(children[0]), Stop);
        await DeleteAsync(node, index, layout);

        await node.SweepAllAsync();

        Assert.Equal([$"web@{children[0]} mine"], await node.ListedAsync(Namespace));
        await Invariants.CompleteAsync(node, Namespace);
        // Its index's row is left, so that it stays unlisted when its tag goes.
        Assert.Contains(Keys.Image("web", Node.Digest(index)), await node.RowsAsync(Namespace));
        Assert.DoesNotContain(Keys.Image("web", Node.Digest(children[1])), await node.RowsAsync(Namespace));
        await node.Removal.TagAsync(Node.Repository(Repo), "mine", Stop);
        Assert.Empty(await node.ListedAsync(Namespace));
        await node.SweepAllAsync();
        Assert.Empty(await node.RowsAsync(Namespace));
    }

    [Fact]
    public async Task A_child_of_a_deleted_index_stays_when_another_index_names_it()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = new Layout();
        var (one, two) = (layout.AddImage("one"), layout.AddImage("two"));
        var goes = layout.AddIndex(Layout.OciIndex, one, two);
        var stays = layout.AddIndex(Layout.OciIndex, two);
        await node.PutAsync(Repo, layout.Index(Layout.Tagged(goes, "goes"), Layout.Tagged(stays, "stays")));
        await node.StartAsync();
        await DeleteAsync(node, Layout.Digest(goes), layout);

        await node.SweepAllAsync();

        Assert.Equal([$"web@{Layout.Digest(stays)} stays"], await node.ListedAsync(Namespace));
        await Invariants.CompleteAsync(node, Namespace);
        Assert.NotNull(await node.RowStore.ImageAsync(Node.Repository(Repo), Node.Digest(Layout.Digest(two)), Stop));
        Assert.Null(await node.RowStore.ImageAsync(Node.Repository(Repo), Node.Digest(Layout.Digest(one)), Stop));
    }

    [Fact]
    public async Task A_child_of_a_deleted_index_stays_when_index_json_names_it()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = new Layout();
        var one = layout.AddImage("one");
        var index = layout.AddIndex(Layout.OciIndex, one);
        await node.PutAsync(Repo, layout.Index(index, one));
        await node.StartAsync();
        await node.Removal.ImageAsync(Node.Repository(Repo), Node.Digest(Layout.Digest(index)), Stop);

        await node.SweepAllAsync();

        Assert.NotNull(await node.RowStore.ImageAsync(Node.Repository(Repo), Node.Digest(Layout.Digest(one)), Stop));
        await node.PutAsync(Repo, layout.Index(), "index.json");
        await node.LandAsync([$"{Repo}/index.json"]);
        await node.SweepAllAsync();
        Assert.Null(await node.RowStore.ImageAsync(Node.Repository(Repo), Node.Digest(Layout.Digest(one)), Stop));
    }

    [Fact]
    public async Task An_index_that_never_was_complete_goes_after_thirty_days()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = new Layout();
        var (one, two) = (layout.AddImage("one"), layout.AddImage("two"));
        var index = layout.AddIndex(Layout.OciIndex, one, two);
        layout.Index(Layout.Tagged(index, "latest"));
        await node.PutAsync(Repo, layout, [.. layout.Files.Keys.Where(p => p != Layout.PathOf(Layout.Digest(two)))]);
        await node.StartAsync();
        var row = Keys.Image("web", Node.Digest(Layout.Digest(index)));
        Assert.Contains(row, await node.RowsAsync(Namespace));

        await node.SweepAsync(TimeSpan.FromDays(29));
        Assert.Contains(row, await node.RowsAsync(Namespace));
        await node.SweepAsync(TwoMonths);
        await node.SweepAsync(TwoMonths);

        Assert.DoesNotContain(row, await node.RowsAsync(Namespace));
        // What was complete of it is an image like any other.
        Assert.Equal([$"web@{Layout.Digest(one)}"], await node.ListedAsync(Namespace));
        await Invariants.CompleteAsync(node, Namespace);
    }

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
        await node.Storage.Catalog.AddEntityAsync(tag.ToRow().ToEntity(Namespace), Stop);
        await node.Storage.Catalog.AddEntityAsync(need.ToRow().ToEntity(Namespace), Stop);

        await node.SweepAsync(TimeSpan.Zero);

        Assert.Equal([$"web@{layout.FirstImage} last latest"], await node.ListedAsync(Namespace));
    }

    [Fact]
    public async Task A_row_that_says_that_a_tag_waits_goes_with_the_waiting()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var need = new DependencyRow("web", Digest.Sha256("gone"u8), Dependent.Tag("latest"), null);
        await node.RowStore.PutNeedsAsync(Namespace, [need], Stop);

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
        await node.RowStore.PutNeedsAsync(Namespace, rows, Stop);
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
        await node.Storage.Catalog.AddEntityAsync(dead.ToRow().ToEntity(Namespace), Stop);
        await node.Storage.Catalog.AddEntityAsync(live.ToRow().ToEntity(Namespace), Stop);

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
            await BlobsAreSwept.RefusedLaterAsync(node, path);
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
        await node.Removal.ImageAsync(Node.Repository(Repo), Node.Digest(Layout.Digest(one)), Stop);

        Assert.Equal(0, (await node.SweepAsync(TwoDays))[SweepKind.Facts]);
        Assert.Equal(1, (await node.SweepAsync(TwoMonths))[SweepKind.Facts]);

        var left = new List<string>();
        await foreach (var blob in node.Storage.Derived.GetBlobsAsync(cancellationToken: Stop))
        {
            left.Add(blob.Name);
        }

        Assert.EndsWith(Node.Digest(Layout.Digest(two)).Encoded, Assert.Single(left), StringComparison.Ordinal);
        Assert.Equal(0, (await node.SweepAsync(TwoMonths))[SweepKind.Facts]);
    }

    [Fact]
    public async Task The_log_is_trimmed_after_an_hour_and_who_reads_on_behind_the_gap_reads_the_rows()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var node = new Node(connection);
        await using var other = new Node(connection);
        var layout = new Layout();
        var (one, two) = (layout.AddImage("one"), layout.AddImage("two"));
        await node.PutAsync(Repo, layout.Index(Layout.Tagged(one, "moves"), two));
        await node.StartAsync();
        // This one knows the version; then others commit, and what they did is trimmed.
        await other.Tagging.SetAsync(Node.Repository(Repo), "first", Node.Digest(Layout.Digest(one)), Stop);
        for (var i = 0; i < 130; i++)
        {
            await node.Tagging.SetAsync(Node.Repository(Repo), "moves", Node.Digest(Layout.Digest(one)), Stop);
        }

        Assert.Equal(0, (await node.SweepAsync(TimeSpan.FromMinutes(59)))[SweepKind.LogEntries]);
        Assert.InRange((await node.SweepAsync(TimeSpan.FromHours(1)))[SweepKind.LogEntries], 131, 200);
        Assert.Empty(await node.RowStore.RangeAsync(Namespace, Keys.All('c'), Stop));
        Assert.True(
            await other.Tagging.SetAsync(Node.Repository(Repo), "moves", Node.Digest(Layout.Digest(two)), Stop)
        );

        string[] expected = [$"web@{Layout.Digest(one)} first", $"web@{Layout.Digest(two)} moves"];
        Assert.Equal(expected.Order(StringComparer.Ordinal), await node.ListedAsync(Namespace));
        Assert.Equal(expected.Order(StringComparer.Ordinal), await other.ListedAsync(Namespace));
    }

    [Fact]
    public async Task A_list_that_was_read_while_the_log_was_trimmed_is_read_again()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var node = new Node(connection);
        await using var other = new Node(connection);
        var layout = Layout.Small("one", "latest");
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        var done = false;
        // Between the rows and the second look at the version: the tag row was read without the new one.
        node.Calls.After = async (_, message) =>
        {
            if (
                !done
                && Uri.UnescapeDataString(message.Request.Uri.ToString()).Contains("ge 't!'", StringComparison.Ordinal)
            )
            {
                done = true;
                await other.Tagging.SetAsync(Node.Repository(Repo), "new", Node.Digest(layout.FirstImage), Stop);
                await other.SweepAsync(TwoDays);
            }
        };

        Assert.Equal([$"web@{layout.FirstImage} latest new"], await node.ListedAsync(Namespace));
        Assert.True(done);
    }

    [Fact]
    public async Task A_commit_whose_log_entry_was_trimmed_before_its_lost_answer_is_not_made_twice()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var node = new Node(connection);
        await using var other = new Node(connection);
        var lost = false;
        node.Calls.After = async (_, message) =>
        {
            if (!lost && message.Request.Uri.ToString().Contains("batch", StringComparison.Ordinal))
            {
                lost = true;
                await other.SweepAsync(TwoDays);
                throw new IOException("The connection was cut.");
            }
        };
        var decided = 0;

        await Assert.ThrowsAsync<StorageUnavailableException>(() =>
            node.RowStore.CommitAsync(
                Namespace,
                (view, _) => Task.FromResult(Decision.Of(++decided, [new Change("j!web", new TableRow("j!web"))])),
                Stop
            )
        );

        Assert.Equal(1, decided);
        Assert.Equal(1, (await node.Storage.ImageRows.VersionAsync(Namespace, Stop)).Seq);
    }

    private static async Task<(Layout Layout, string Index, string[] Children)> DroppedIndexAsync(Node node)
    {
        var layout = new Layout();
        var (one, two) = (layout.AddImage("one"), layout.AddImage("two"));
        var index = layout.AddIndex(Layout.OciIndex, one, two);
        await node.PutAsync(Repo, layout.Index(Layout.Tagged(index, "latest")));
        await node.StartAsync();
        Assert.Equal([$"web@{Layout.Digest(index)} latest"], await node.ListedAsync(Namespace));
        return (layout, Layout.Digest(index), [Layout.Digest(one), Layout.Digest(two)]);
    }

    // With its index.json, which would go on naming it.
    private static async Task DeleteAsync(Node node, string image, Layout layout)
    {
        Assert.Contains("index.json", layout.Files.Keys);
        await node.Storage.Images.GetBlobClient($"{Repo}/index.json").DeleteAsync(cancellationToken: Stop);
        Assert.True((await node.Removal.ImageAsync(Node.Repository(Repo), Node.Digest(image), Stop)).Found);
    }
}
