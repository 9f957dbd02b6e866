using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Telemetry;

namespace ImagesFunctions.Ingest;

/// <summary>
/// A blob landed: verified, then indexed. Every event may come late, twice, out of order or for a blob that is gone
/// again; all of them lead to the same rows, because nothing is taken from the event but the path.
/// </summary>
public sealed class BlobIngest
{
    private const int MostTries = 10;

    private readonly Catalog _catalog;
    private readonly Content _content;
    private readonly ManifestCommit _manifests;
    private readonly TakeBack _takeBack;
    private readonly Removal _removal;
    private readonly Refusals _refusals;
    private readonly LayoutIndex _layoutIndex;

    internal BlobIngest(
        Catalog catalog,
        Content content,
        ManifestCommit manifests,
        TakeBack takeBack,
        Removal removal,
        Refusals refusals,
        LayoutIndex layoutIndex
    )
    {
        _catalog = catalog;
        _content = content;
        _manifests = manifests;
        _takeBack = takeBack;
        _removal = removal;
        _refusals = refusals;
        _layoutIndex = layoutIndex;
    }

    /// <summary>
    /// Takes in what stands at a path of the container <c>images</c> now: a new blob, an overwritten one, or none any more.
    /// Bad input is recorded, not thrown.
    /// </summary>
    /// <param name="path">The path inside the container, such as <c>alice/hello/blobs/sha256/…</c>.</param>
    /// <param name="cancellationToken">Ends it between any two steps; the next event for the path goes on.</param>
    /// <exception cref="StorageUnavailableException">Storage failed, as any exception of the Azure SDK says as well: the event is to be delivered again.</exception>
    public Task LandedAsync(string path, CancellationToken cancellationToken) =>
        Metrics.IngestAsync(
            () => Refusals.Visible(path),
            () => TakeInAsync(path, cancellationToken),
            cancellationToken
        );

    private async Task<Landed> TakeInAsync(string path, CancellationToken cancellationToken)
    {
        if (!LayoutPath.TryParse(path, out var layoutPath, out var refusal))
        {
            // Clients take such parts out of an address, so that nobody can look there: it landed, that must do.
            var canBeAsked = !path.Split('/').Any(part => part is "" or "." or "..");
            if (canBeAsked && await _content.StatAsync(path, cancellationToken) is null)
            {
                await _refusals.ClearAsync(path, cancellationToken);
                return Landed.Gone;
            }

            await _refusals.RefuseAsync(RefusalKind.Path, path, refusal, null, cancellationToken);
            return Landed.Refused;
        }

        if (layoutPath.Digest is { } digest)
        {
            return await BlobLandedAsync(layoutPath.Repository, digest, path, cancellationToken);
        }

        if (!layoutPath.IsIndex)
        {
            return Landed.Ignored;
        }

        await _layoutIndex.LandedAsync(layoutPath.Repository, cancellationToken);
        return Landed.Index;
    }

    /// <summary>Records that <see cref="LandedAsync"/> was tried as often as it may be and failed each time.</summary>
    public Task FailedAsync(string path, Exception error, CancellationToken cancellationToken) =>
        _refusals.FailAsync(
            path,
            $"storage failed: {error.GetType().Name}: {error.Message.Split('\n')[0].Trim()}",
            cancellationToken
        );

    private async Task<Landed> BlobLandedAsync(
        Repository repository,
        Digest digest,
        string path,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 1; attempt <= MostTries; attempt++)
        {
            // The row first: what is written by comparing with it may only be newer than it.
            var row = await _catalog.BlobAsync(repository, digest, cancellationToken);
            if (row is { State: BlobState.Deleting })
            {
                if (await _removal.FinishAsync(repository, digest, cancellationToken))
                {
                    return Landed.Gone;
                }

                continue;
            }

            if (await _content.StatAsync(path, cancellationToken) is not { } stored)
            {
                if (row is not null)
                {
                    await _takeBack.RunAsync(repository, row, cancellationToken);
                }

                await _refusals.ClearAsync(path, cancellationToken);
                return Landed.Gone;
            }

            var isKnown = row is { State: BlobState.Good } && row.BlobETag == stored.ETag;
            var verified = isKnown
                ? Verified.Good
                : await VerifyAsync(repository, digest, path, row, stored.ETag, cancellationToken);
            if (
                verified == Verified.Good
                && !await SettleAsync(repository, digest, path, stored.ETag, cancellationToken)
            )
            {
                verified = Verified.Changed;
            }

            if (verified != Verified.Changed)
            {
                return verified == Verified.Bad ? Landed.Refused
                    : isKnown ? Landed.Known
                    : Landed.Committed(stored.LastModified);
            }

            await Backoff.DelayAsync(
                attempt,
                TimeSpan.FromMilliseconds(20),
                TimeSpan.FromSeconds(1),
                cancellationToken
            );
        }

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

    private async Task<Verified> VerifyAsync(
        Repository repository,
        Digest digest,
        string path,
        BlobRow? row,
        string etag,
        CancellationToken cancellationToken
    )
    {
        if (await _content.HashAsync(path, etag, digest, cancellationToken) is not { } hashed)
        {
            return Verified.Changed;
        }

        if (hashed.Digest != digest)
        {
            if (row is not null)
            {
                await _takeBack.RunAsync(repository, row, cancellationToken);
            }

            var reason = $"the bytes hash to {hashed.Digest}, not to {digest}";
            await _refusals.RefuseAsync(RefusalKind.Digest, path, reason, hashed.Digest, cancellationToken);
            return await _content.IsStillAsync(path, etag, cancellationToken) ? Verified.Bad : Verified.Changed;
        }

        var verified = new BlobRow(repository.App, digest, hashed.Size, etag, BlobState.Good, hashed.Tar);
        // The second look comes after the row: a delete or overwrite in between either sees the row or is seen here.
        return
            await _catalog.PutBlobAsync(repository.Namespace, verified, row, cancellationToken)
            && await _content.IsStillAsync(path, etag, cancellationToken)
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
        var needs = await _catalog.NeedsAsync(repository, digest, cancellationToken);
        var isManifest =
            needs.Exists(n => n.ManifestType is not null)
            || await _catalog.ImageAsync(repository, digest, cancellationToken) is not null;
        var refused = await _manifests.SettleAsync(
            repository,
            isManifest ? [digest] : [],
            needs.Select(n => n.By.Digest).OfType<Digest>(),
            cancellationToken
        );
        return refused.Contains(digest)
            || !await _refusals.ClearAsync(path, cancellationToken)
            || await _content.IsStillAsync(path, etag, cancellationToken);
    }
}
