using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Decides about rows that stand for nothing any more: see <see cref="Garbage"/>.</summary>
internal sealed class RowGarbage(GarbageCommit commit, Content content, SweepAge age)
{
    /// <summary>Removes those of these tags that no image has, and those that wait though no <c>index.json</c> is there.</summary>
    public Task<int> RemoveTagsAsync(
        string @namespace,
        IReadOnlyList<string> keys,
        CancellationToken cancellationToken
    ) => commit.RunEachAsync(@namespace, keys, TagChangesAsync, cancellationToken);

    /// <summary>Removes those of these referrers that are no images.</summary>
    public Task<int> RemoveReferrersAsync(
        string @namespace,
        IReadOnlyList<string> keys,
        CancellationToken cancellationToken
    ) => commit.RunEachAsync(@namespace, keys, ReferrerChangesAsync, cancellationToken);

    /// <summary>Removes the row of an index that is deleted, or waits in vain, when its blob is gone and nothing that it names is there.</summary>
    public Task<int> RemoveIndexAsync(Repository repository, ImageRow index, CancellationToken cancellationToken) =>
        commit.RunAsync(repository.Namespace, (view, stop) => IndexChangesAsync(view, index, stop), cancellationToken);

    /// <summary>Removes the row of an <c>index.json</c> that is gone.</summary>
    public Task<int> RemoveLayoutAsync(Repository repository, CancellationToken cancellationToken) =>
        commit.RunAsync(
            repository.Namespace,
            (view, stop) => LayoutChangesAsync(view, repository.App, stop),
            cancellationToken
        );

    /// <summary>Decides what <see cref="RemoveReferrersAsync"/> changes because of one of its rows.</summary>
    internal static async Task<IReadOnlyList<Change>> ReferrerChangesAsync(
        DecisionView view,
        TableRow row,
        CancellationToken cancellationToken
    )
    {
        var referrer = ReferrerRow.From(row);
        var image = Keys.Image(referrer.App, referrer.Digest);
        return ImageRow.Live(await view.GetAsync(image, cancellationToken)) is null ? [new Change(row.Key, null)] : [];
    }

    /// <summary>Decides what <see cref="RemoveIndexAsync"/> changes.</summary>
    internal async Task<List<Change>> IndexChangesAsync(
        DecisionView view,
        ImageRow index,
        CancellationToken cancellationToken
    ) =>
        await StateOfOldAsync(view, index, cancellationToken) is { } state
        && await view.GetAsync(Keys.Blob(index.App, index.Digest), cancellationToken) is null
        // One that never was complete has kept nothing out of lists but for its tags.
        && (state == ImageState.Waiting || !await HasChildAsync(view, index, cancellationToken))
            ? [new Change(index.Key, null)]
            : [];

    /// <summary>Decides what <see cref="RemoveLayoutAsync"/> changes.</summary>
    internal async Task<List<Change>> LayoutChangesAsync(
        DecisionView view,
        string app,
        CancellationToken cancellationToken
    ) =>
        await view.GetAsync(Keys.Layout(app), cancellationToken) is { } row
        && !age.IsYoung(row.Timestamp, pushed: false)
        && !await HasIndexJsonAsync(view.Partition, app, cancellationToken)
            ? [new Change(row.Key, null)]
            : [];

    /// <summary>Decides what <see cref="RemoveTagsAsync"/> changes because of one of its rows.</summary>
    internal async Task<IReadOnlyList<Change>> TagChangesAsync(
        DecisionView view,
        TableRow row,
        CancellationToken cancellationToken
    )
    {
        var tag = TagRow.From(row);
        var image = ImageRow.Live(await view.GetAsync(Keys.Image(tag.App, tag.Digest), cancellationToken));
        if (tag.Generation is not null)
        {
            return tag.Generation == image?.Generation ? [] : [new Change(row.Key, null)];
        }

        if (
            image is not null
            || age.IsYoung(row.Timestamp, pushed: false)
            || await HasIndexJsonAsync(view.Partition, tag.App, cancellationToken)
        )
        {
            return [];
        }

        var need = Keys.Dependency(tag.App, tag.Digest, Dependent.Tag(tag.Tag));
        return await view.GetAsync(need, cancellationToken) is { } waiting
            ? [new Change(row.Key, null), new Change(need, null, waiting.Version)]
            : [new Change(row.Key, null)];
    }

    // Null where the index is neither deleted nor waits, or is young.
    private async Task<ImageState?> StateOfOldAsync(
        DecisionView view,
        ImageRow index,
        CancellationToken cancellationToken
    ) =>
        await view.GetAsync(index.Key, cancellationToken) is { } row
        && ImageRow.From(row).State is (ImageState.Deleted or ImageState.Waiting) and var state
        && !age.IsYoung(row.Timestamp, pushed: state == ImageState.Deleted)
            ? state
            : null;

    private static async Task<bool> HasChildAsync(
        DecisionView view,
        ImageRow index,
        CancellationToken cancellationToken
    )
    {
        foreach (var batch in index.Children.Select(ImageRow.Parse).Chunk(BatchedReads.MaxAtOnce))
        {
            var keys = batch.Select(child => Keys.Image(index.App, child));
            if ((await view.GetAllAsync(keys, cancellationToken)).Any(row => ImageRow.Live(row) is not null))
            {
                return true;
            }
        }

        return false;
    }

    private async Task<bool> HasIndexJsonAsync(string @namespace, string app, CancellationToken cancellationToken) =>
        await content.StatAsync(new IndexPath(Repository.Of(@namespace, app)), cancellationToken) is not null;
}
