using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;
using static ImagesFunctions.Tests.Sweep.SweptRepository;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>What a sweep removes of an index that was deleted, and which of its children it leaves alone.</summary>
[TakesLong(seconds: 25)]
public sealed class IndexesAreSwept
{
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
