using ImagesFunctions.Blobs;
using ImagesFunctions.Ingest;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>
/// The sweeper's decisions about one namespace. Whoever asks has a suspicion; here everything is read again and decided in
/// the namespace's order, so that a suspicion may be old or wrong. Each answers how many rows changed, or <see cref="Busy"/>.
/// </summary>
internal sealed partial class Garbage(
    Catalog catalog,
    Content content,
    Removal removal,
    BlobIngest ingest,
    LayoutIndex layoutIndex,
    SweepAge age,
    bool dryRun
)
{
    /// <summary>Others changed what the decision read as often as it was made: left for the next sweep.</summary>
    public const int Busy = -1;

    /// <summary>The most rows of a kind to decide about at once: a waiting tag takes two.</summary>
    public const int Most = 40;

    private const int MaxTries = 10;
    private const int ReadsAtOnce = 16;

    /// <summary>Removes a blob that no image needs, that is none itself, and that is not young.</summary>
    public async Task<int> BlobAsync(Repository repository, Digest digest, CancellationToken cancellationToken)
    {
        var changed = await CommitAsync(
            repository.Namespace,
            async (view, stop) =>
                await GoodAndOldAsync(view, repository, digest, stop) is { } blob
                && await ImageAsync(view, repository, digest, stop) is null
                && !await IsNeededAsync(view, repository, blob, layoutCounts: false, stop)
                    ? [Removal.Mark(view, blob)]
                    : [],
            cancellationToken
        );
        return await FinishAsync(repository, digest, changed, cancellationToken);
    }

    /// <summary>Removes an image that a deleted index names and that no tag, no other index and no <c>index.json</c> does.</summary>
    public async Task<int> ChildAsync(
        Repository repository,
        Digest index,
        Digest child,
        CancellationToken cancellationToken
    )
    {
        var changed = await CommitAsync(
            repository.Namespace,
            async (view, stop) =>
                await IsDeletedAndOldAsync(view, repository, index, stop)
                && await GoodAndOldAsync(view, repository, child, stop) is { } blob
                && await ImageAsync(view, repository, child, stop) is { } image
                && !await IsNeededAsync(view, repository, blob, layoutCounts: true, stop)
                && !await IsTaggedAsync(view, image, stop)
                    ? await Removal.ImageChangesAsync(view, image, blob, stop)
                    : [],
            cancellationToken
        );
        return await FinishAsync(repository, child, changed, cancellationToken);
    }

    /// <summary>Removes the row of an index that is deleted, or waits in vain, when its blob is gone and nothing that it names is there.</summary>
    public Task<int> IndexAsync(Repository repository, ImageRow index, CancellationToken cancellationToken) =>
        CommitAsync(
            repository.Namespace,
            async (view, stop) =>
            {
                var row = await view.GetAsync(index.Key, stop);
                var state = row is null ? ImageState.Complete : ImageRow.From(row).State;
                if (
                    state is not (ImageState.Deleted or ImageState.Waiting)
                    || age.IsYoung(row!.Timestamp, pushed: state == ImageState.Deleted)
                    || await view.GetAsync(Keys.Blob(index.App, index.Digest), stop) is not null
                )
                {
                    return [];
                }

                // One that never was complete has kept nothing out of lists but for its tags.
                var children = state == ImageState.Deleted ? index.Children : [];
                foreach (var some in children.Select(ImageRow.Parse).Chunk(ReadsAtOnce))
                {
                    var rows = await Task.WhenAll(some.Select(c => view.GetAsync(Keys.Image(index.App, c), stop)));
                    if (Array.Exists(rows, r => ImageRow.Live(r) is not null))
                    {
                        return [];
                    }
                }

                return [new Change(index.Key, null)];
            },
            cancellationToken
        );

    /// <summary>Removes the row of an <c>index.json</c> that is gone.</summary>
    public Task<int> LayoutAsync(Repository repository, CancellationToken cancellationToken) =>
        CommitAsync(
            repository.Namespace,
            async (view, stop) =>
                await view.GetAsync(Keys.Layout(repository.App), stop) is { } row
                && !age.IsYoung(row.Timestamp, pushed: false)
                && await IndexJsonAsync(view.Partition, repository.App, stop) is null
                    ? [new Change(row.Key, null)]
                    : [],
            cancellationToken
        );

    private async Task<int> CommitAsync(
        string @namespace,
        Func<DecisionView, CancellationToken, Task<List<Change>>> decide,
        CancellationToken cancellationToken
    )
    {
        var (isDone, changed) = await catalog.TryCommitAsync(
            @namespace,
            MaxTries,
            async (view, stop) =>
            {
                var changes = await decide(view, stop);
                return dryRun ? Decision.Nothing(changes.Count) : Decision.Of(changes.Count, changes);
            },
            cancellationToken
        );
        return isDone ? changed : Busy;
    }

    private async Task<int> FinishAsync(
        Repository repository,
        Digest digest,
        int changed,
        CancellationToken cancellationToken
    )
    {
        if (changed > 0 && !dryRun && !await removal.FinishAsync(repository, digest, cancellationToken))
        {
            await ingest.LandedAsync(LayoutPath.Of(repository, digest), cancellationToken);
        }

        return changed;
    }

    private async Task<BlobRow?> GoodAndOldAsync(
        DecisionView view,
        Repository repository,
        Digest digest,
        CancellationToken cancellationToken
    ) =>
        await view.GetAsync(Keys.Blob(repository.App, digest), cancellationToken) is { } row
        && BlobRow.From(row) is { State: BlobState.Good } blob
        && !age.IsYoung(row.Timestamp, blob.Pushed)
            ? blob
            : null;

    private static async Task<ImageRow?> ImageAsync(
        DecisionView view,
        Repository repository,
        Digest digest,
        CancellationToken cancellationToken
    ) => ImageRow.Live(await view.GetAsync(Keys.Image(repository.App, digest), cancellationToken));

    private async Task<bool> IsDeletedAndOldAsync(
        DecisionView view,
        Repository repository,
        Digest index,
        CancellationToken cancellationToken
    ) =>
        await view.GetAsync(Keys.Image(repository.App, index), cancellationToken) is { } row
        && ImageRow.From(row).State == ImageState.Deleted
        && !age.IsYoung(row.Timestamp, pushed: true);

    // By an image, or by anything that may be about to become one.
    private async Task<bool> IsNeededAsync(
        DecisionView view,
        Repository repository,
        BlobRow blob,
        bool layoutCounts,
        CancellationToken cancellationToken
    )
    {
        view.Watch(Keys.AnyNeed(repository.App));
        foreach (var row in await view.RangeAsync(Keys.Needs(repository.App, blob.Digest), cancellationToken))
        {
            var by = NeedRow.From(row).By;
            if (
                age.IsYoung(row.Timestamp, blob.Pushed)
                || (layoutCounts && by.Digest is null)
                || (
                    by.Digest is { } digest && await ImageAsync(view, repository, digest, cancellationToken) is not null
                )
            )
            {
                return true;
            }
        }

        return false;
    }

    private static async Task<bool> IsTaggedAsync(
        DecisionView view,
        ImageRow image,
        CancellationToken cancellationToken
    ) =>
        (await view.RangeAsync(Keys.OfApp('t', image.App), cancellationToken))
            .Select(TagRow.From)
            .Any(t => t.Digest == image.Digest && (t.Generation is null || t.Generation == image.Generation));

    private async Task<StoredBlob?> IndexJsonAsync(
        string @namespace,
        string app,
        CancellationToken cancellationToken
    ) => await content.StatAsync(LayoutPath.IndexOf(Repository.Of(@namespace, app)), cancellationToken);
}
