using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.GarbageCollection;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Catalog;

/// <summary>A process that deletes an image, or the blob if nothing needs it: see <c>Removal</c>.</summary>
internal class Deleter(World world, Actor actor, ModelStorage storage, ModelBlobs blobs)
    : RepositoryProcess(world, actor, storage, blobs)
{
    /// <summary>Deletes an image.</summary>
    public Task DeleteImageAsync(Digest image) =>
        DeleteAsync(
            image,
            (view, stop) => Removal.DecideImageAsync(view, Goods.Path(image), DateTimeOffset.UnixEpoch, stop)
        );

    /// <summary>Deletes a blob.</summary>
    public Task DeleteBlobAsync(Digest blob) =>
        DeleteAsync(blob, (view, stop) => Removal.DecideBlobAsync(view, Goods.Path(blob), stop));

    private async Task DeleteAsync(
        Digest digest,
        Func<DecisionView, CancellationToken, Task<Decision<RemovalResult>>> decide
    )
    {
        try
        {
            var result = await Journal.CommitAsync(decide, CancellationToken.None);
            if (result.Marked is { } marked)
            {
                await FinishAsync(digest, marked);
            }
        }
        catch (Exception error) when (error is IOException or StorageUnavailableException)
        {
            // Nobody knows.
        }
    }

    /// <summary>What becomes of the row of a blob that is removed.</summary>
    protected virtual TableRow? AsRemoved(BlobRow row) => row.AsRemoved().ToRow();

    // See Removal.FinishAsync.
    private async Task FinishAsync(Digest digest, MarkedBlob marked)
    {
        var deleting = Blobs.DeleteAsync(Actor, digest, marked.BlobETag);
        var reading = marked.Row is { } known ? Task.FromResult<BlobRow?>(known) : BlobAsync(digest);
        await Task.WhenAll(deleting, reading);
        if (await reading is { State: BlobState.Deleting } row && row.BlobETag == marked.BlobETag)
        {
            await SendAsync(new Change(row.Key, AsRemoved(row), row.RowETag));
        }
    }
}

/// <summary>A process that sweeps: it suspects everything, and the garbage collector's decisions tell what is garbage.</summary>
internal class SweepingProcess(World world, Actor actor, ModelStorage storage, ModelBlobs blobs)
    : RepositoryProcess(world, actor, storage, blobs)
{
    private const int MaxTries = 10;

    /// <summary>How long what nobody needs is kept.</summary>
    public static TimeSpan Grace { get; } = TimeSpan.FromHours(1);

    private SweepAge Age =>
        new(DateTimeOffset.UnixEpoch + World.Now, new SweepOptions { AfterPush = Grace, AfterDrop = Grace });

    /// <summary>Sweeps once.</summary>
    public async Task SweepAsync()
    {
        foreach (var digest in Goods.Images.Append(Goods.Layer))
        {
            await GuardedAsync(async () =>
            {
                if (await CommitAsync((view, stop) => BlobChangesAsync(view, digest, stop)))
                {
                    await FinishOrTakeInAsync(digest);
                }

                await SweepMarkedAsync(digest);
            });
        }

        await GuardedAsync(async () =>
        {
            var needs = new DependencyGarbage(null!, null!, Age);
            foreach (var row in await RangeAsync(Keys.OfApp('n', Goods.App)))
            {
                await CommitAsync(
                    async (view, stop) =>
                        await view.GetAsync(row.Key, stop) is { } now ? await needs.ChangesAsync(view, now, stop) : []
                );
            }
        });
    }

    // See BlobSweep.
    private async Task SweepMarkedAsync(Digest digest)
    {
        if (
            await GetAsync(Keys.Blob(Goods.App, digest)) is not { } row
            || BlobRow.From(row) is not { State: BlobState.Deleting } blob
        )
        {
            return;
        }

        if (!blob.IsRemoved)
        {
            await FinishOrTakeInAsync(digest);
        }
        else if (!Age.IsYoung(row.Timestamp, pushed: true) && await Blobs.ETagAsync(Actor, digest) is null)
        {
            await SendAsync(new Change(row.Key, null, row.Version));
        }
    }

    /// <summary>Decides whether a blob is garbage.</summary>
    protected virtual async Task<IReadOnlyList<Change>> BlobChangesAsync(
        DecisionView view,
        Digest digest,
        CancellationToken cancellationToken
    ) => await new BlobGarbage(null!, null!, null!, Age).BlobChangesAsync(view, Goods.App, digest, cancellationToken);

    private async Task<bool> CommitAsync(Func<DecisionView, CancellationToken, Task<IReadOnlyList<Change>>> decide)
    {
        var (isDone, changed) = await Journal.TryCommitAsync(
            MaxTries,
            async (view, stop) =>
            {
                var changes = await decide(view, stop);
                return Decision.Of(changes.Count > 0, changes);
            },
            CancellationToken.None
        );
        return isDone && changed;
    }

    private static async Task GuardedAsync(Func<Task> sweep)
    {
        try
        {
            await sweep();
        }
        catch (Exception error) when (error is IOException or StorageUnavailableException)
        {
            // It is left to the next sweep.
        }
    }
}
