using System.Text.Json.Nodes;
using ImagesFunctions.Oci;
using Microsoft.Extensions.DependencyInjection;
using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.Repositories;

/// <summary>The row of a manifest follows from bytes that never change, and is made before it is decided whether to write it.</summary>
public sealed class PreparedImageTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private const string App = "prepared";

    private static readonly Repository s_repository = Repository.Of(Namespace, App);

    [Theory]
    [InlineData(10, false)]
    [InlineData(50_000, false)]
    [InlineData(70_000, true)]
    public async Task Facts_that_are_too_long_for_the_row_are_put_aside_and_found_again(int length, bool isAside)
    {
        var layout = new Layout();
        var config = new JsonObject
        {
            ["config"] = new JsonObject { ["Cmd"] = new JsonArray(new string('x', length)) },
        };
        var image = layout.AddManifest(
            layout.Add(Layout.OciConfig, config),
            layout.Add(Layout.OciTar, "a layer"u8.ToArray())
        );

        var row = (await MadeAsync(layout, image, ImageState.Complete)).Row!;

        Assert.True(row.IsImage);
        Assert.Equal(isAside, row.FactsBlob is not null);
        Assert.InRange(new Change(row.Key, row.ToRow()).Length, 1, 64_000);
        var read = await shared.Node.ImageRows.WithFactsAsync(Namespace, ImageRow.From(row.ToRow()), Stop);
        Assert.Equal([new string('x', length)], read.Facts.Args);
        Assert.Equal(2, read.BlobSizes.Count);
    }

    [Fact]
    public async Task Facts_that_are_lost_are_made_again()
    {
        var layout = new Layout();
        var config = new JsonObject
        {
            ["config"] = new JsonObject { ["Cmd"] = new JsonArray(new string('y', 70_000)) },
        };
        var image = layout.AddManifest(
            layout.Add(Layout.OciConfig, config),
            layout.Add(Layout.OciTar, "a layer"u8.ToArray())
        );
        var row = (await MadeAsync(layout, image, ImageState.Complete)).Row!;
        await shared.Node.Storage.Derived.GetBlobClient(row.FactsBlob).DeleteAsync(cancellationToken: Stop);

        var read = await shared.Node.ImageRows.WithFactsAsync(Namespace, ImageRow.From(row.ToRow()), Stop);

        Assert.Equal([new string('y', 70_000)], read.Facts.Args);
        Assert.True(await shared.Node.Storage.Derived.GetBlobClient(row.FactsBlob).ExistsAsync(Stop));
    }

    [Fact]
    public async Task A_config_that_was_overwritten_makes_no_row_and_that_was_tried()
    {
        var layout = Layout.Small("overwritten");
        await shared.Node.PutAsync($"{s_repository}", layout);
        await shared.Node.LandAsync(layout.Files.Keys.Select(path => $"{s_repository}/{path}"));
        var manifest = layout.Read(layout.Manifests[0]);
        await shared.Node.PutAsync(
            $"{s_repository}/{Layout.PathOf(Layout.Digest(manifest["config"]!.AsObject()))}",
            "other"u8.ToArray()
        );

        var prepared = await PreparedAsync(layout, layout.Manifests[0], ImageState.Complete);

        Assert.True(prepared.IsTried);
        Assert.Null(prepared.Row);
    }

    [Fact]
    public async Task Each_has_a_generation_of_its_own_and_the_state_that_it_is_asked_for()
    {
        var layout = Layout.Small("generation");
        var one = await MadeAsync(layout, layout.Manifests[0], ImageState.Waiting);
        var two = await MadeAsync(layout, layout.Manifests[0], ImageState.Complete);
        Assert.NotEqual(one.Generation, two.Generation);
        Assert.Equal((ImageState.Waiting, ImageState.Complete), (one.Row!.State, two.Row!.State));
        Assert.Equal(0, one.Committed.Ticks % TimeSpan.TicksPerMillisecond);
    }

    private async Task<PreparedImage> MadeAsync(Layout layout, JsonObject image, ImageState state)
    {
        await shared.Node.PutAsync($"{s_repository}", layout);
        await shared.Node.LandAsync(
            layout.Files.Keys.Where(path => path.StartsWith("blobs/", StringComparison.Ordinal)).Select(path => $"{s_repository}/{path}")
        );
        return await PreparedAsync(layout, image, state);
    }

    private async Task<PreparedImage> PreparedAsync(Layout layout, JsonObject image, ImageState state)
    {
        var bytes = layout.Files[Layout.PathOf(Layout.Digest(image))];
        var manifest = Manifest.Parse(bytes, Layout.OciManifest);
        var prepared = new PreparedImage(
            shared.Node.ImageRows,
            shared.Node.Services.GetRequiredService<Content>(),
            new BlobPath(s_repository, Digest.Sha256(bytes)),
            manifest,
            state
        );
        var blobs = new List<BlobRow>();
        foreach (var needed in manifest.NeededBlobs)
        {
            blobs.Add((await shared.Node.RowStore.BlobAsync(new BlobPath(s_repository, needed.Digest), Stop))!);
        }

        Assert.False(prepared.IsTried);
        await prepared.MakeAsync(blobs, [], Stop);
        return prepared;
    }
}
