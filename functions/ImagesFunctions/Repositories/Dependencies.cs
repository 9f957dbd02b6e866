using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>What manifests need.</summary>
internal static class Dependencies
{
    /// <summary>
    /// The rows that say what a manifest needs, by falling keys. They are written in this order, so the last one tells that all
    /// are there; the sweeper, which does not know how many there are, removes them by rising keys, and so begins with the last.
    /// </summary>
    public static List<DependencyRow> Of(BlobPath path, Manifest manifest)
    {
        var (app, by) = (path.Repository.App, Dependent.Manifest(path.Digest));
        return
        [
            .. manifest
                .NeededBlobs.Select(d => new DependencyRow(app, d.Digest, by, null))
                .Concat(manifest.NeededManifests.Select(d => new DependencyRow(app, d.Digest, by, d.MediaType)))
                .OrderByDescending(n => n.Key, StringComparer.Ordinal),
        ];
    }
}
