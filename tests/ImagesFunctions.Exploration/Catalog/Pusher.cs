using ImagesFunctions.Accounts;
using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Catalog;

/// <summary>A process that pushes, as <c>BlobStore</c> and <c>ManifestPush</c> do.</summary>
internal sealed class Pusher(World world, Actor actor, ModelStorage storage, ModelBlobs blobs)
    : RepositoryProcess(world, actor, storage, blobs)
{
    private const int MaxTries = 10;

    /// <summary>The manifests of which it was told that they are pushed.</summary>
    public HashSet<Digest> Pushed { get; } = [];

    /// <summary>Pushes the blob, and then a manifest that needs it.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="tags">Its tags.</param>
    public async Task PushAsync(Digest manifest, params IReadOnlyList<string> tags)
    {
        try
        {
            await StoreAsync(Goods.Layer);
            if (await PushManifestAsync(manifest, tags))
            {
                Pushed.Add(manifest);
            }
        }
        catch (Exception error) when (error is AccessDeniedException or QuotaExceededException)
        {
            // A rule keeps the tag as it is, or there is no room.
        }
        catch (Exception error) when (error is IOException or StorageUnavailableException)
        {
            // Nobody knows.
        }
    }

    // See BlobStore.StoreAsync.
    private async Task StoreAsync(Digest digest)
    {
        var written = await Blobs.CreateAsync(Actor, digest);
        if (written is not null && await AddAsync(digest, written, null))
        {
            return;
        }

        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            var row = await BlobAsync(digest);
            if (row is { IsBeingRemoved: true })
            {
                await FinishAsync(digest);
                continue;
            }

            var stored = await Blobs.ETagAsync(Actor, digest);
            if (stored is null)
            {
                written = await Blobs.CreateAsync(Actor, digest);
            }
            else if (stored != written && await RenewAsync(digest, row, stored))
            {
                return;
            }

            if (written is not null && (stored is null || stored == written) && await AddAsync(digest, written, row))
            {
                return;
            }
        }

        throw new StorageUnavailableException("others changed the blob each time");
    }

    private async Task<bool> AddAsync(Digest digest, string etag, BlobRow? before)
    {
        if (!await PutFittingAsync(digest, etag, before) || await Blobs.ETagAsync(Actor, digest) != etag)
        {
            return false;
        }

        await CommitReadyAsync(digest, (await DependentsAsync(digest), IsImage: false));
        return true;
    }

    // See BlobStore.PutAsync.
    private async Task<bool> PutFittingAsync(Digest digest, string etag, BlobRow? before)
    {
        try
        {
            return await PutAsync(RowOf(digest, etag), before);
        }
        catch (QuotaExceededException)
        {
            await TakeBackAsync(RowOf(digest, etag), before);
            throw;
        }
    }

    // See BlobStore.TakeBackAsync.
    private async Task TakeBackAsync(BlobRow row, BlobRow? before)
    {
        if (await PutAsync(row with { State = BlobState.Deleting }, before))
        {
            await FinishAsync(row.Digest);
        }
    }

    // Its row is written anew, unchanged; without one its bytes are verified as they stand.
    private Task<bool> RenewAsync(Digest digest, BlobRow? row, string etag) =>
        row is { State: BlobState.Good } && row.BlobETag == etag ? PutAsync(row, row) : VerifyAsync(digest, row, etag);

    // See ManifestPush.RunAsync.
    private async Task<bool> PushManifestAsync(Digest manifest, IReadOnlyList<string> tags)
    {
        var pushed = new PushedManifest(
            Goods.Path(manifest),
            Goods.BytesOf(manifest),
            Goods.Parse(manifest),
            [.. tags],
            Condition: null
        );
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            var step = new PushStep(null!, Goods.Content, null!, null!, pushed) { AssumesNew = attempt == 1 };
            var outcome = await CommitFittingAsync(step);
            if (outcome.State == ManifestState.Waiting)
            {
                return false;
            }

            if (outcome.State is ManifestState.Committed or ManifestState.Already)
            {
                var dependents = DependentsAsync(manifest);
                var isStill = IsStillAsync(step);
                await Task.WhenAll(dependents, isStill);
                if (await isStill)
                {
                    await CommitReadyAsync(manifest, (await dependents, IsImage: false));
                    return true;
                }
            }
        }

        throw new StorageUnavailableException("others changed the manifest each time");
    }

    private async Task<bool> IsStillAsync(PushStep step) =>
        step.Created is not { } row || await Blobs.ETagAsync(Actor, step.Path.Digest) == row.BlobETag;

    private async Task<PushOutcome> CommitFittingAsync(PushStep step)
    {
        try
        {
            return await CommitAsync(step);
        }
        catch (QuotaExceededException) when (step.Created is not null)
        {
            await TakeBackAsync(step.Created, before: null);
            throw;
        }
    }

    private async Task<PushOutcome> CommitAsync(PushStep step)
    {
        if (step.AssumesNew)
        {
            var (isDone, outcome) = await Journal.TryCommitAsync(
                1,
                (view, stop) => DecideAsync(view, step, stop),
                CancellationToken.None
            );
            if (isDone)
            {
                return outcome!;
            }

            step.AssumesNew = false;
        }

        return await Journal.CommitAsync((view, stop) => DecideAsync(view, step, stop), CancellationToken.None);
    }

    private async Task<Decision<PushOutcome>> DecideAsync(
        DecisionView view,
        PushStep step,
        CancellationToken cancellationToken
    )
    {
        var decision = await PushDecision.DecideAsync(view, step, cancellationToken);
        return decision.Prepare is null ? decision : decision with { Prepare = _ => PrepareAsync(view, step) };
    }

    // See PushStep.PrepareAsync.
    private async Task PrepareAsync(DecisionView view, PushStep step)
    {
        var digest = step.Path.Digest;
        Steps.Make(step.Prepared, digest);
        var current = await view.ImageAsync(Goods.App, digest, CancellationToken.None);
        var stored =
            step.AssumesNew && current is null
                ? null
                : await view.GetAsync(Keys.Blob(step.Path), CancellationToken.None);
        var row = stored is null ? null : BlobRow.From(stored);
        if (row is null && await Blobs.CreateAsync(Actor, digest) is { } etag)
        {
            Steps.Store(step, RowOf(digest, etag), isCreated: true);
        }
        else if (row is { State: BlobState.Good } && await Blobs.ETagAsync(Actor, digest) == row.BlobETag)
        {
            Steps.Store(step, row, isCreated: false);
        }
        else
        {
            Steps.Store(step, row: null, isCreated: false);
            await StoreAsync(digest);
        }
    }

    private static BlobRow RowOf(Digest digest, string etag) =>
        new(Goods.App, digest, 1, etag, BlobState.Good, Tar: null) { Pushed = true };
}
