using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.GarbageCollection;

/// <summary>
/// Removes the upload sessions of a namespace that have expired: the row <c>u!&lt;uuid&gt;</c> first, so that nobody can go on
/// with it, then what is staged in the container <c>uploads</c> as <c>&lt;namespace&gt;/&lt;uuid&gt;</c> or below.
/// </summary>
internal sealed class UploadSweep(
    StorageAccount account,
    SweepAge age,
    SweepCounts counts,
    string @namespace,
    bool dryRun
)
{
    private readonly StoredBlobs _staged = new(account.Uploads);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var live = new HashSet<string>(StringComparer.Ordinal);
        await foreach (
            var row in account
                .ImageRows.Stream(@namespace, Keys.All('u'), "updated")
                .WithCancellation(cancellationToken)
        )
        {
            var id = row.Key[2..];
            if (
                age.IsYoungerThan(row.GetDateTimeOffset("updated") ?? row.Timestamp, age.Options.AfterChunk)
                || !await ExpireAsync(row, cancellationToken)
            )
            {
                live.Add(id);
            }
        }

        await foreach (var blob in _staged.ListAsync($"{@namespace}/", uncommitted: true, cancellationToken))
        {
            var id = blob.Name[(@namespace.Length + 1)..].Split('/')[0];
            if (!live.Contains(id))
            {
                await DropAsync(blob, id, cancellationToken);
            }
        }
    }

    // False when a chunk came meanwhile.
    private async Task<bool> ExpireAsync(TableRow row, CancellationToken cancellationToken)
    {
        var removal = new Change(row.Key, null, row.Version);
        if (!dryRun && !(await account.ImageRows.PutAsync(@namespace, removal, cancellationToken)).IsDone)
        {
            return false;
        }

        counts.Add(SweepKind.Sessions);
        return true;
    }

    private async Task DropAsync(BlobListing blob, string id, CancellationToken cancellationToken)
    {
        // Also those of a session that has just expired: a request may still be at work on them.
        if (
            age.IsYoungerThan(blob.LastModified, age.Options.AfterChunk)
            || await account.ImageRows.GetAsync(@namespace, Keys.Upload(id), cancellationToken) is not null
        )
        {
            return;
        }

        counts.Add(SweepKind.Uploads);
        if (!dryRun)
        {
            // Not while it is leased or being copied to: then the next sweep.
            await _staged.DeleteAsync(blob.Name, cancellationToken);
        }
    }
}
