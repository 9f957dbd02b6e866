using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Catalog;

/// <summary>What is there from the beginning: an image.</summary>
internal static class FirstCommit
{
    /// <summary>Writes its rows and blobs, as the first commit; then a minute passes.</summary>
    /// <param name="world">The world.</param>
    /// <param name="storage">The table.</param>
    /// <param name="blobs">The blobs.</param>
    /// <param name="manifest">The image.</param>
    /// <param name="tag">A tag that points to it; or null.</param>
    public static void Write(World world, ModelStorage storage, ModelBlobs blobs, Digest manifest, string? tag = null)
    {
        const string generation = "g";
        var (layer, own) = (RowOf(blobs, Goods.Layer), RowOf(blobs, manifest));
        var need = new DependencyRow(Goods.App, Goods.Layer, Dependent.Manifest(manifest), null);
        var image = Goods.RowOf(manifest, generation);
        List<Change> changes =
        [
            new(layer.Key, layer.ToRow()),
            new(own.Key, own.ToRow()),
            new(need.Key, need.ToRow()),
            new(image.Key, image.ToRow()),
        ];
        if (tag is not null)
        {
            var row = new TagRow(Goods.App, tag, manifest, generation, FromLayout: false);
            changes.Add(new Change(row.Key, row.ToRow()));
        }

        var version = new TableRow(JournalKeys.Version) { ["seq"] = 1L };
        var entry = JournalEntry.Of(1, changes, Keys.IsInFull).ToRow();
        storage.Write([new(version.Key, version), new(entry.Key, entry), .. changes]);
        world.Pass(TimeSpan.FromMinutes(1));
    }

    private static BlobRow RowOf(ModelBlobs blobs, Digest digest) =>
        new(Goods.App, digest, 1, blobs.Put(digest), BlobState.Good, Tar: null);
}
