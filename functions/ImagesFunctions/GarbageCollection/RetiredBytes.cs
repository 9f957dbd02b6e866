using ImagesFunctions.Oci;
using ImagesFunctions.Policy;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Adds up what becomes free with images: their manifests, and the blobs that nothing else needs.</summary>
internal static class RetiredBytes
{
    /// <summary>Adds it up, as rows are now.</summary>
    /// <param name="run">The sweep that has found the images.</param>
    /// <param name="images">The images, those of a repository one after the other.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    public static async Task<long> OfAsync(
        SweepRun run,
        IReadOnlyList<RetiredImage> images,
        CancellationToken cancellationToken
    )
    {
        var bytes = images.Sum(image => image.Size);
        foreach (var ofApp in images.GroupBy(i => i.Repository.App, i => i.Digest, StringComparer.Ordinal))
        {
            bytes += await OfAppAsync(run, ofApp.Key, [.. ofApp], cancellationToken);
        }

        return bytes;
    }

    private static async Task<long> OfAppAsync(
        SweepRun run,
        string app,
        HashSet<Digest> gone,
        CancellationToken cancellationToken
    )
    {
        var live = await LiveAsync(run, app, cancellationToken);
        live.ExceptWith(gone);
        var (free, needed) = (new HashSet<Digest>(), new HashSet<Digest>());
        await foreach (
            var row in run.StreamAsync(Keys.OfApp('n', app), ["app", "needed", "by"])
                .WithCancellation(cancellationToken)
        )
        {
            var need = DependencyRow.From(row);
            if (need.By.Digest is { } by && live.Contains(by))
            {
                needed.Add(need.Needed);
            }
            else if (need.By.Digest is { } goes && gone.Contains(goes))
            {
                free.Add(need.Needed);
            }
        }

        free.ExceptWith([.. needed, .. live, .. gone]);
        var bytes = 0L;
        await foreach (
            var (_, row) in free.ReadEachAsync(digest =>
                run.Account.ImageRows.GetAsync(run.Namespace, Keys.Blob(app, digest), cancellationToken)
            )
        )
        {
            bytes += BlobRow.FromOrNull(row) is { State: BlobState.Good } blob ? blob.Size : 0;
        }

        return bytes;
    }

    private static async Task<HashSet<Digest>> LiveAsync(SweepRun run, string app, CancellationToken cancellationToken)
    {
        var live = new HashSet<Digest>();
        await foreach (
            var row in run.StreamAsync(Keys.OfApp('i', app), ImageHead.Columns).WithCancellation(cancellationToken)
        )
        {
            if (ImageHead.From(row) is { State: ImageState.Complete or ImageState.Hidden } image)
            {
                live.Add(image.Digest);
            }
        }

        return live;
    }
}
