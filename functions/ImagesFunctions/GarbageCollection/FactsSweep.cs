using ImagesFunctions.Blobs;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Removes from the container <c>derived</c> facts that no image's row names, and snapshots of lists that no program of this version reads.</summary>
internal sealed class FactsSweep(SweepRun run)
{
    private readonly StoredBlobs _derived = new(run.Account.Derived);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await foreach (var blob in _derived.ListAsync($"{run.Namespace}/", uncommitted: false, cancellationToken))
        {
            if (
                await IsOldAndOfNoUseAsync(blob, cancellationToken)
                // Written anew they have another ETag. What is lost all the same is made again by its next reader.
                && (run.IsDryRun || await _derived.DeleteAsync(blob.Name, blob.ETag, cancellationToken))
            )
            {
                run.Counts.Add(SweepKind.Facts);
            }
        }
    }

    private async Task<bool> IsOldAndOfNoUseAsync(BlobListing blob, CancellationToken cancellationToken) =>
        KeyOf(blob.Name) is { } key
            ? !run.Age.IsYoung(blob.LastModified, pushed: false)
                && !await IsNamedAsync(key, blob.Name, cancellationToken)
            // While the version before still runs on this store, it writes its own anew.
            : ListSnapshots.IsOutdated(blob.Name) && !run.Age.IsYoung(blob.LastModified, pushed: true);

    // The key of the image's row; null where the blob holds something else.
    private static string? KeyOf(string name) =>
        name.Split('/') is [_, .. var app, "facts" or "waiting", _, var algorithm, var encoded]
        && Digest.TryParse(algorithm, encoded, out var digest)
            ? Keys.Image(string.Join('/', app), digest)
            : null;

    private async Task<bool> IsNamedAsync(string key, string name, CancellationToken cancellationToken) =>
        (await run.Account.ImageRows.GetAsync(run.Namespace, key, cancellationToken))?.GetString("facts_blob") == name;
}
