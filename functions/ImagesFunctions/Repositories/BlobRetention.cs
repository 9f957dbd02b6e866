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
    public async Task<BlobRow?> RenewAsync(BlobPath path, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            var (ns, key) = (path.Repository.Namespace, Keys.Blob(path));
            var (stored, date) = await account.ImageRows.GetWithTimeAsync(ns, key, cancellationToken);
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

            // The same row again has a new time. A sweeper that has just decided by the old one finds another ETag.
            if (await rowStore.PutBlobAsync(ns, row, row, cancellationToken))
            {
                return await rowStore.BlobAsync(path, cancellationToken) is { State: BlobState.Good } renewed
                    ? renewed
                    : null;
            }
        }

        throw new StorageUnavailableException($"the row of {path.Digest} was changed each time it was read");
    }
}
