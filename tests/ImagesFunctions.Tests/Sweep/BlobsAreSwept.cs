using Azure.Data.Tables;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;
using static ImagesFunctions.Tests.Sweep.SweptRepository;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>Which blobs a sweep removes, and which it leaves alone.</summary>
public sealed class BlobsAreSwept
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_blob_that_nobody_needs_goes_and_files_of_the_layout_stay()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = Layout.Small("one", "latest");
        var stray = Layout.PathOf(Layout.Digest(layout.Add(Layout.OciTar, "stray"u8.ToArray())));
        await node.PutAsync(Repo, layout);
        await node.StartAsync();

        var result = await node.SweepAsync(TwoMonths);

        Assert.Equal(
            new Dictionary<SweepKind, long>
            {
                [SweepKind.Blobs] = 1,
                [SweepKind.Bytes] = 5,
                [SweepKind.LogEntries] = 3,
            },
            result.Counts
        );
        Assert.Equal(
            layout.Files.Keys.Where(p => p != stray).Select(p => $"{Repo}/{p}"),
            (await node.PathsAsync()).Order(StringComparer.Ordinal)
        );
        Assert.Equal([$"web@{layout.FirstImage} latest"], await node.ListedAsync(Namespace));
        Assert.Equal(5, await RowsOfBlobsAsync());
        Assert.Empty((await node.SweepAsync(TwoMonths)).Counts);
        Assert.Equal(4, await RowsOfBlobsAsync());

        async Task<int> RowsOfBlobsAsync() => (await node.RowsAsync(Namespace)).Count(key => key[0] == 'b');
    }

    [Fact]
    public async Task A_dropped_blob_is_kept_for_thirty_days_and_a_pushed_one_for_a_day()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var dropped = await BlobAsync(node, "dropped");
        var pushed = await BlobAsync(node, "pushed");
        var row = await node.RowStore.BlobAsync(new BlobPath(Node.Repository(Repo), Node.Digest(pushed)), Stop);
        Assert.True(await node.RowStore.PutBlobAsync(Namespace, row! with { Pushed = true }, row, Stop));

        Assert.Empty((await node.SweepAsync(TimeSpan.FromHours(23))).Counts);
        Assert.Equal(1, (await node.SweepAsync(TwoDays))[SweepKind.Blobs]);
        Assert.Equal([$"{Repo}/{Layout.PathOf(dropped)}"], await node.PathsAsync());
        Assert.Empty((await node.SweepAsync(TimeSpan.FromDays(29))).Counts);
        Assert.Equal(1, (await node.SweepAsync(TimeSpan.FromDays(31)))[SweepKind.Blobs]);
        Assert.Empty(await node.PathsAsync());
        Assert.All(await node.RowsAsync(Namespace), key => Assert.Equal('b', key[0]));
    }

    [Fact]
    public async Task A_blob_that_was_promised_again_is_kept_as_if_it_had_just_come()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var digest = Node.Digest(await BlobAsync(node, "promised"));
        var before = await node.RowStore.BlobAsync(new BlobPath(Node.Repository(Repo), digest), Stop);
        var promises = new BlobRetention(
            node.Storage,
            node.RowStore,
            new SweepOptions { Later = TimeSpan.FromDays(14) }.Grace
        );
        Assert.Equal(
            before!.RowETag,
            (await promises.RenewAsync(new BlobPath(Node.Repository(Repo), digest), Stop))!.RowETag
        );

        promises = new BlobRetention(
            node.Storage,
            node.RowStore,
            new SweepOptions { Later = TimeSpan.FromDays(16) }.Grace
        );
        var renewed = await promises.RenewAsync(new BlobPath(Node.Repository(Repo), digest), Stop);

        Assert.NotEqual(before.RowETag, renewed!.RowETag);
        Assert.Equal(before, renewed with { RowETag = before.RowETag });
        Assert.Null(await promises.RenewAsync(new BlobPath(Node.Repository("alice/other"), digest), Stop));
    }

    [Fact]
    public async Task An_image_without_a_tag_stays()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = Layout.Small("one");
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        await node.Storage.Images.GetBlobClient($"{Repo}/index.json").DeleteAsync(cancellationToken: Stop);

        await node.SweepAsync(TwoMonths);

        Assert.Equal([$"web@{layout.FirstImage}"], await node.ListedAsync(Namespace));
        await Invariants.CompleteAsync(node, Namespace);
    }

    [Fact]
    public async Task What_a_hidden_image_needs_stays_and_the_image_comes_back()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = Layout.Small("one", "latest");
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        await node.Storage.Images.GetBlobClient($"{Repo}/{layout.FirstLayer}").DeleteAsync(cancellationToken: Stop);
        await node.LandAsync([$"{Repo}/{layout.FirstLayer}"]);
        Assert.Empty(await node.ListedAsync(Namespace));

        Assert.Equal(0, (await node.SweepAsync(TwoMonths))[SweepKind.Blobs]);

        await node.PutAsync(Repo, layout, layout.FirstLayer);
        await node.LandAsync([$"{Repo}/{layout.FirstLayer}"]);
        Assert.Equal([$"web@{layout.FirstImage} latest"], await node.ListedAsync(Namespace));
    }

    [Fact]
    public async Task What_a_deleted_image_shared_stays_and_the_rest_goes()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var (layout, one, two) = Sharing();
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        await node.Removal.ImageAsync(Node.Repository(Repo), Node.Digest(one), Stop);

        var result = await node.SweepAsync(TwoMonths);

        // Its config. The manifest went when it was deleted.
        Assert.Equal(1, result[SweepKind.Blobs]);
        Assert.Equal([$"web@{two} two"], await node.ListedAsync(Namespace));
        await Invariants.CompleteAsync(node, Namespace);
        // Its needs of the layer and the config, and its tag.
        Assert.Equal((2, 1), (result[SweepKind.Needs], result[SweepKind.Tags]));
    }

    [Fact]
    public async Task A_drop_that_never_became_complete_goes_whole_after_thirty_days_and_not_before()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = Layout.Small("one", "latest");
        await node.PutAsync(Repo, layout, [.. layout.Files.Keys.Where(p => p != layout.FirstLayer)]);
        await node.StartAsync();

        Assert.Equal(0, (await node.SweepAsync(TimeSpan.FromDays(29)))[SweepKind.Blobs]);
        Assert.Equal(3, (await node.SweepAsync(TwoMonths))[SweepKind.Blobs]);

        Assert.Equal([$"{Repo}/index.json", $"{Repo}/oci-layout"], await node.PathsAsync());
        await node.SweepAsync(TwoMonths);
        // What its index.json says stays: the tag still waits for the image.
        Assert.Equal("jnnt", string.Concat((await node.RowsAsync(Namespace)).Select(key => key[0])));
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        Assert.Equal([$"web@{layout.FirstImage} latest"], await node.ListedAsync(Namespace));
    }

    [Fact]
    public async Task A_blob_is_kept_while_the_need_for_it_is_young()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = Layout.Small("one");
        var manifest = Layout.PathOf(layout.FirstImage);
        await node.PutAsync(Repo, layout);
        await node.LandAsync([$"{Repo}/{layout.FirstLayer}"]);
        await node.LandAsync([$"{Repo}/index.json", $"{Repo}/{manifest}"]);
        var layer = Node.Digest(Layout.Digest(layout.Read(layout.Manifests[0])["layers"]![0]!.AsObject()));
        var blob = await node.Storage.ImageRows.GetAsync(Namespace, Keys.Blob("web", layer), Stop);
        var need = Assert.Single(await node.RowStore.RangeAsync(Namespace, Keys.Dependencies("web", layer), Stop));
        Assert.True(need.Timestamp > blob!.Timestamp);

        Assert.Equal(
            0,
            await node.Garbage(blob.Timestamp!.Value)
                .Blobs.RemoveAsync(new BlobPath(Node.Repository(Repo), layer), Stop)
        );
        Assert.Equal(
            1,
            await node.Garbage(need.Timestamp!.Value)
                .Blobs.RemoveAsync(new BlobPath(Node.Repository(Repo), layer), Stop)
        );
        Assert.DoesNotContain($"{Repo}/{layout.FirstLayer}", await node.PathsAsync());
    }

    [Fact]
    public async Task Bytes_that_are_not_what_their_name_says_go_after_thirty_days_with_their_refusal()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var path = $"{Repo}/{Layout.PathOf(Layout.DigestOf("right"u8.ToArray()))}";
        await node.PutAsync(path, "wrong"u8.ToArray());
        await RefusedLaterAsync(node, path);

        Assert.Empty((await node.SweepAsync(TimeSpan.FromDays(29))).Counts);
        Assert.Equal(1, (await node.SweepAsync(TimeSpan.FromDays(31)))[SweepKind.Blobs]);
        Assert.Empty(await node.PathsAsync());
        Assert.Empty(await node.RowsAsync(Namespace));
    }

    [Fact]
    public async Task A_file_that_is_no_part_of_a_layout_is_refused_and_never_removed()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        await node.PutAsync($"{Repo}/notes.txt", "mine"u8.ToArray());
        await node.PutAsync("No Namespace/notes.txt", "mine"u8.ToArray());

        await node.SweepAsync(TwoMonths);
        // The next sweep is two months later for it too, when a refusal has expired.
        Assert.NotNull(await node.RowStore.RefusedAsync($"{Repo}/notes.txt", Stop));
        await node.SweepAsync(TwoMonths);

        Assert.Equal(2, (await node.PathsAsync()).Count);
    }

    [Fact]
    public async Task A_dry_run_says_what_would_be_done_and_changes_nothing()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var (layout, one, _) = Sharing();
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        await BlobAsync(node, "stray");
        await node.Removal.ImageAsync(Node.Repository(Repo), Node.Digest(one), Stop);
        await node.PutAsync("bob/web", Layout.Small("lost"), "index.json");
        var (paths, rows) = (await node.PathsAsync(), await node.RowsAsync(Namespace));

        var would = await node.SweepAsync(TwoMonths, dryRun: true);

        Assert.Equal(paths, await node.PathsAsync());
        Assert.Equal(rows, await node.RowsAsync(Namespace));
        Assert.Empty(await node.RowsAsync("bob"));
        Assert.True(would.IsDryRun);
        Assert.All(would.Lines, line => Assert.StartsWith("would: ", line, StringComparison.Ordinal));
        // But for the entries that a real one adds to the log, and trims again, and for the rows of what the deleted manifest needed,
        // which stay as long as the row of its blob.
        var does = await node.SweepAsync(TwoMonths);
        SweepKind[] more = [SweepKind.LogEntries, SweepKind.Needs];
        Assert.Equal(would.Counts.Where(c => !more.Contains(c.Key)), does.Counts.Where(c => !more.Contains(c.Key)));
        Assert.Equal(2, does[SweepKind.Needs]);
    }

    [Fact]
    public async Task A_namespace_that_cannot_be_swept_leaves_the_others_to_be()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        foreach (var name in (string[])["alice", "bob", "carol"])
        {
            await node.PutAsync(
                $"{name}/web/{Layout.PathOf(Layout.DigestOf("stray"u8.ToArray()))}",
                "stray"u8.ToArray()
            );
        }

        await node.StartAsync();
        var newer = new TableEntity("bob", "i!web!sha256:0")
        {
            ["schema"] = 99L,
            ["app"] = "web",
            ["digest"] = "what",
        };
        await node.Storage.ImageTable.AddEntityAsync(newer, Stop);

        var result = await node.SweepAsync(TwoMonths);

        Assert.Equal((2, 1), (result[SweepKind.Blobs], result[SweepKind.Failed]));
        Assert.StartsWith("bob/", Assert.Single(await node.PathsAsync()), StringComparison.Ordinal);
    }
}
