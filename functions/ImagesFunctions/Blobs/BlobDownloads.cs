using Azure;
using Azure.Storage.Blobs.Models;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Blobs;

/// <summary>Begins to read blobs of the container <c>images</c>, and tells bytes that are missing on the way from bytes that are not stored.</summary>
internal sealed class BlobDownloads(StorageAccount account)
{
    /// <summary>Begins a download. Null when the blob is gone, or its ETag is not this one.</summary>
    /// <param name="path">The blob.</param>
    /// <param name="etag">The ETag that the bytes must have from first to last; null for the one that it has now.</param>
    /// <param name="range">What to read; the default is all.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="StorageHeldException">The blob is there, and cannot be read.</exception>
    /// <exception cref="StorageUnavailableException">Nobody says how many bytes are to come.</exception>
    public async Task<BlobDownloadStreamingResult?> TryBeginAsync(
        LayoutPath path,
        string? etag,
        HttpRange range,
        CancellationToken cancellationToken
    )
    {
        var options = new BlobDownloadOptions
        {
            Conditions = etag is null ? null : new BlobRequestConditions { IfMatch = new ETag(etag) },
            Range = range,
        };
        try
        {
            var download = await account
                .Images.GetBlobClient(path.ToString())
                .DownloadStreamingAsync(options, cancellationToken);
            if (download.GetRawResponse().Headers.ContentLength is not null)
            {
                return download;
            }

            // Somebody on the way has taken its length away, and nothing tells whether its end is missing.
            using (download.Value)
            {
                throw new StorageUnavailableException($"nobody says how long {path} is");
            }
        }
        catch (RequestFailedException error) when (error.IsAbsent() || (error.IsChanged() && etag is not null))
        {
            // Without a condition no condition can fail.
            return null;
        }
        catch (RequestFailedException error) when (error.IsHeld())
        {
            throw StorageHeldException.Of(path.ToString(), error);
        }
    }

    /// <summary>Makes sure that all bytes came, or are about to. What came cut off says nothing of the blob.</summary>
    /// <exception cref="StorageUnavailableException">They are more, or fewer.</exception>
    public static void DemandLength(LayoutPath path, long length, long came)
    {
        if (came != length)
        {
            throw new StorageUnavailableException($"{came} of {length} bytes of {path} came");
        }
    }
}
