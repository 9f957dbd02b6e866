using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Repositories;

/// <summary>How long an unneeded blob is kept.</summary>
/// <param name="AfterPush">After it was pushed, or after a push was told that it exists.</param>
/// <param name="AfterDrop">After it was dropped into the container.</param>
/// <param name="Later">An offset of the clock, for tests.</param>
internal sealed record BlobGrace(TimeSpan AfterPush, TimeSpan AfterDrop, TimeSpan Later);

/// <summary>
/// Keeps blobs that a push is told it need not send. Until the push's manifest comes, nothing needs the blob: so its row is renewed
/// before the sweeper may remove it, and the push has at least half of the grace left.
/// </summary>
internal sealed class BlobRetention(StorageAccount account, RowStore rowStore, BlobGrace grace)
{
    private const int MaxTries = 5;

    /// <summary>The row of a verified blob that is kept for at least half of the grace; null when there is no such blob.</summary>
    /// <param name="path">The blob.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <param name="first">The row and the time, where their read has begun; null: they are read.</param>
    /// <exception cref="StorageUnavailableException">Others changed the row each time.</exception>
    public async Task<BlobRow?> RenewAsync(
        BlobPath path,
        CancellationToken cancellationToken,
        Task<(TableRow? Row, DateTimeOffset? Now)>? first = null
    )
    {
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            var (ns, key) = (path.Repository.Namespace, Keys.Blob(path));
            var (stored, date) = await (first ?? account.ImageRows.GetWithTimeAsync(ns, key, cancellationToken));
            first = null;
            if (stored is null || BlobRow.From(stored) is not { State: BlobState.Good } row)
            {
                return null;
            }

            // The Date header has whole seconds.
            var now = date?.AddSeconds(1) + grace.Later;
            if (now - stored.Timestamp < (row.Pushed ? grace.AfterPush : grace.AfterDrop) / 2)
            {
                return row;
            }

            if (await TryRenewAsync(ns, row, cancellationToken) is not { } isRenewed)
            {
                return row;
            }

            if (isRenewed)
            {
                return await rowStore.BlobAsync(path, cancellationToken) is { State: BlobState.Good } renewed
                    ? renewed
                    : null;
            }
        }

        throw new StorageUnavailableException($"the row of {path.Digest} was changed each time it was read");
    }

    // Written unchanged, the row gets a new timestamp. A sweeper that has decided by the old one finds another ETag. Null: storage
    // lets nothing be written. The blob is there all the same, a pull may ask for it too, and no push that relies on it can succeed.
    private async Task<bool?> TryRenewAsync(string @namespace, BlobRow row, CancellationToken cancellationToken)
    {
        try
        {
            return await rowStore.PutBlobAsync(@namespace, row, row, cancellationToken);
        }
        catch (Exception error) when (StorageErrors.IsDenied(error))
        {
            return null;
        }
    }
}
