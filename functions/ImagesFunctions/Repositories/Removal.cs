using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Policy;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Repositories;

/// <summary>
/// Removes images, tags and blobs. A blob is removed in three steps: a commit marks its row, the bytes are deleted if they are
/// still those of the row, the row says so (<see cref="BlobRow.IsRemoved"/>). Any process that finds a marked row may complete the
/// removal. What storage keeps as it is is refused before the first step. Where that shows only later, the row stays marked until
/// storage lets the bytes go.
/// </summary>
internal sealed class Removal(RowStore rowStore, Content content)
{
    /// <summary>Removes an image, an index or another manifest, and with it all its tags.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="digest">The image's digest.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <param name="by">Who removes it, for the log; null where nobody is known.</param>
    /// <exception cref="StorageHeldException">Storage keeps its bytes: nothing is removed.</exception>
    public Task<RemovalResult> ImageAsync(
        Repository repository,
        Digest digest,
        CancellationToken cancellationToken,
        Author? by = null
    )
    {
        var path = new BlobPath(repository, digest);
        return RemoveAsync(
            path,
            (view, stop) => DecideImageAsync(view, path, content.Clock.UtcNow, stop),
            by,
            cancellationToken
        );
    }

    /// <summary>Removes a blob that no live image needs and that is not a manifest of a live image.</summary>
    /// <exception cref="StorageHeldException">Storage keeps its bytes: nothing is removed.</exception>
    public Task<RemovalResult> BlobAsync(BlobPath path, CancellationToken cancellationToken, Author? by = null) =>
        RemoveAsync(path, (view, stop) => DecideBlobAsync(view, path, stop), by, cancellationToken);

    /// <summary>Removes a tag; its image stays. False when there was no tag, or only the row that a removed image leaves.</summary>
    public Task<bool> TagAsync(
        Repository repository,
        string tag,
        CancellationToken cancellationToken,
        Author? by = null
    ) =>
        rowStore.CommitAsync(
            repository.Namespace,
            async (view, stop) => await DecideTagAsync(view, repository, tag, stop) with { By = by?.Text },
            cancellationToken
        );

    /// <summary>
    /// The second and third step, for a blob whose row is marked; does nothing for any other. False when the path has new
    /// bytes, which have to be taken in.
    /// </summary>
    /// <exception cref="StorageHeldException">Storage keeps the bytes: the row stays marked.</exception>
    public async Task<bool> FinishAsync(BlobPath path, CancellationToken cancellationToken)
    {
        var row = await rowStore.BlobAsync(path, cancellationToken);
        return row is not { IsBeingRemoved: true }
            || await FinishAsync(path, row.BlobETag, Task.FromResult<BlobRow?>(row), cancellationToken);
    }

    /// <summary>Decides what <see cref="ImageAsync"/> changes.</summary>
    internal static async Task<Decision<RemovalResult>> DecideImageAsync(
        DecisionView view,
        BlobPath path,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        // All that it may read, at the same time.
        var row = view.ImageAsync(path.Repository.App, path.Digest, cancellationToken);
        await Task.WhenAll(
            row,
            view.RangeAsync(Keys.Dependencies(path.Repository.App, path.Digest), cancellationToken),
            view.GetAsync(Keys.Blob(path), cancellationToken)
        );
        if (await row is not { } image)
        {
            return Decision.Nothing(new RemovalResult(false));
        }

        if (image.Pin?.HoldsAt(now) == true)
        {
            return Decision.Nothing(new RemovalResult(true, IsPinned: true));
        }

        await view.DemandRemovableAsync(image, cancellationToken);

        if (await NeededByAsync(view, path, cancellationToken) is { } by)
        {
            return Decision.Nothing(new RemovalResult(true, by));
        }

        var blob = await view.GoodBlobAsync(path.Repository.App, path.Digest, cancellationToken);
        var marked = blob is null ? null : new MarkedBlob(blob);
        return Decision.Of(
            new RemovalResult(true) { Marked = marked },
            [
                .. await ImageChangesAsync(view, image, marked?.Change, cancellationToken),
                .. await NamedAsync(view, path, cancellationToken),
            ]
        );
    }

    /// <summary>Decides what <see cref="BlobAsync"/> changes.</summary>
    internal static async Task<Decision<RemovalResult>> DecideBlobAsync(
        DecisionView view,
        BlobPath path,
        CancellationToken cancellationToken
    )
    {
        if (await view.GoodBlobAsync(path.Repository.App, path.Digest, cancellationToken) is not { } blob)
        {
            return Decision.Nothing(new RemovalResult(false));
        }

        var itself = await view.ImageAsync(path.Repository.App, path.Digest, cancellationToken);
        var by = itself is null ? await NeededByAsync(view, path, cancellationToken) : path.Digest;
        var marked = new MarkedBlob(blob);
        return by is null
            ? Decision.Of(new RemovalResult(true) { Marked = marked }, [marked.Change])
            : Decision.Nothing(new RemovalResult(true, by));
    }

    /// <summary>Decides what <see cref="TagAsync"/> changes.</summary>
    internal static async Task<Decision<bool>> DecideTagAsync(
        DecisionView view,
        Repository repository,
        string tag,
        CancellationToken cancellationToken
    )
    {
        if (await view.GetAsync(Keys.Tag(repository.App, tag), cancellationToken) is not { } stored)
        {
            return Decision.Nothing(false);
        }

        await view.DemandChangeableAsync(repository.App, [tag], to: null, cancellationToken);
        // A tag without a generation waits for its image.
        var row = TagRow.From(stored);
        var counts =
            row.Generation is null || await view.TaggedImageAsync(repository.App, tag, cancellationToken) is not null;
        return Decision.Of(counts, [new Change(row.Key, null)]);
    }

    /// <summary>The changes that remove an image. Its tags no longer count then, because no row has their generation.</summary>
    public static async Task<List<Change>> ImageChangesAsync(
        DecisionView view,
        ImageRow image,
        Change? blob,
        CancellationToken cancellationToken
    ) =>
        [
            new Change(image.Key, Tombstone(image)?.ToRow()),
            .. await ReferrerAsync(view, image, cancellationToken),
            .. blob is null ? [] : new[] { blob },
        ];

    // The row of a deleted index stays, because it keeps its children out of lists.
    private static ImageRow? Tombstone(ImageRow image) =>
        MediaTypes.IsIndex(image.MediaType) ? image with { State = ImageState.Deleted } : null;

    private async Task<RemovalResult> RemoveAsync(
        BlobPath path,
        Func<DecisionView, CancellationToken, Task<Decision<RemovalResult>>> decide,
        Author? by,
        CancellationToken cancellationToken
    )
    {
        // At the same time as the decision reads rows, and awaited before it is committed.
        var removable = content.DemandRemovableAsync(path, cancellationToken);
        var result = await rowStore.CommitAsync(
            path.Repository.Namespace,
            async (view, stop) =>
            {
                var decision = await decide(view, stop);
                // What storage holds would be missing in every list, and stay.
                return removable.IsCompletedSuccessfully || decision.Changes.All(c => c.Key != Keys.Blob(path))
                    ? decision with
                    {
                        By = by?.Text,
                    }
                    : Decision.After<RemovalResult>(removable.WaitAsync);
            },
            cancellationToken
        );
        await removable.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (result is { Found: true, NeededBy: null, IsPinned: false })
        {
            try
            {
                await (
                    result.Marked is { } marked
                        ? FinishAsync(
                            path,
                            marked.BlobETag,
                            RowOfAsync(path, marked, cancellationToken),
                            cancellationToken
                        )
                        : FinishAsync(path, cancellationToken)
                );
            }
            catch (StorageHeldException)
            {
                // The removal is committed: the sweeper retries until storage lets the bytes go.
            }
        }

        return result;
    }

    private async Task<BlobRow?> RowOfAsync(BlobPath path, MarkedBlob marked, CancellationToken cancellationToken) =>
        marked.Row ?? await rowStore.BlobAsync(path, cancellationToken);

    // The row's own ETag, since it was marked, tells whether the removal is still this one.
    private async Task<bool> FinishAsync(
        BlobPath path,
        string etag,
        Task<BlobRow?> reading,
        CancellationToken cancellationToken
    )
    {
        var deleting = content.DeleteAsync(path, etag, cancellationToken);
        await Task.WhenAll(deleting, reading);
        if (await reading is { State: BlobState.Deleting } row && row.BlobETag == etag)
        {
            // Refused where the blob was written again.
            await rowStore.PutBlobAsync(path.Repository.Namespace, row.AsRemoved(), row, cancellationToken);
        }

        return await deleting;
    }

    private static async Task<Change[]> ReferrerAsync(
        DecisionView view,
        ImageRow image,
        CancellationToken cancellationToken
    ) =>
        image.Subject is { } subject
        && await view.GetAsync(Keys.Referrer(image.App, subject, image.Digest), cancellationToken) is { } row
            ? [new Change(row.Key, null)]
            : [];

    // The layout's index.json may still name it; from now on nothing waits for it because of that.
    private static async Task<Change[]> NamedAsync(
        DecisionView view,
        BlobPath path,
        CancellationToken cancellationToken
    ) =>
        [
            .. (await view.RangeAsync(Keys.Dependencies(path.Repository.App, path.Digest), cancellationToken))
                .Select(DependencyRow.From)
                .Where(d => d.By == Dependent.Layout)
                .Select(d => new Change(d.Key, (d with { Deleted = true }).ToRow())),
        ];

    private static async Task<Digest?> NeededByAsync(
        DecisionView view,
        BlobPath path,
        CancellationToken cancellationToken
    )
    {
        var app = path.Repository.App;
        // The journal says when an image that needs this is committed since; for a long manifest it says so by this one key.
        view.AddReadKey(Keys.AnyDependency(app));
        foreach (var need in await view.RangeAsync(Keys.Dependencies(app, path.Digest), cancellationToken))
        {
            if (
                DependencyRow.From(need).By.Digest is { } by
                && await view.ImageAsync(app, by, cancellationToken) is not null
            )
            {
                return by;
            }
        }

        return null;
    }
}
