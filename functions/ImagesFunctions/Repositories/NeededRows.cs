using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>What a decision read of the rows that a manifest needs.</summary>
/// <param name="Blobs">The rows of blobs that are there and verified.</param>
/// <param name="Children">The rows of manifests that are committed.</param>
/// <param name="Missing">What is not.</param>
internal sealed record NeededRows(List<BlobRow> Blobs, List<ImageRow> Children, List<Digest> Missing)
{
    /// <summary>Reads the rows of all that a manifest needs, blobs before manifests.</summary>
    /// <param name="view">The namespace.</param>
    /// <param name="app">The repository's app.</param>
    /// <param name="manifest">The manifest.</param>
    /// <param name="toFirstMissing">
    /// Whether to stop at the first that is missing; then they are read in random order: while the blobs of a long manifest land
    /// one by one, one that is missing is found early. Else all are read, and all that is missing is named.
    /// </param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<NeededRows> ReadAsync(
        DecisionView view,
        string app,
        Manifest manifest,
        bool toFirstMissing,
        CancellationToken cancellationToken
    )
    {
        var rows = new NeededRows([], [], []);
        await rows.AddAsync(rows.Blobs, manifest.NeededBlobs, BlobAsync, toFirstMissing);
        if (!toFirstMissing || rows.Missing.Count == 0)
        {
            await rows.AddAsync(rows.Children, manifest.NeededManifests, ManifestAsync, toFirstMissing);
        }

        return rows;

        Task<BlobRow?> BlobAsync(Digest digest) => view.GoodBlobAsync(app, digest, cancellationToken);

        async Task<ImageRow?> ManifestAsync(Digest digest) =>
            await view.ImageAsync(app, digest, cancellationToken) is { State: ImageState.Complete } image
                ? image
                : null;
    }

    private async Task AddAsync<T>(
        List<T> found,
        IEnumerable<Descriptor> needed,
        Func<Digest, Task<T?>> read,
        bool toFirstMissing
    )
        where T : class
    {
        var digests = needed.Select(d => d.Digest);
        await foreach (var (digest, row) in (toFirstMissing ? digests.Shuffle() : digests).ReadEachAsync(read))
        {
            if (row is not null)
            {
                found.Add(row);
                continue;
            }

            Missing.Add(digest);
            if (toFirstMissing)
            {
                return;
            }
        }
    }
}
