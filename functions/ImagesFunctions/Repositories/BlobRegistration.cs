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

    private enum Verified
    {
        // The bytes hash to the digest of the path, and the row says so.
        Good,

        // They do not, and the refusal says so.
        Invalid,

        // The blob or its row changed since it was read: try again.
        Changed,
    }

    // Null when the blob or its row changed since it was read.
    private async Task<Landed?> TryRegisterAsync(BlobPath path, CancellationToken cancellationToken)
    {
        // The row first: what is compared with it may only be newer.
        var row = await rowStore.BlobAsync(path, cancellationToken);
        if (row is { State: BlobState.Deleting })
        {
            return await removal.FinishAsync(path, cancellationToken) ? Landed.Gone : null;
        }

        if (await content.StatAsync(path, cancellationToken) is not { } stored)
        {
            return await ForgetAsync(path, row, cancellationToken);
        }

        var isKnown = row is { State: BlobState.Good } && row.BlobETag == stored.ETag;
        var verified = isKnown ? Verified.Good : await VerifyAsync(path, row, stored.ETag, cancellationToken);
        if (verified == Verified.Good && !await CommitReadyAsync(path, stored.ETag, cancellationToken))
        {
            verified = Verified.Changed;
        }

        return verified switch
        {
            Verified.Changed => null,
            Verified.Invalid => Landed.Refused,
            _ => isKnown ? Landed.Known : Landed.Committed(stored.LastModified),
        };
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

    private async Task<Verified> VerifyAsync(
        BlobPath path,
        BlobRow? row,
        string etag,
        CancellationToken cancellationToken
    )
    {
        if (await content.HashAsync(path, etag, cancellationToken) is not { } hashed)
        {
            return Verified.Changed;
        }

        if (hashed.Digest != path.Digest)
        {
            if (row is not null)
            {
                await invalidation.RunAsync(path, row, cancellationToken);
            }

            var reason = $"the bytes hash to {hashed.Digest}, not to {path.Digest}";
            await refusals.RefuseAsync(RefusalKind.Digest, path, reason, hashed.Digest, cancellationToken);
            return await content.IsStillAsync(path, etag, cancellationToken) ? Verified.Invalid : Verified.Changed;
        }

        var (app, ns) = (path.Repository.App, path.Repository.Namespace);
        var verified = new BlobRow(app, path.Digest, hashed.Size, etag, BlobState.Good, hashed.Tar);
        // Checked again after the row is written: a delete or overwrite in between either sees the row or is seen here.
        return
            await rowStore.PutBlobAsync(ns, verified, row, cancellationToken)
            && await content.IsStillAsync(path, etag, cancellationToken)
            ? Verified.Good
            : Verified.Changed;
    }

    // False when the blob was overwritten since it was verified.
    private async Task<bool> CommitReadyAsync(BlobPath path, string etag, CancellationToken cancellationToken)
    {
        var (repository, digest) = (path.Repository, path.Digest);
        var dependents = await rowStore.DependentsAsync(repository, digest, cancellationToken);
        var isManifest =
            dependents.Exists(d => d.ManifestType is not null)
            || await rowStore.ImageAsync(repository, digest, cancellationToken) is not null;
        var refused = await manifests.CommitReadyAsync(
            repository,
            isManifest ? [digest] : [],
            dependents.Select(d => d.By.Digest).OfType<Digest>(),
            cancellationToken
        );
        return refused.Contains(digest)
            || !await refusals.ClearAsync(path, cancellationToken)
            || await content.IsStillAsync(path, etag, cancellationToken);
    }
}
