using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Blobs;

/// <summary>A blob as a listing shows it.</summary>
/// <param name="Name">Its path inside the container.</param>
/// <param name="ETag">Its ETag, with quotes.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="LastModified">When it was written, by the storage service's clock.</param>
/// <param name="IsLeased">Whether somebody has a lease on it, so that it cannot be removed.</param>
internal sealed record BlobListing(
    string Name,
    string ETag,
    long Size,
    DateTimeOffset? LastModified,
    bool IsLeased = false
);

/// <summary>The blobs of one container, for those for whom no client waits.</summary>
internal sealed class StoredBlobs(BlobContainerClient container)
{
    /// <summary>The blobs whose path begins like this.</summary>
    /// <param name="prefix">The beginning.</param>
    /// <param name="uncommitted">Whether blobs count of which only blocks are stored.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async IAsyncEnumerable<BlobListing> ListAsync(
        string prefix,
        bool uncommitted,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var states = uncommitted ? BlobStates.Uncommitted : BlobStates.None;
        await foreach (
            var blob in container
                .GetBlobsAsync(BlobTraits.None, states, prefix, cancellationToken)
                .WithRetries(cancellationToken)
        )
        {
            // A listing gives ETags without their quotes.
            yield return new BlobListing(
                blob.Name,
                $"\"{blob.Properties.ETag?.ToString().Trim('"')}\"",
                blob.Properties.ContentLength ?? 0,
                blob.Properties.LastModified,
                blob.Properties.LeaseStatus == LeaseStatus.Locked
            );
        }
    }

    /// <summary>The first parts of all paths that have several, also of blobs of which only blocks are stored.</summary>
    public async IAsyncEnumerable<string> FoldersAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (
            var item in container
                .GetBlobsByHierarchyAsync(BlobTraits.None, BlobStates.Uncommitted, "/", null, cancellationToken)
                .WithRetries(cancellationToken)
        )
        {
            if (item.IsPrefix)
            {
                yield return item.Prefix[..^1];
            }
        }
    }

    /// <summary>Removes a blob, if it still has this ETag. False when other bytes are there now; true also when it was gone.</summary>
    public Task<bool> DeleteAsync(string name, string etag, CancellationToken cancellationToken) =>
        DeleteAsync(name, new BlobRequestConditions { IfMatch = new ETag(etag) }, cancellationToken);

    /// <summary>Removes a blob whatever it is. False while it is held as it is: leased, being copied to, under a policy.</summary>
    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken) =>
        DeleteAsync(name, conditions: null, cancellationToken);

    private async Task<bool> DeleteAsync(
        string name,
        BlobRequestConditions? conditions,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await container
                .GetBlobClient(name)
                .DeleteAsync(DeleteSnapshotsOption.IncludeSnapshots, conditions, cancellationToken);
            return true;
        }
        catch (RequestFailedException error) when (error.IsAbsent())
        {
            return true;
        }
        catch (RequestFailedException error) when (error.Meaning() is StorageMeaning.Changed or StorageMeaning.Held)
        {
            return false;
        }
    }
}
