using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Policy;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Repositories;

/// <summary>A manifest that a client pushes.</summary>
/// <param name="Path">Its blob.</param>
/// <param name="Bytes">Its bytes, which hash to the blob's digest.</param>
/// <param name="Manifest">What they say.</param>
/// <param name="Tags">Distinct tags to point to it, at most 90.</param>
/// <param name="Condition">What has to hold of what it replaces; null: nothing.</param>
internal sealed record PushedManifest(
    BlobPath Path,
    ReadOnlyMemory<byte> Bytes,
    Manifest Manifest,
    IReadOnlyList<string> Tags,
    TagCondition? Condition
)
{
    /// <summary>Who pushes it; null where nobody is known.</summary>
    public Author? By { get; init; }
}

/// <summary>
/// Commits manifests that clients push: one decision reads all that a manifest needs, and one transaction makes its rows
/// <c>b</c>, <c>n</c> and <c>i</c> and its tags, or nothing of it.
/// </summary>
internal sealed class ManifestPush(
    RowStore rowStore,
    Content content,
    ImageRows imageRows,
    BlobStore blobs,
    BlobInvalidation invalidation,
    ManifestCommit manifests
)
{
    private const int MaxTries = 10;

    /// <summary>Commits a manifest with its tags: all of it, or nothing; and then whatever is complete by that.</summary>
    /// <returns>What it needs and the repository does not have: then nothing was stored. Empty when it is committed.</returns>
    /// <exception cref="PreconditionFailedException">The condition does not hold; nothing was stored.</exception>
    /// <exception cref="QuotaExceededException">The account has no room for it; nothing was stored.</exception>
    /// <exception cref="StorageUnavailableException">Others changed the manifest, or what it needs, at each try.</exception>
    public async Task<IReadOnlyList<Digest>> RunAsync(PushedManifest pushed, CancellationToken cancellationToken)
    {
        BlobRow? created = null;
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            var step = new PushStep(rowStore, content, imageRows, blobs, pushed) { AssumesNew = attempt == 1 };
            var outcome = await CommitFittingAsync(step, created, cancellationToken);
            created = step.Created ?? created;
            switch (outcome.State)
            {
                case ManifestState.Unmatched:
                    throw new PreconditionFailedException("what a push was to replace is something else");
                case ManifestState.Waiting:
                    return outcome.Missing;
                case ManifestState.Committed or ManifestState.Already:
                    // After the commit, as everywhere: a manifest that needs this one writes its row n and then looks for this one's row i.
                    var dependents = rowStore.DependentsAsync(
                        pushed.Path.Repository,
                        pushed.Path.Digest,
                        cancellationToken
                    );
                    var isStill = IsStillAsync(step, cancellationToken);
                    await Task.WhenAll(dependents, isStill);
                    if (await isStill)
                    {
                        await CommitReadyAsync(pushed.Path, await dependents, cancellationToken);
                        return [];
                    }

                    break;
            }
        }

        throw new StorageUnavailableException($"{pushed.Path.Digest} was changed by others at each try");
    }

    // What does not fit is refused by the decision, and its bytes are stored before that.
    private async Task<PushOutcome> CommitFittingAsync(
        PushStep step,
        BlobRow? before,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await CommitAsync(step, cancellationToken);
        }
        catch (QuotaExceededException) when ((step.Created ?? before) is not null)
        {
            await blobs.TakeBackAsync(step.Path, (step.Created ?? before)!, before: null, cancellationToken);
            throw;
        }
    }

    // Most manifests are new. Where one is not, the transaction that adds its row is refused, and the row is read.
    private async Task<PushOutcome> CommitAsync(PushStep step, CancellationToken cancellationToken)
    {
        var ns = step.Path.Repository.Namespace;
        Task<Decision<PushOutcome>> DecideAsync(DecisionView view, CancellationToken stop) =>
            PushDecision.DecideAsync(view, step, stop);
        if (step.AssumesNew)
        {
            var (isDone, outcome) = await rowStore.TryCommitAsync(ns, maxTries: 1, DecideAsync, cancellationToken);
            if (isDone)
            {
                return outcome!;
            }

            step.AssumesNew = false;
        }

        return await rowStore.CommitAsync(ns, DecideAsync, cancellationToken);
    }

    // The second look comes after the row: a delete or overwrite in between either sees the row or is seen here. Where the row
    // was there before, the look came after it, too.
    private async Task<bool> IsStillAsync(PushStep step, CancellationToken cancellationToken)
    {
        if (step.Created is not { } row || await content.IsStillAsync(step.Path, row.BlobETag, cancellationToken))
        {
            return true;
        }

        await invalidation.RunAsync(step.Path, row, cancellationToken);
        return false;
    }

    private Task CommitReadyAsync(BlobPath path, List<DependencyRow> dependents, CancellationToken cancellationToken) =>
        manifests.CommitReadyAsync(
            path.Repository,
            dependents.Exists(d => d.By.WaitingTag is not null) ? [path.Digest] : [],
            Dependencies.Manifests(dependents),
            cancellationToken
        );
}

/// <summary>What came of one try to commit a pushed manifest.</summary>
/// <param name="State">
/// Committed, already committed before, waiting for what is missing, unmatched; or forgotten: what was made outside the
/// decision does not hold any more, and the push has to begin anew.
/// </param>
internal sealed record PushOutcome(ManifestState State)
{
    /// <summary>What it needs and the repository does not have.</summary>
    public IReadOnlyList<Digest> Missing { get; init; } = [];
}

/// <summary>
/// What one try to push a manifest makes before it is decided: the stored blob, and the image's row. Neither counts before the
/// commit.
/// </summary>
internal sealed class PushStep(
    RowStore rowStore,
    Content content,
    ImageRows imageRows,
    BlobStore blobs,
    PushedManifest pushed
)
{
    /// <summary>What is pushed.</summary>
    public PushedManifest Pushed => pushed;

    /// <summary>Its blob.</summary>
    public BlobPath Path => pushed.Path;

    /// <summary>The image's row, as far as it follows from bytes.</summary>
    public PreparedImage Prepared { get; } = new(imageRows, content, pushed.Path, pushed.Manifest, ImageState.Complete);

    /// <summary>What it needs.</summary>
    public IReadOnlyList<DependencyRow> Dependencies { get; } =
        Repositories.Dependencies.Of(pushed.Path, pushed.Manifest);

    /// <summary>What the rows of its tags say of the push.</summary>
    public TagPush Push => new(Prepared.Committed, pushed.By);

    /// <summary>Whether the rows of <see cref="Dependencies"/> are few enough to be a part of the commit; else they are written before it.</summary>
    public bool DependenciesRide => Dependencies.Count + pushed.Tags.Count <= PushDecision.MaxRiding;

    /// <summary>Whether the decision leaves the blob's row unread where there is no image's: that it is new shows at the commit.</summary>
    public bool AssumesNew { get; set; }

    /// <summary>Whether <see cref="PrepareAsync"/> was called.</summary>
    public bool IsTried { get; private set; }

    /// <summary>The blob's row, which the stored blob bears out; null where it was changed, so that the push has to begin anew.</summary>
    public BlobRow? Row { get; private set; }

    /// <summary>The blob's row where this try has created the blob, and the commit has to write it; else null.</summary>
    public BlobRow? Created { get; private set; }

    /// <summary>
    /// Stores the blob, unless it is there and its row says so, and the rows of what it needs where those do not ride; and makes
    /// the image's row.
    /// </summary>
    /// <param name="row">The blob's row as the decision read it; null where there is none.</param>
    /// <param name="needed">The rows of all that it needs; null where the image's row is there.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task PrepareAsync(BlobRow? row, NeededRows? needed, CancellationToken cancellationToken)
    {
        IsTried = true;
        var making = needed is null
            ? Task.CompletedTask
            : Prepared.MakeAsync(needed.Blobs, needed.Children, cancellationToken);
        await Task.WhenAll(StoreAsync(row, cancellationToken), making);
    }

    private async Task StoreAsync(BlobRow? row, CancellationToken cancellationToken)
    {
        if (row is null)
        {
            var ns = Path.Repository.Namespace;
            await rowStore.DemandRoomAsync(ns, pushed.Bytes.Length, Keys.Blob(Path), cancellationToken);
        }

        if (row is null && await TryCreateAsync(cancellationToken) is { } etag)
        {
            Row = Created = new BlobRow(
                Path.Repository.App,
                Path.Digest,
                pushed.Bytes.Length,
                etag,
                BlobState.Good,
                Tar: null
            )
            {
                Pushed = true,
            };
        }
        else if (row is { State: BlobState.Good } && await IsReadableAsync(row, cancellationToken))
        {
            Row = row;
        }
        else
        {
            await blobs.StoreAsync(Path, pushed.Bytes, cancellationToken);
            return;
        }

        if (!DependenciesRide)
        {
            // Written anew also where they are: a sweep that removes them compares their ETags.
            await rowStore.PutDependenciesAsync(Path.Repository.Namespace, Dependencies, cancellationToken);
        }
    }

    // Null, too, where storage keeps what is there from being written over: it is looked at then.
    private async Task<string?> TryCreateAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await content.CreateAsync(Path, pushed.Bytes, cancellationToken);
        }
        catch (StorageHeldException)
        {
            return null;
        }
    }

    // One in the archive tier is not: the push puts its own bytes in its place.
    private async Task<bool> IsReadableAsync(BlobRow row, CancellationToken cancellationToken) =>
        await content.StatAsync(Path, cancellationToken) is { Unreadable: null } stored && stored.ETag == row.BlobETag;
}
