using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Catalog;

/// <summary>What must hold of a repository.</summary>
/// <param name="world">Is told what does not hold.</param>
/// <param name="storage">The table.</param>
/// <param name="blobs">The blobs.</param>
internal sealed class CatalogCheck(World world, ModelStorage storage, ModelBlobs blobs)
{
    /// <summary>At each moment: what is listed is complete, row by row and blob by blob.</summary>
    public void DemandComplete()
    {
        foreach (var image in Goods.Images.Where(IsComplete))
        {
            foreach (var digest in new[] { image, Goods.Layer })
            {
                if (RowOf(digest) is not { State: BlobState.Good } row)
                {
                    world.Fail($"an image is listed, and its blob {Name(digest)} has no row that is good");
                }
                else if (blobs.Find(digest) != row.BlobETag)
                {
                    world.Fail($"an image is listed, and its blob {Name(digest)} is not what its row says");
                }
            }

            var need = new DependencyRow(Goods.App, Goods.Layer, Dependent.Manifest(image), null);
            if (storage.Find(need.Key) is null)
            {
                world.Fail("an image is listed, and no row says what it needs");
            }
        }
    }

    /// <summary>At the end: an image is listed.</summary>
    public void DemandThere(Digest image, string why)
    {
        if (!IsComplete(image))
        {
            world.Fail($"{Name(image)} is not listed, and {why}");
        }
    }

    private static string Name(Digest digest) => digest.Encoded[..4];

    private bool IsComplete(Digest image) =>
        storage.Find(Keys.Image(Goods.App, image)) is { } row && ImageRow.From(row).State == ImageState.Complete;

    private BlobRow? RowOf(Digest digest) =>
        storage.Find(Keys.Blob(Goods.App, digest)) is { } row ? BlobRow.From(row) : null;
}
