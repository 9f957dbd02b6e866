using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Telemetry;

namespace ImagesFunctions.Repositories;

/// <summary>
/// Verifies stored blobs and brings their rows <c>b</c> up to date, and whatever is complete by that. It may be asked late,
/// twice, out of order or for a blob that is gone again: all of that leads to the same rows.
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
    /// Takes in the blob of a digest as it stands now: a new one, an overwritten one, or none any more. Bad bytes are recorded,
    /// not thrown.
    /// </summary>
    /// <exception cref="StorageUnavailableException">Storage failed, or the blob was overwritten each time it was read.</exception>
    public async Task<Landed> RegisterAsync(Repository repository, Digest digest, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            if (await TryRegisterAsync(repository, digest, cancellationToken) is { } landed)
            {
                return landed;
            }

            await Backoff.DelayAsync(attempt, FirstDelay, MaxDelay, cancellationToken);
        }

        var path = LayoutPath.Of(repository, digest);
        throw new StorageUnavailableException($"{path} was overwritten each time it was read");
    }

    private enum Verified
    {
        // The bytes are what the path says, and the row says so.
        Good,

        // They are not, and the refusal says so.
        Bad,

        // The blob or its row changed meanwhile: look again.
        Changed,
    }

    // Null when the blob or its row changed meanwhile.
    private async Task<Landed?> TryRegisterAsync(
        Repository repository,
        Digest digest,
        CancellationToken cancellationToken
    )
    {
        var path = LayoutPath.Of(repository, digest);
        // The row first: what is written by comparing with it may only be newer than it.
        var row = await rowStore.BlobAsync(repository, digest, cancellationToken);
        if (row is { State: BlobState.Deleting })
        {
            return await removal.FinishAsync(repository, digest, cancellationToken) ? Landed.Gone : null;
        }

        if (await content.StatAsync(path, cancellationToken) is not { } stored)
        {
            return await ForgetAsync(repository, row, path, cancellationToken);
        }

        var isKnown = row is { State: BlobState.Good } && row.BlobETag == stored.ETag;
        var verified = isKnown
            ? Verified.Good
            : await VerifyAsync(repository, digest, path, row, stored.ETag, cancellationToken);
        if (verified == Verified.Good && !await SettleAsync(repository, digest, path, stored.ETag, cancellationToken))
        {
            verified = Verified.Changed;
        }

        return verified switch
        {
            Verified.Changed => null,
            Verified.Bad => Landed.Refused,
            _ => isKnown ? Landed.Known : Landed.Committed(content.Clock.UtcNow - stored.LastModified),
        };
    }

    private async Task<Landed> ForgetAsync(
        Repository repository,
        BlobRow? row,
        string path,
        CancellationToken cancellationToken
    )
    {
        if (row is not null)
        {
            await invalidation.RunAsync(repository, row, cancellationToken);
        }

        await refusals.ClearAsync(path, cancellationToken);
        return Landed.Gone;
    }

    private async Task<Verified> VerifyAsync(
        Repository repository,
        Digest digest,
        string path,
        BlobRow? row,
        string etag,
        CancellationToken cancellationToken
    )
    {
        if (await content.HashAsync(path, etag, digest, cancellationToken) is not { } hashed)
        {
            return Verified.Changed;
        }

        if (hashed.Digest != digest)
        {
            if (row is not null)
            {
                await invalidation.RunAsync(repository, row, cancellationToken);
            }

            var reason = $"the bytes hash to {hashed.Digest}, not to {digest}";
            await refusals.RefuseAsync(RefusalKind.Digest, path, reason, hashed.Digest, cancellationToken);
            return await content.IsStillAsync(path, etag, cancellationToken) ? Verified.Bad : Verified.Changed;
        }

        var verified = new BlobRow(repository.App, digest, hashed.Size, etag, BlobState.Good, hashed.Tar);
        // The second look comes after the row: a delete or overwrite in between either sees the row or is seen here.
        return
            await rowStore.PutBlobAsync(repository.Namespace, verified, row, cancellationToken)
            && await content.IsStillAsync(path, etag, cancellationToken)
            ? Verified.Good
            : Verified.Changed;
    }

    // False when the blob was overwritten meanwhile.
    private async Task<bool> SettleAsync(
        Repository repository,
        Digest digest,
        string path,
        string etag,
        CancellationToken cancellationToken
    )
    {
        var needs = await rowStore.NeedsAsync(repository, digest, cancellationToken);
        var isManifest =
            needs.Exists(n => n.ManifestType is not null)
            || await rowStore.ImageAsync(repository, digest, cancellationToken) is not null;
        var refused = await manifests.SettleAsync(
            repository,
            isManifest ? [digest] : [],
            needs.Select(n => n.By.Digest).OfType<Digest>(),
            cancellationToken
        );
        return refused.Contains(digest)
            || !await refusals.ClearAsync(path, cancellationToken)
            || await content.IsStillAsync(path, etag, cancellationToken);
    }
}
