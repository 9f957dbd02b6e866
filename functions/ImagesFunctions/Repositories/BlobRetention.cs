using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Repositories;

/// <summary>How long a blob that nobody needs is kept.</summary>
/// <param name="AfterPush">After it was pushed, or a push was told that it is there.</param>
/// <param name="AfterDrop">After it was dropped into the container.</param>
/// <param name="Later">For tests, which cannot wait: as if it were so much later.</param>
internal sealed record BlobGrace(TimeSpan AfterPush, TimeSpan AfterDrop, TimeSpan Later);

/// <summary>
/// What a push is told that it need not send. Its manifest comes later, and until then nobody needs the blob: so the blob's row
/// is renewed before the sweeper may take it, and the push has at least half of the grace left.
/// </summary>
internal sealed class BlobRetention(StorageAccount account, RowStore rowStore, BlobGrace grace)
{
    private const int MaxTries = 5;

    /// <summary>The row of a verified blob that stays for at least half of its grace, or null when there is none.</summary>
    /// <exception cref="StorageUnavailableException">Others changed the row each time.</exception>
    public async Task<BlobRow?> RenewAsync(Repository repository, Digest digest, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            var key = Keys.Blob(repository.App, digest);
            var (stored, date) = await account.ImageRows.GetWithTimeAsync(repository.Namespace, key, cancellationToken);
            if (stored is null || BlobRow.From(stored) is not { State: BlobState.Good } row)
            {
                return null;
            }

            // The time has whole seconds.
            var now = date?.AddSeconds(1) + grace.Later;
            if (now - stored.Timestamp < (row.Pushed ? grace.AfterPush : grace.AfterDrop) / 2)
            {
                return row;
            }

            if (await TryRenewAsync(repository, row, cancellationToken) is not { } isRenewed)
            {
                return row;
            }

            if (isRenewed)
            {
                return
                    await rowStore.BlobAsync(repository, digest, cancellationToken) is { State: BlobState.Good } renewed
                    ? renewed
                    : null;
            }
        }

        throw new StorageUnavailableException($"the row of {digest} was changed each time it was read");
    }

    // The same row again has a new time. A sweeper that has just decided by the old one finds another ETag. Null: nothing can be
    // written. It is there all the same, who pulls may ask for it too, and no push that relies on it can succeed.
    private async Task<bool?> TryRenewAsync(Repository repository, BlobRow row, CancellationToken cancellationToken)
    {
        try
        {
            return await rowStore.PutBlobAsync(repository.Namespace, row, row, cancellationToken);
        }
        catch (Exception error) when (StorageErrors.IsDenied(error))
        {
            return null;
        }
    }
}
