using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Blobs;

/// <summary>The blobs of the container <c>images</c>. Layers stream through a few pooled buffers; only manifests and configs are read whole.</summary>
internal sealed class Content(StorageAccount account)
{
    private readonly BlobDownloads _downloads = new(account);

    /// <summary>The clock by which blobs and rows have their times.</summary>
    public StorageClock Clock => account.Clock;

    /// <summary>What does not fit into image rows.</summary>
    public FactsBlobs Facts { get; } = new(account);

    /// <summary>The blob, or null when there is none.</summary>
    public Task<StoredBlob?> StatAsync(LayoutPath path, CancellationToken cancellationToken) =>
        StatAsync(path.ToString(), cancellationToken);

    /// <summary>As the other overload, for a path that is no file of a layout.</summary>
    public async Task<StoredBlob?> StatAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            var properties = await account
                .Images.GetBlobClient(path)
                .GetPropertiesAsync(cancellationToken: cancellationToken);
            return StoredBlob.Of(properties.Value, account.Clock.UtcNow);
        }
        catch (RequestFailedException error) when (error.IsAbsent())
        {
            return null;
        }
    }

    /// <summary>Hashes a blob's bytes as they stream, once. Null when it is gone, or other bytes than those of the ETag.</summary>
    /// <param name="path">The blob; its digest says which algorithm to use.</param>
    /// <param name="etag">The ETag that the bytes must have from first to last; null for the one that it has now.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<HashedBlob?> HashAsync(BlobPath path, string? etag, CancellationToken cancellationToken)
    {
        using var download = await _downloads.TryBeginAsync(path, etag, range: default, cancellationToken);
        if (download is null)
        {
            return null;
        }

        using var hash = new ContentHash(path.Digest.Algorithm);
        try
        {
            await hash.AppendAllAsync(download.Content, cancellationToken);
        }
        catch (RequestFailedException error) when (error.IsAbsent() || error.IsChanged())
        {
            // The blob was overwritten or deleted while a broken read was taken up again.
            return null;
        }
        catch (RequestFailedException error) when (error.IsHeld())
        {
            throw StorageHeldException.Of(path.ToString(), error);
        }

        var details = download.Details;
        BlobDownloads.DemandLength(path, details.ContentLength, hash.Size);
        return new HashedBlob(hash.Digest, hash.Size, hash.Tar, details.ETag.ToString(), details.LastModified);
    }

    /// <summary>A blob that is small as it stands now; null when there is none.</summary>
    public async Task<SmallBlob?> ReadAsync(LayoutPath path, CancellationToken cancellationToken)
    {
        using var download = await _downloads.TryBeginAsync(path, etag: null, range: default, cancellationToken);
        if (download is null)
        {
            return null;
        }

        var bytes =
            download.Details.ContentLength > Manifest.MaxContent ? null : new byte[download.Details.ContentLength];
        if (bytes is not null)
        {
            await download.Content.ReadExactlyAsync(bytes, cancellationToken);
        }

        return new SmallBlob(download.Details.ETag.ToString(), bytes);
    }

    /// <summary>
    /// All bytes of a small blob, which are those of its digest. Null when it is gone, or its ETag is no longer this one.
    /// </summary>
    /// <exception cref="InvalidContentException">It is longer than a manifest may be.</exception>
    /// <exception cref="StorageUnavailableException">Other bytes came, though its ETag is the same.</exception>
    public async Task<byte[]?> ReadAsync(BlobPath path, string etag, CancellationToken cancellationToken)
    {
        using var download = await _downloads.TryBeginAsync(path, etag, range: default, cancellationToken);
        if (download is null)
        {
            return null;
        }

        var length = download.Details.ContentLength;
        if (length > Manifest.MaxContent)
        {
            throw new InvalidContentException(
                $"{length} bytes: a manifest or config has at most {Manifest.MaxContent}"
            );
        }

        var content = new byte[length];
        await download.Content.ReadExactlyAsync(content, cancellationToken);
        return Digest.Of(path.Digest.Algorithm, content) == path.Digest
            ? content
            : throw new StorageUnavailableException($"{path} came as {length} bytes that are not those of its digest");
    }

    /// <summary>
    /// A blob's bytes as they stream. Null when it is gone, or its ETag is no longer this one.
    /// </summary>
    /// <param name="path">The blob.</param>
    /// <param name="etag">The ETag that the bytes must have from first to last.</param>
    /// <param name="size">The length of the whole blob.</param>
    /// <param name="first">The first byte.</param>
    /// <param name="length">How many bytes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="StorageUnavailableException">Storage is about to send more bytes, or fewer.</exception>
    public async Task<Stream?> OpenAsync(
        BlobPath path,
        string etag,
        long size,
        long first,
        long length,
        CancellationToken cancellationToken
    )
    {
        // Of nothing there is no range.
        var range = length == size ? default : new HttpRange(first, length);
        if (await _downloads.TryBeginAsync(path, etag, range, cancellationToken) is not { } download)
        {
            return null;
        }

        if (download.Details.ContentLength != length)
        {
            using (download)
            {
                BlobDownloads.DemandLength(path, length, download.Details.ContentLength);
            }
        }

        return download.Content;
    }

    /// <summary>Writes a blob where none is and returns its ETag; null when there is one.</summary>
    public async Task<string?> CreateAsync(
        LayoutPath path,
        ReadOnlyMemory<byte> bytes,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var options = new BlobUploadOptions { Conditions = BlobWriter.Absent };
            var created = await account
                .Images.GetBlobClient(path.ToString())
                .UploadAsync(BinaryData.FromBytes(bytes), options, cancellationToken);
            return created.Value.ETag.ToString();
        }
        catch (RequestFailedException error) when (error.IsConflict())
        {
            return null;
        }
        catch (RequestFailedException error) when (error.IsHeld())
        {
            throw StorageHeldException.Of(path.ToString(), error);
        }
    }

    /// <summary>Writes a body where no blob is: see <see cref="BlobWriter.WriteAsync"/>.</summary>
    /// <param name="path">The blob.</param>
    /// <param name="body">The bytes.</param>
    /// <param name="hash">Takes the bytes.</param>
    /// <param name="accept">Asked when all bytes are taken and before any of them counts. False: nothing is written.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The blob's ETag, or null when the bytes were not accepted or somebody else has written the blob.</returns>
    public Task<string?> WriteAsync(
        BlobPath path,
        UploadBody body,
        ContentHash hash,
        Func<bool> accept,
        CancellationToken cancellationToken
    ) =>
        BlobWriter.WriteAsync(
            account.Images.GetBlockBlobClient(path.ToString()),
            account.ImageStreams.GetBlockBlobClient(path.ToString()),
            body,
            hash,
            accept,
            BlobWriter.Absent,
            cancellationToken
        );

    /// <summary>Where a blob can be read without anything else for a while.</summary>
    public Task<Uri> ReadUriAsync(BlobPath path, TimeSpan lifetime, CancellationToken cancellationToken) =>
        account.ReadUriAsync(account.Images.GetBlobClient(path.ToString()), lifetime, cancellationToken);

    /// <summary>The paths and ETags of all blobs whose path begins like this, but for those that stand for folders.</summary>
    public async Task<List<(string Path, string ETag)>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        var blobs = new List<(string, string)>();
        await foreach (
            var blob in account.Images.GetBlobsAsync(BlobTraits.Metadata, BlobStates.None, prefix, cancellationToken)
        )
        {
            if (FolderStub.IsOne(blob.Properties.ContentLength, blob.Metadata))
            {
                continue;
            }

            // A listing gives ETags without their quotes.
            blobs.Add((blob.Name, blob.Properties.ETag is { } etag ? $"\"{etag.ToString().Trim('"')}\"" : ""));
        }

        return blobs;
    }

    /// <summary>Removes a blob with its snapshots if it still has this ETag. False when other bytes are there now; true also when it was gone.</summary>
    /// <exception cref="StorageHeldException">Storage keeps it.</exception>
    public async Task<bool> DeleteAsync(BlobPath path, string etag, CancellationToken cancellationToken)
    {
        try
        {
            await account
                .Images.GetBlobClient(path.ToString())
                .DeleteAsync(
                    DeleteSnapshotsOption.IncludeSnapshots,
                    new BlobRequestConditions { IfMatch = new ETag(etag) },
                    cancellationToken
                );
            return true;
        }
        catch (RequestFailedException error) when (error.IsAbsent())
        {
            return true;
        }
        catch (RequestFailedException error) when (error.IsChanged())
        {
            return false;
        }
        catch (RequestFailedException error) when (error.IsHeld())
        {
            throw StorageHeldException.Of(path.ToString(), error);
        }
    }
}
