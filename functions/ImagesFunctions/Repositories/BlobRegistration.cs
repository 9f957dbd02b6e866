using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Telemetry;

namespace ImagesFunctions.Repositories;

/// <summary>
/// Verifies stored blobs, writes their rows <c>b</c>, and commits the manifests that they complete. Late, repeated and reordered
/// calls, and calls for a blob that is already removed, all lead to the same rows.
/// </summary>
internal sealed class BlobRegistration(
    RowStore rowStore,
    Content content,
    ManifestCommit manifests,
    BlobInvalidation invalidation,
    Removal removal,
    Refusals refusals
)
{
    private const int MaxTries = 10;

    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Takes in a blob as it is stored now: new, overwritten, or removed. Wrong bytes are recorded, not thrown.
    /// </summary>
    /// <exception cref="QuotaExceededException">The account has no room for it.</exception>
    /// <exception cref="StorageUnavailableException">Storage failed, or the blob was overwritten each time it was read.</exception>
    public async Task<Landed> RegisterAsync(BlobPath path, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            if (await TryRegisterAsync(path, cancellationToken) is { } landed)
            {
                return landed;
            }

            await Backoff.DelayAsync(attempt, FirstDelay, MaxDelay, cancellationToken);
        }

        throw new StorageUnavailableException($"{path} was overwritten each time it was read");
    }

    /// <summary>
    /// As <see cref="RegisterAsync"/>, for a blob whose row was added by who wrote its bytes: only what its event cannot know
    /// is left to do.
    /// </summary>
    /// <param name="path">The blob.</param>
    /// <param name="etag">Its ETag as its row has it.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task AddedAsync(BlobPath path, string etag, CancellationToken cancellationToken)
    {
        // The second look comes after the row, as in VerifyAsync, and so does the look for what waits for the blob.
        var isStill = content.IsStillAsync(path, etag, cancellationToken);
        var dependents = rowStore.DependentsAsync(path.Repository, path.Digest, cancellationToken);
        await Task.WhenAll(isStill, dependents);
        await (
            await isStill
                ? CommitReadyAsync(path, (await dependents, IsImage: false), cancellationToken)
                : RegisterAsync(path, cancellationToken)
        );
    }

    // Null when the blob or its row changed meanwhile.
    private async Task<Landed?> TryRegisterAsync(BlobPath path, CancellationToken cancellationToken)
    {
        // The row first: what is compared with it may only be newer.
        var row = await rowStore.BlobAsync(path, cancellationToken);
        if (row is null)
        {
            // Its bytes are read in any case.
            return await VerifyAsync(path, row, etag: null, cancellationToken);
        }

        if (row.IsBeingRemoved)
        {
            return await removal.FinishAsync(path, cancellationToken) ? Landed.Gone : null;
        }

        // After the row, so that it finds whoever did not find that.
        var waiting = WaitingAsync(path, row, cancellationToken);
        var stat = content.StatAsync(path, cancellationToken);
        await Task.WhenAll(waiting, stat);
        if (await stat is not { } stored)
        {
            return await ForgetAsync(path, row, cancellationToken);
        }

        if (row.State != BlobState.Good || row.BlobETag != stored.ETag)
        {
            return await VerifyAsync(path, row, stored.ETag, cancellationToken);
        }

        await CommitReadyAsync(path, await waiting, cancellationToken);
        return Landed.Known;
    }

    private async Task<Landed> ForgetAsync(BlobPath path, BlobRow? row, CancellationToken cancellationToken)
    {
        if (row is not null)
        {
            await invalidation.RunAsync(path, row, cancellationToken);
        }

        await refusals.ClearAsync(path, cancellationToken);
        return Landed.Gone;
    }

    // Null when the blob or its row changed meanwhile.
    private async Task<Landed?> VerifyAsync(
        BlobPath path,
        BlobRow? row,
        string? etag,
        CancellationToken cancellationToken
    )
    {
        var isOwed = await DemandRoomAsync(path, cancellationToken);
        if (await content.HashAsync(path, etag, cancellationToken) is not { } hashed)
        {
            return etag is null && await content.StatAsync(path, cancellationToken) is null
                ? await ForgetAsync(path, row, cancellationToken)
                : null;
        }

        if (hashed.Digest != path.Digest)
        {
            return await RefuseAsync(path, row, hashed, cancellationToken);
        }

        // Before the row: whoever finds the row need not ask whether the path was refused.
        await refusals.ClearAsync(path, cancellationToken);
        var (app, ns) = (path.Repository.App, path.Repository.Namespace);
        var verified = new BlobRow(app, path.Digest, hashed.Size, hashed.ETag, BlobState.Good, hashed.Tar);
        if (!await rowStore.PutBlobAsync(ns, verified, row, cancellationToken, isOwed))
        {
            return null;
        }

        // Both after the row. A delete or overwrite in between either sees the row or is seen here; and so does who needs the blob.
        var isStill = content.IsStillAsync(path, hashed.ETag, cancellationToken);
        var waiting = WaitingAsync(path, verified, cancellationToken);
        await Task.WhenAll(isStill, waiting);
        if (!await isStill)
        {
            return null;
        }

        await CommitReadyAsync(path, await waiting, cancellationToken);
        return Landed.Committed(content.Clock.UtcNow - hashed.LastModified);
    }

    // What does not fit need not be read. True for what an image that is there needs: it hides until that is back.
    private async Task<bool> DemandRoomAsync(BlobPath path, CancellationToken cancellationToken)
    {
        var (repository, digest) = (path.Repository, path.Digest);
        if (!await rowStore.HasQuotaAsync(repository.Namespace, cancellationToken))
        {
            return false;
        }

        if (
            await rowStore.ImageAsync(repository, digest, cancellationToken) is not null
            || (await rowStore.LiveDependentsAsync(repository, digest, cancellationToken)).Count > 0
        )
        {
            return true;
        }

        if (await content.StatAsync(path, cancellationToken) is { } stored)
        {
            await rowStore.DemandRoomAsync(repository.Namespace, stored.Size, Keys.Blob(path), cancellationToken);
        }

        return false;
    }

    // Null when the blob changed meanwhile.
    private async Task<Landed?> RefuseAsync(
        BlobPath path,
        BlobRow? row,
        HashedBlob hashed,
        CancellationToken cancellationToken
    )
    {
        if (
            await content.StatAsync(path, cancellationToken) is { } stored
            && stored.ETag == hashed.ETag
            && stored.Size != hashed.Size
        )
        {
            // Somebody on the way has cut off what came. They would be refused for good.
            throw new StorageUnavailableException($"{hashed.Size} of {stored.Size} bytes of {path} came");
        }

        if (row is not null)
        {
            await invalidation.RunAsync(path, row, cancellationToken);
        }

        var reason = $"the bytes hash to {hashed.Digest}, not to {path.Digest}";
        await refusals.RefuseAsync(RefusalKind.Digest, path, reason, hashed.Digest, cancellationToken);
        if (await content.IsStillAsync(path, hashed.ETag, cancellationToken))
        {
            return Landed.Refused;
        }

        // What it was written for is not there any more; what is there now is looked at next.
        await refusals.ClearAsync(path, cancellationToken);
        return null;
    }

    // Who needs a blob, and whether it is an image itself.
    private async Task<(List<DependencyRow> Dependents, bool IsImage)> WaitingAsync(
        BlobPath path,
        BlobRow row,
        CancellationToken cancellationToken
    )
    {
        var dependents = rowStore.DependentsAsync(path.Repository, path.Digest, cancellationToken);
        // A tar is not a manifest, whatever names it. All else may be one that its own row tells of, though nothing names it now.
        var image = row.Tar is null
            ? rowStore.ImageAsync(path.Repository, path.Digest, cancellationToken)
            : Task.FromResult<ImageRow?>(null);
        await Task.WhenAll(dependents, image);
        return (await dependents, await image is not null);
    }

    private Task CommitReadyAsync(
        BlobPath path,
        (List<DependencyRow> Dependents, bool IsImage) waiting,
        CancellationToken cancellationToken
    ) =>
        manifests.CommitReadyAsync(
            path.Repository,
            waiting.IsImage || waiting.Dependents.Exists(d => d.ManifestType is not null) ? [path.Digest] : [],
            Dependencies.Manifests(waiting.Dependents),
            cancellationToken
        );
}
