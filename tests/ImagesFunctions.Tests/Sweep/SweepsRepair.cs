using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;
using static ImagesFunctions.Tests.Sweep.SweptRepository;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>What a sweep makes up for: events that were lost, and work that was killed half way.</summary>
public sealed class SweepsRepair
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Blobs_whose_event_was_lost_are_taken_in_when_it_should_have_come()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = Layout.Small("one", "latest");
        await node.PutAsync(Repo, layout);

        Assert.Empty((await node.SweepAsync(TimeSpan.Zero)).Counts);
        Assert.Equal(layout.Files.Count - 1, (await node.SweepAsync(Soon))[SweepKind.Events]);
        Assert.Equal([$"web@{layout.FirstImage} latest"], await node.ListedAsync(Namespace));

        // Overwritten, and nobody was told.
        await node.PutAsync($"{Repo}/{layout.FirstLayer}", "other"u8.ToArray());
        Assert.Equal(1, (await node.SweepAsync(Soon))[SweepKind.Events]);
        Assert.Empty(await node.ListedAsync(Namespace));

        // Mended, and nobody was told.
        await node.PutAsync(Repo, layout, layout.FirstLayer);
        Assert.Equal(1, (await node.SweepAsync(Soon))[SweepKind.Events]);
        Assert.Equal([$"web@{layout.FirstImage} latest"], await node.ListedAsync(Namespace));

        // Deleted, and nobody was told.
        await node.Storage.Images.GetBlobClient($"{Repo}/{layout.FirstLayer}").DeleteAsync(cancellationToken: Stop);
        Assert.Equal(1, (await node.SweepAsync(Soon))[SweepKind.Events]);
        Assert.Empty(await node.ListedAsync(Namespace));
    }

    [Fact]
    public async Task A_changed_index_json_whose_event_was_lost_is_applied()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = Layout.Small("one", "old");
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        await node.PutAsync(Repo, layout.Index(Layout.Tagged(layout.Manifests[0], "new")), "index.json");

        Assert.Equal(1, (await node.SweepAsync(Soon))[SweepKind.Events]);
        Assert.Equal([$"web@{layout.FirstImage} new"], await node.ListedAsync(Namespace));
    }

    [Fact]
    public async Task A_blob_that_failed_is_tried_again()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var path = $"{Repo}/{Layout.PathOf(Layout.DigestOf("blob"u8.ToArray()))}";
        await node.PutAsync(path, "blob"u8.ToArray());
        await node.Ingest.FailedAsync(path, new IOException("away"), Stop);

        Assert.Equal(1, (await node.SweepAsync(TimeSpan.Zero))[SweepKind.Events]);
        Assert.StartsWith("b!", Assert.Single(await node.RowsAsync(Namespace)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_manifest_whose_committer_was_killed_is_committed_instead_of_swept()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = Layout.Small("one", "latest");
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        // As if it had been killed before its commit: all rows are there but that of the image.
        await node.Storage.ImageTable.DeleteEntityAsync(
            Namespace,
            Keys.Image("web", Node.Digest(layout.FirstImage)),
            cancellationToken: Stop
        );

        await node.SweepAsync(TwoMonths);

        Assert.Equal(layout.Files.Count, (await node.PathsAsync()).Count);
        Assert.Single(await node.ListedAsync(Namespace));
    }

    [Fact]
    public async Task A_hidden_image_whose_healer_was_killed_comes_back()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = Layout.Small("one", "latest");
        var path = $"{Repo}/{layout.FirstLayer}";
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        var digest = Node.Digest(Layout.Digest(layout.Read(layout.Manifests[0])["layers"]![0]!.AsObject()));
        var row = await node.RowStore.BlobAsync(new BlobPath(Node.Repository(Repo), digest), Stop);
        await node.Storage.Images.GetBlobClient(path).DeleteAsync(cancellationToken: Stop);
        await node.LandAsync([path]);
        // Good bytes are there again, and their row; then it was killed.
        await node.PutAsync(Repo, layout, layout.FirstLayer);
        var stored = await node.Storage.Images.GetBlobClient(path).GetPropertiesAsync(cancellationToken: Stop);
        var healed = row! with { BlobETag = stored.Value.ETag.ToString() };
        var gone = await node.RowStore.BlobAsync(new BlobPath(Node.Repository(Repo), digest), Stop);
        Assert.True(await node.RowStore.PutBlobAsync(Namespace, healed, gone, Stop));

        await node.SweepAsync(TimeSpan.Zero);

        Assert.Equal([$"web@{layout.FirstImage} latest"], await node.ListedAsync(Namespace));
    }
}
