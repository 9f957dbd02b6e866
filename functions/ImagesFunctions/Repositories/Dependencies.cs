using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>What manifests need.</summary>
internal static class Dependencies
{
    private const int ReadsAtOnce = 16;

    /// <summary>
    /// The rows that say what a manifest needs, by falling keys. They are written in this order, so the last one tells that all
    /// are there; the sweeper, which does not know how many there are, removes them by rising keys, and so begins with the last.
    /// </summary>
    public static List<DependencyRow> NeedsOf(BlobPath path, Manifest manifest)
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
        foreach (var some in manifest.NeededBlobs.Select(d => d.Digest).Chunk(ReadsAtOnce))
        {
            var rows = await Task.WhenAll(some.Select(d => rowStore.BlobAsync(new BlobPath(repository, d), cancellationToken)));
            missing.AddRange(some.Zip(rows).Where(d => d.Second is not { State: BlobState.Good }).Select(d => d.First));
        }

        foreach (var some in manifest.NeededManifests.Select(d => d.Digest).Chunk(ReadsAtOnce))
        {
            var rows = await Task.WhenAll(some.Select(d => rowStore.ImageAsync(repository, d, cancellationToken)));
            missing.AddRange(
                some.Zip(rows).Where(d => d.Second is not { State: ImageState.Complete }).Select(d => d.First)
            );
        }

        return missing;
    }
}
