using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Catalog;

/// <summary>
/// A process of the service on one repository: what it writes and reads in which order is what the service's classes of the same names
/// do, and the decisions are theirs. Faults are planted by other implementations of a step.
/// </summary>
/// <param name="world">The world.</param>
/// <param name="actor">The process.</param>
/// <param name="storage">The table.</param>
/// <param name="blobs">The blobs.</param>
internal class RepositoryProcess(World world, Actor actor, ModelStorage storage, ModelBlobs blobs)
    : CommittingProcess(world, actor, storage)
{
    private const int MaxTries = 10;
    private const int MaxEvents = 100;

    /// <summary>The blobs.</summary>
    protected ModelBlobs Blobs => blobs;

    /// <summary>Takes in a blob as it is stored now, as an event of it does: see <c>BlobRegistration</c>. Events are repeated until it succeeds.</summary>
    public async Task LandedAsync(Digest digest)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                while (!await TryRegisterAsync(digest)) { }

                return;
            }
            catch (Exception error) when (error is IOException or StorageUnavailableException && attempt < MaxEvents)
            {
                // The event comes again.
            }
            catch (QuotaExceededException)
            {
                // It is refused.
                return;
            }
        }
    }

    /// <summary>Applies an <c>index.json</c> that names a manifest: its row <c>n</c> is written, and then it is tried.</summary>
    public async Task NameAsync(Digest manifest)
    {
        var named = new DependencyRow(Goods.App, manifest, Dependent.Layout, MediaTypes.OciManifest);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await PutAllAsync([new Change(named.Key, named.ToRow())]);
                await CommitReadyAsync([manifest]);
                return;
            }
            catch (Exception error) when (error is IOException or StorageUnavailableException && attempt < MaxEvents)
            {
                // So does this one.
            }
        }
    }

    /// <summary>Writes the row of a verified blob, and tries what it may complete: see <c>BlobRegistration.VerifyAsync</c>.</summary>
    /// <returns>False where the blob or its row changed meanwhile.</returns>
    protected virtual async Task<bool> VerifyAsync(Digest digest, BlobRow? row, string etag)
    {
        var verified = new BlobRow(Goods.App, digest, 1, etag, BlobState.Good, Tar: null);
        if (!await PutAsync(verified, row))
        {
            return false;
        }

        // Both after the row.
        var isStill = blobs.ETagAsync(Actor, digest);
        var waiting = WaitingAsync(digest);
        await Task.WhenAll(isStill, waiting);
        if (await isStill != etag)
        {
            return false;
        }

        await CommitReadyAsync(digest, await waiting);
        return true;
    }

    /// <summary>Who needs a blob, and whether it is an image itself: see <c>BlobRegistration.WaitingAsync</c>.</summary>
    protected async Task<(List<DependencyRow> Dependents, bool IsImage)> WaitingAsync(Digest digest)
    {
        var dependents = DependentsAsync(digest);
        var image = GetAsync(Keys.Image(Goods.App, digest));
        await Task.WhenAll(dependents, image);
        return (await dependents, ImageRow.Live(await image) is not null);
    }

    /// <summary>Whether a manifest that misses something is tried again after its rows <c>n</c> are written.</summary>
    protected virtual bool TriesAgain => true;

    /// <summary>The second and third step of a removal: see <c>Removal.FinishAsync</c>.</summary>
    /// <returns>False where the path has new bytes.</returns>
    protected virtual async Task<bool> FinishAsync(Digest digest)
    {
        if (await BlobAsync(digest) is not { IsBeingRemoved: true } row)
        {
            return true;
        }

        var isGone = await blobs.DeleteAsync(Actor, digest, row.BlobETag);
        await SendAsync(new Change(row.Key, row.AsRemoved().ToRow(), row.RowETag));
        return isGone;
    }

    /// <summary>Finishes a removal; what is there anew is taken in.</summary>
    protected async Task FinishOrTakeInAsync(Digest digest)
    {
        if (!await FinishAsync(digest))
        {
            await LandedAsync(digest);
        }
    }

    /// <summary>Tries what a blob may complete: see <c>BlobRegistration.CommitReadyAsync</c>.</summary>
    protected Task CommitReadyAsync(Digest digest, (List<DependencyRow> Dependents, bool IsImage) waiting)
    {
        var isManifest = waiting.IsImage || waiting.Dependents.Exists(d => d.ManifestType is not null);
        return CommitReadyAsync([.. isManifest ? new[] { digest } : [], .. Dependencies.Manifests(waiting.Dependents)]);
    }

    private async Task CommitReadyAsync(IEnumerable<Digest> manifests)
    {
        var open = new Queue<Digest>(manifests.Distinct());
        var tried = new HashSet<Digest>(open);
        while (open.TryDequeue(out var manifest))
        {
            foreach (var dependent in (await TryAsync(manifest)).Where(tried.Add))
            {
                open.Enqueue(dependent);
            }
        }
    }

    // See ManifestTry.
    private async Task<List<Digest>> TryAsync(Digest manifest)
    {
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            var step = new ManifestStep(Goods.Content, null!, Goods.Path(manifest));
            var outcome = await Journal.CommitAsync((view, stop) => DecideAsync(view, step, stop), Never);
            if (outcome.State is ManifestState.Committed or ManifestState.Already)
            {
                return [.. (await DependentsAsync(manifest)).Select(d => d.By.Digest).OfType<Digest>()];
            }

            if (outcome.State is not (ManifestState.Waiting or ManifestState.Forgotten))
            {
                return [];
            }

            var isWritten = await WriteDependenciesAsync(step);
            if (!TriesAgain || (!isWritten && outcome.State == ManifestState.Waiting))
            {
                return [];
            }
        }

        throw new StorageUnavailableException("what it needs was swept each time");
    }

    private async Task<Decision<ManifestOutcome>> DecideAsync(
        DecisionView view,
        ManifestStep step,
        CancellationToken cancellationToken
    )
    {
        var decision = await ManifestDecision.DecideAsync(view, step, cancellationToken);
        return decision.Prepare is null ? decision : decision with { Prepare = _ => PrepareAsync(view, step) };
    }

    private async Task PrepareAsync(DecisionView view, ManifestStep step)
    {
        if (step.IsRead)
        {
            Steps.Make(step.Prepared!, step.Path.Digest);
            return;
        }

        // As the decision has just read it.
        var row = BlobRow.From((await view.GetAsync(Keys.Blob(step.Path), Never))!);
        Steps.Read(step, row, await blobs.ETagAsync(Actor, step.Path.Digest) == row.BlobETag);
    }

    private async Task<bool> WriteDependenciesAsync(ManifestStep step)
    {
        if (step.Dependencies.Count == 0 || await GetAsync(step.Dependencies[^1].Key) is not null)
        {
            return false;
        }

        await PutAllAsync([.. step.Dependencies.Select(d => new Change(d.Key, d.ToRow()))]);
        return true;
    }

    // See BlobRegistration.TryRegisterAsync.
    private async Task<bool> TryRegisterAsync(Digest digest)
    {
        var row = await BlobAsync(digest);
        if (row is { IsBeingRemoved: true })
        {
            return await FinishAsync(digest);
        }

        var waiting = row is null ? null : WaitingAsync(digest);
        var stat = blobs.ETagAsync(Actor, digest);
        await Task.WhenAll(waiting ?? Task.CompletedTask, stat);
        if (await stat is not { } etag)
        {
            if (row is not null)
            {
                await InvalidateAsync(digest, row);
            }

            return true;
        }

        if (row is not { State: BlobState.Good } || row.BlobETag != etag)
        {
            return await VerifyAsync(digest, row, etag);
        }

        await CommitReadyAsync(digest, await waiting!);
        return true;
    }

    // See BlobInvalidation.
    private async Task InvalidateAsync(Digest digest, BlobRow blob)
    {
        var goesOn = await Journal.CommitAsync((view, stop) => MarkAsync(view, digest, blob, stop), Never);
        while (goesOn)
        {
            goesOn = await Journal.CommitAsync((view, stop) => BlobInvalidation.HideAsync(view, blob, stop), Never);
        }
    }

    private async Task<Decision<bool>> MarkAsync(
        DecisionView view,
        Digest digest,
        BlobRow blob,
        CancellationToken cancellationToken
    )
    {
        if (
            await view.GetAsync(blob.Key, cancellationToken) is not { } stored
            || BlobRow.From(stored) is not { State: not BlobState.Deleting } row
            || row.BlobETag != blob.BlobETag
        )
        {
            return Decision.Nothing(false);
        }

        if (row.State == BlobState.Invalid)
        {
            return Decision.Nothing(true);
        }

        var invalid = (row with { State = BlobState.Invalid }).ToRow();
        return await blobs.ETagAsync(Actor, digest) == row.BlobETag
            ? Decision.Nothing(false)
            : Decision.Of(true, [new Change(row.Key, invalid, row.RowETag)]);
    }
}
