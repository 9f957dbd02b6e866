using ImagesFunctions.Ingest;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Decides about blobs, and images that are blobs: see <see cref="Garbage"/>.</summary>
internal sealed class BlobGarbage(GarbageCommit commit, Removal removal, BlobIngest ingest, SweepAge age)
{
    /// <summary>Removes a blob that no image needs, that is none itself, and that is not young.</summary>
    public async Task<int> RemoveAsync(BlobPath path, CancellationToken cancellationToken)
    {
        var changed = await commit.RunAsync(
            path.Repository.Namespace,
            (view, stop) => BlobChangesAsync(view, path.Repository.App, path.Digest, stop),
            cancellationToken
        );
        return await FinishAsync(path, changed, cancellationToken);
    }

    /// <summary>
    /// Removes an image that a deleted index names and that no tag, no other index and no <c>index.json</c> does, unless it is
    /// pinned.
    /// </summary>
    public async Task<int> RemoveChildAsync(
        Repository repository,
        Digest index,
        Digest child,
        CancellationToken cancellationToken
    )
    {
        var changed = await commit.RunAsync(
            repository.Namespace,
            (view, stop) => ChildChangesAsync(view, repository.App, index, child, stop),
            cancellationToken
        );
        return await FinishAsync(new BlobPath(repository, child), changed, cancellationToken);
    }

    /// <summary>Decides what <see cref="RemoveAsync"/> changes.</summary>
    internal async Task<List<Change>> BlobChangesAsync(
        DecisionView view,
        string app,
        Digest digest,
        CancellationToken cancellationToken
    ) =>
        await GoodAndOldAsync(view, app, digest, cancellationToken) is { } blob
        && await ImageAsync(view, app, digest, cancellationToken) is null
        && !await IsNeededAsync(view, blob, layoutCounts: false, cancellationToken)
            ? [new MarkedBlob(blob).Change]
            : [];

    /// <summary>Decides what <see cref="RemoveChildAsync"/> changes.</summary>
    internal async Task<List<Change>> ChildChangesAsync(
        DecisionView view,
        string app,
        Digest index,
        Digest child,
        CancellationToken cancellationToken
    ) =>
        await IsDeletedAndOldAsync(view, app, index, cancellationToken)
        && await GoodAndOldAsync(view, app, child, cancellationToken) is { } blob
        && await ImageAsync(view, app, child, cancellationToken) is { } image
        && !IsPinned(image)
        && !await IsNeededAsync(view, blob, layoutCounts: true, cancellationToken)
        && !await IsTaggedAsync(view, image, cancellationToken)
            ? await Removal.ImageChangesAsync(view, image, new MarkedBlob(blob).Change, cancellationToken)
            : [];

    /// <summary>Removes the bytes of a blob that a commit has marked.</summary>
    /// <param name="path">The blob.</param>
    /// <param name="changed">How many rows the commit has changed: none, and there is nothing to do.</param>
    /// <param name="cancellationToken">Cancels it; the next sweep goes on.</param>
    public async Task<int> FinishAsync(BlobPath path, int changed, CancellationToken cancellationToken)
    {
        if (changed > 0 && !commit.IsDryRun && !await removal.FinishAsync(path, cancellationToken))
        {
            await ingest.LandedAsync(path, cancellationToken);
        }

        return changed;
    }

    /// <summary>Whether a pin keeps an image. Where it ends, there is something to look at again.</summary>
    public bool IsPinned(ImageRow image)
    {
        if (image.Pin?.HoldsAt(age.Now) != true)
        {
            return false;
        }

        if (image.Pin.Ends is { } ends)
        {
            age.Next.Add(ends);
        }

        return true;
    }

    /// <summary>Whether a blob is needed by an image, or by anything that may be about to become one.</summary>
    /// <param name="view">The namespace.</param>
    /// <param name="blob">The blob.</param>
    /// <param name="layoutCounts">Whether an <c>index.json</c> that names it, and a tag that waits for it, need it.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    /// <param name="gone">Images that count as gone although they are there; null: none.</param>
    public async Task<bool> IsNeededAsync(
        DecisionView view,
        BlobRow blob,
        bool layoutCounts,
        CancellationToken cancellationToken,
        IReadOnlySet<Digest>? gone = null
    )
    {
        view.AddReadKey(Keys.AnyDependency(blob.App));
        foreach (var row in await view.RangeAsync(Keys.Dependencies(blob.App, blob.Digest), cancellationToken))
        {
            var by = DependencyRow.From(row).By;
            if (
                age.IsYoung(row.Timestamp, blob.Pushed)
                || (layoutCounts && by.Digest is null)
                || (
                    by.Digest is { } digest
                    && gone?.Contains(digest) != true
                    && await ImageAsync(view, blob.App, digest, cancellationToken) is not null
                )
            )
            {
                return true;
            }
        }

        return false;
    }

    private async Task<BlobRow?> GoodAndOldAsync(
        DecisionView view,
        string app,
        Digest digest,
        CancellationToken cancellationToken
    ) =>
        await view.GetAsync(Keys.Blob(app, digest), cancellationToken) is { } row
        && BlobRow.From(row) is { State: BlobState.Good } blob
        && !age.IsYoung(row.Timestamp, blob.Pushed)
            ? blob
            : null;

    private static async Task<ImageRow?> ImageAsync(
        DecisionView view,
        string app,
        Digest digest,
        CancellationToken cancellationToken
    ) => ImageRow.Live(await view.GetAsync(Keys.Image(app, digest), cancellationToken));

    private async Task<bool> IsDeletedAndOldAsync(
        DecisionView view,
        string app,
        Digest index,
        CancellationToken cancellationToken
    ) =>
        await view.GetAsync(Keys.Image(app, index), cancellationToken) is { } row
        && ImageRow.From(row).State == ImageState.Deleted
        && !age.IsYoung(row.Timestamp, pushed: true);

    private static async Task<bool> IsTaggedAsync(
        DecisionView view,
        ImageRow image,
        CancellationToken cancellationToken
    ) =>
        (await view.RangeAsync(Keys.OfApp('t', image.App), cancellationToken))
            .Select(TagRow.From)
            .Any(t => t.Digest == image.Digest && (t.Generation is null || t.Generation == image.Generation));
}
