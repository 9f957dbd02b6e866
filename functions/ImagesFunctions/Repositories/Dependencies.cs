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

    /// <summary>The digests that a manifest needs and that the repository does not have now.</summary>
    public static async Task<IReadOnlyList<Digest>> MissingAsync(
        RowStore rowStore,
        Repository repository,
        Manifest manifest,
        CancellationToken cancellationToken
    )
    {
        var missing = new List<Digest>();
        var blobs = manifest.NeededBlobs.Select(d => new BlobPath(repository, d.Digest));
        await foreach (var (path, row) in blobs.ReadEachAsync(p => rowStore.BlobAsync(p, cancellationToken)))
        {
            if (row is not { State: BlobState.Good })
            {
                missing.Add(path.Digest);
            }
        }

        var manifests = manifest.NeededManifests.Select(d => d.Digest);
        await foreach (
            var (digest, row) in manifests.ReadEachAsync(d => rowStore.ImageAsync(repository, d, cancellationToken))
        )
        {
            if (row is not { State: ImageState.Complete })
            {
                missing.Add(digest);
            }
        }

        return missing;
    }
}
