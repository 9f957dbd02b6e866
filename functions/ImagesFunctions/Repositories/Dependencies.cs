using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>The dependencies of manifests.</summary>
internal static class Dependencies
{
    /// <summary>
    /// The rows that say what a manifest needs, in descending order of their keys. They are written in this order, so the last
    /// one shows that all are written; the sweeper, which does not know their number, removes them in ascending order.
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

    /// <summary>The changes that write such rows in a commit.</summary>
    public static IEnumerable<Change> Changes(IEnumerable<DependencyRow> rows) =>
        rows.Select(row => new Change(row.Key, row.ToRow()));

    /// <summary>The manifests among those that need something: a tag that waits and an <c>index.json</c> are none.</summary>
    public static IEnumerable<Digest> Manifests(IEnumerable<DependencyRow> dependents) =>
        dependents.Select(d => d.By.Digest).OfType<Digest>();
}
