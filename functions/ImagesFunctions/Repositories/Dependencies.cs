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

    /// <summary>What a manifest needs, and the repository does not have at this moment.</summary>
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
