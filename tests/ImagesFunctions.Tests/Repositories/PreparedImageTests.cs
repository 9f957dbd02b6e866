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
    [InlineData(700, false)]
    [InlineData(900, true)]
    public async Task What_is_too_long_for_the_row_is_put_aside_and_found_again(int children, bool isAside)
    {
        var layout = new Layout();
        var row = (await MadeAsync(layout, IndexOf(layout, children), ImageState.Complete)).Row!;

        Assert.Equal(isAside, row.FactsBlob is not null);
        Assert.InRange(new Change(row.Key, row.ToRow()).Length, 1, 64_000);
        var read = await shared.Node.ImageRows.WithFactsAsync(Namespace, ImageRow.From(row.ToRow()), Stop);
        Assert.Equal(children, read.Children.Count);
        Assert.Equal(row.Children, read.Children);
    }

    [Fact]
    public async Task What_was_put_aside_and_is_lost_is_made_again()
    {
        var layout = new Layout();
        var row = (await MadeAsync(layout, IndexOf(layout, 901), ImageState.Complete)).Row!;
        var aside = shared.Node.Storage.Derived.GetBlobClient(row.FactsBlob);
        await aside.DeleteAsync(cancellationToken: Stop);

        var read = await shared.Node.ImageRows.WithFactsAsync(Namespace, ImageRow.From(row.ToRow()), Stop);

        Assert.Equal(row.Children, read.Children);
        Assert.True(await aside.ExistsAsync(Stop));
    }

    [Theory]
    [InlineData(10, false)]
    [InlineData(16_000, false)]
    [InlineData(17_000, true)]
    [InlineData(70_000, true)]
    public async Task Facts_that_lists_do_not_show_are_not_in_the_row_and_found_in_the_config(
        int length,
        bool isTruncated
    )
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

        var row = ImageRow.From((await MadeAsync(layout, image, ImageState.Complete)).Row!.ToRow());

        Assert.True(row.IsImage);
        Assert.Null(row.FactsBlob);
        Assert.Equal(isTruncated, row.IsTruncated);
        Assert.Equal(isTruncated ? 0 : 1, row.Facts.Args.Count);
        Assert.Equal(2, row.BlobSizes.Count);
        var all = await shared.Node.ImageRows.WithAllFactsAsync(Namespace, row, Stop);
        Assert.False(all.IsTruncated);
        Assert.Equal([new string('x', length)], all.Facts.Args);
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

    // Its children need not be there: it names them all the same.
    private static JsonObject IndexOf(Layout layout, int children) =>
        layout.AddIndex(
            Layout.OciIndex,
            [
                .. Enumerable
                    .Range(0, children)
                    .Select(i => new JsonObject
                    {
                        ["mediaType"] = Layout.OciManifest,
                        ["digest"] = $"{D($"child{i}")}",
                        ["size"] = 1,
                    }),
            ]
        );

    private async Task<PreparedImage> MadeAsync(Layout layout, JsonObject image, ImageState state)
    {
        await shared.Node.PutAsync($"{s_repository}", layout);
        await shared.Node.LandAsync(
            layout
                .Files.Keys.Where(path => path.StartsWith("blobs/", StringComparison.Ordinal))
                .Select(path => $"{s_repository}/{path}")
        );
        return await PreparedAsync(layout, image, state);
    }

    private async Task<PreparedImage> PreparedAsync(Layout layout, JsonObject image, ImageState state)
    {
        var bytes = layout.Files[Layout.PathOf(Layout.Digest(image))];
        var manifest = Manifest.Parse(bytes, image["mediaType"]!.GetValue<string>());
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
