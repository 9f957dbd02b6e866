using ImagesFunctions.Blobs;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>
/// Removes the upload sessions of a namespace that have expired: the row <c>u!&lt;uuid&gt;</c> first, so that no request can go on
/// with it, then what is staged in the container <c>uploads</c> as <c>&lt;namespace&gt;/&lt;uuid&gt;</c> or below.
/// </summary>
internal sealed class UploadSweep(SweepRun run)
{
    private readonly StoredBlobs _staged = new(run.Account.Uploads);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var live = new HashSet<string>(StringComparer.Ordinal);
        await foreach (
            var row in run
                .Account.ImageRows.Stream(run.Namespace, Keys.All('u'), "app")
                .WithCancellation(cancellationToken)
        )
        {
            var id = row.Key[2..];
            if (
                // Each chunk writes the row. What it says itself may be by the clock of a machine.
                run.Age.IsYoungerThan(row.Timestamp, run.Age.Options.AfterChunk)
                // Refused when a chunk came meanwhile.
                || !await run.RemoveRowAsync(row, SweepKind.Sessions, cancellationToken)
            )
            {
                live.Add(id);
            }
        }

        await foreach (var blob in _staged.ListAsync($"{run.Namespace}/", uncommitted: true, cancellationToken))
        {
            var id = blob.Name[(run.Namespace.Length + 1)..].Split('/')[0];
            if (!live.Contains(id))
            {
                await DropAsync(blob, id, cancellationToken);
            }
        }
    }

    private async Task DropAsync(BlobListing blob, string id, CancellationToken cancellationToken)
    {
        // Also those of a session that has just expired: a request may still be at work on them.
        if (
            run.Age.IsYoungerThan(blob.LastModified, run.Age.Options.AfterChunk)
            || await run.Account.ImageRows.GetAsync(run.Namespace, Keys.Upload(id), cancellationToken) is not null
        )
        {
            return;
        }

        // Not while it is leased or being copied to: then the next sweep.
        var isRemoved = run.IsDryRun || await _staged.DeleteAsync(blob.Name, cancellationToken);
        run.Counts.Add(isRemoved ? SweepKind.Uploads : SweepKind.Left);
    }
}
