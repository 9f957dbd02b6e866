using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Repositories;

/// <summary>How a removal ended.</summary>
/// <param name="Found">Whether there was something to remove.</param>
/// <param name="NeededBy">The live index or image that still needs it, which is why nothing was removed; or null.</param>
/// <param name="IsPinned">Whether it is pinned, which is why nothing was removed.</param>
internal sealed record RemovalResult(bool Found, Digest? NeededBy = null, bool IsPinned = false);

/// <summary>
/// Removes images, tags and blobs. A blob goes in three steps: a commit marks its row, the bytes go if they are still
/// those of the row, the row goes. Whoever meets a marked row may finish what was killed half-way. What storage keeps as it is
/// is refused before the first step; where it shows only later, the blob stays marked, and goes when storage lets it.
/// </summary>
internal sealed class Removal(RowStore rowStore, Content content)
{
    /// <summary>Removes an image, an index or another manifest, and with it all its tags.</summary>
    /// <exception cref="StorageHeldException">Storage keeps its bytes: nothing is removed.</exception>
    public Task<RemovalResult> ImageAsync(Repository repository, Digest digest, CancellationToken cancellationToken)
    {
        return RemoveAsync(
            repository,
            digest,
            async (view, stop) =>
            {
                if (ImageRow.Live(await view.GetAsync(Keys.Image(repository.App, digest), stop)) is not { } image)
                {
                    return Decision.Nothing(new RemovalResult(false));
                }

                if (image.Pin?.HoldsAt(content.Clock.UtcNow) == true)
                {
                    return Decision.Nothing(new RemovalResult(true, IsPinned: true));
                }

                if (await NeededByAsync(view, repository, digest, stop) is { } by)
                {
                    return Decision.Nothing(new RemovalResult(true, by));
                }

                var blob = await GoodAsync(view, repository, digest, stop);
                await DemandRemovableAsync(repository, blob, stop);
                return Decision.Of(
                    new RemovalResult(true),
                    [
                        .. await ImageChangesAsync(view, image, blob, stop),
                        .. await NamedAsync(view, repository, digest, stop),
                    ]
                );
            },
            cancellationToken
        );
    }

    /// <summary>Removes a blob that no live image needs and that is no image itself.</summary>
    /// <exception cref="StorageHeldException">Storage keeps its bytes: nothing is removed.</exception>
    public Task<RemovalResult> BlobAsync(Repository repository, Digest digest, CancellationToken cancellationToken) =>
        RemoveAsync(
            repository,
            digest,
            async (view, stop) =>
            {
                if (await GoodAsync(view, repository, digest, stop) is not { } blob)
                {
                    return Decision.Nothing(new RemovalResult(false));
                }

                var itself = ImageRow.Live(await view.GetAsync(Keys.Image(repository.App, digest), stop));
                var by = itself is null ? await NeededByAsync(view, repository, digest, stop) : digest;
                if (by is not null)
                {
                    return Decision.Nothing(new RemovalResult(true, by));
                }

                await DemandRemovableAsync(repository, blob, stop);
                return Decision.Of(new RemovalResult(true), [Mark(view, blob)]);
            },
            cancellationToken
        );

    /// <summary>Removes a tag; its image stays. False when there was none, or only what a removed image has left of it.</summary>
    public Task<bool> TagAsync(Repository repository, string tag, CancellationToken cancellationToken) =>
        rowStore.CommitAsync(
            repository.Namespace,
            async (view, stop) =>
            {
                if (await view.GetAsync(Keys.Tag(repository.App, tag), stop) is not { } entity)
                {
                    return Decision.Nothing(false);
                }

                // One without a generation waits for its image.
                var row = TagRow.From(entity);
                var image = Keys.Image(repository.App, row.Digest);
                var counts =
                    row.Generation is null
                    || ImageRow.Live(await view.GetAsync(image, stop))?.Generation == row.Generation;
                return Decision.Of(counts, [new Change(row.Key, null)]);
            },
            cancellationToken
        );

    /// <summary>
    /// The second and third step, for a blob whose row is marked; nothing for any other. True when the path is settled,
    /// false when it holds new bytes, which are to be ingested.
    /// </summary>
    /// <exception cref="StorageHeldException">Storage keeps the bytes: the row stays marked.</exception>
    public async Task<bool> FinishAsync(Repository repository, Digest digest, CancellationToken cancellationToken)
    {
        var row = await rowStore.BlobAsync(repository, digest, cancellationToken);
        if (row is not { State: BlobState.Deleting })
        {
            return true;
        }

        var gone = await content.DeleteAsync(LayoutPath.Of(repository, digest), row.BlobETag, cancellationToken);
        await rowStore.RemoveDeletingAsync(repository.Namespace, row, cancellationToken);
        return gone;
    }

    /// <summary>What removes an image in one commit. Its tags count no more then, because no row has their generation.</summary>
    public static async Task<List<Change>> ImageChangesAsync(
        DecisionView view,
        ImageRow image,
        BlobRow? blob,
        CancellationToken cancellationToken
    ) =>
        [
            new Change(image.Key, Tombstone(image)?.ToRow()),
            .. await ReferrerAsync(view, image, cancellationToken),
            .. blob is null ? [] : new[] { Mark(view, blob) },
        ];

    /// <summary>The first step: marks the row of a good blob, if it is still this very row.</summary>
    public static Change Mark(DecisionView view, BlobRow blob) =>
        new(blob.Key, (blob with { State = BlobState.Deleting }).ToRow(), blob.RowETag);

    // The children of a deleted index stay out of lists, so the row that names them stays.
    private static ImageRow? Tombstone(ImageRow image) =>
        MediaTypes.IsIndex(image.MediaType) ? image with { State = ImageState.Deleted } : null;

    private async Task<RemovalResult> RemoveAsync(
        Repository repository,
        Digest digest,
        Func<DecisionView, CancellationToken, Task<Decision<RemovalResult>>> decide,
        CancellationToken cancellationToken
    )
    {
        var result = await rowStore.CommitAsync(repository.Namespace, decide, cancellationToken);
        if (result is { Found: true, NeededBy: null, IsPinned: false })
        {
            try
            {
                await FinishAsync(repository, digest, cancellationToken);
            }
            catch (StorageHeldException)
            {
                // Removed is removed: the sweeper tries again until storage lets the bytes go.
            }
        }

        return result;
    }

    // What storage holds would be gone from every list, and stay. Without a good row nothing is to be removed from storage.
    private Task DemandRemovableAsync(Repository repository, BlobRow? blob, CancellationToken cancellationToken) =>
        blob is null
            ? Task.CompletedTask
            : content.DemandRemovableAsync(LayoutPath.Of(repository, blob.Digest), cancellationToken);

    private static async Task<Change[]> ReferrerAsync(
        DecisionView view,
        ImageRow image,
        CancellationToken cancellationToken
    ) =>
        image.Subject is { } subject
        && await view.GetAsync(Keys.Referrer(image.App, subject, image.Digest), cancellationToken) is { } row
            ? [new Change(row.Key, null)]
            : [];

    // The layout's index.json may go on naming it; from now on nothing waits for it because of that.
    private static async Task<Change[]> NamedAsync(
        DecisionView view,
        Repository repository,
        Digest digest,
        CancellationToken cancellationToken
    ) =>
        await view.GetAsync(Keys.Need(repository.App, digest, Dependent.Layout), cancellationToken) is { } row
            ? [new Change(row.Key, (DependencyRow.From(row) with { Deleted = true }).ToRow())]
            : [];

    private static async Task<BlobRow?> GoodAsync(
        DecisionView view,
        Repository repository,
        Digest digest,
        CancellationToken cancellationToken
    ) =>
        await view.GetAsync(Keys.Blob(repository.App, digest), cancellationToken) is { } row
        && BlobRow.From(row) is { State: BlobState.Good } blob
            ? blob
            : null;

    private static async Task<Digest?> NeededByAsync(
        DecisionView view,
        Repository repository,
        Digest digest,
        CancellationToken cancellationToken
    )
    {
        // The log tells when an image is committed meanwhile that needs this: in short, where it needs very much.
        view.AddReadKey(Keys.AnyNeed(repository.App));
        foreach (var need in await view.RangeAsync(Keys.Needs(repository.App, digest), cancellationToken))
        {
            if (
                DependencyRow.From(need).By.Digest is { } by
                && ImageRow.Live(await view.GetAsync(Keys.Image(repository.App, by), cancellationToken)) is not null
            )
            {
                return by;
            }
        }

        return null;
    }
}
