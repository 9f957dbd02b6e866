using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Storage;

/// <summary>A blob of the container <c>catalog</c>, or its end.</summary>
/// <param name="ETag">Its ETag.</param>
/// <param name="Length">Its whole length in bytes.</param>
/// <param name="Metadata">What was written beside it.</param>
/// <param name="Bytes">The bytes that were read: its last ones.</param>
internal sealed record CatalogBlob(string ETag, long Length, IDictionary<string, string> Metadata, byte[] Bytes)
{
    /// <summary>How often was added to it. An append blob takes 50,000 blocks.</summary>
    public int Blocks { get; init; }

    /// <summary>Whether bytes can be added to it: a copy of such a blob may be of another type.</summary>
    public bool Grows { get; init; }

    /// <summary>Whether the bytes are all of it.</summary>
    public bool IsWhole => Bytes.Length == Length;
}

/// <summary>The blobs of the container <c>catalog</c>: small ones that are written whole, and such that only grow.</summary>
internal sealed class CatalogBlobs(StorageAccount account)
{
    private const int MaxTries = 10;

    /// <summary>The paths that begin like this.</summary>
    public async IAsyncEnumerable<string> PathsAsync(
        string prefix,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (
            var blob in account
                .Catalog.GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, cancellationToken)
                .WithRetries(cancellationToken)
        )
        {
            yield return blob.Name;
        }
    }

    /// <summary>A blob; null where there is none.</summary>
    public Task<CatalogBlob?> ReadAsync(string path, CancellationToken cancellationToken) =>
        ReadEndAsync(path, long.MaxValue, cancellationToken);

    /// <summary>The last bytes of a blob; null where there is none.</summary>
    /// <param name="path">The blob.</param>
    /// <param name="length">How many bytes at most.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<CatalogBlob?> ReadEndAsync(string path, long length, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            if (await LookAsync(path, cancellationToken) is not { } blob)
            {
                return null;
            }

            if (blob.Length == 0 || length == 0)
            {
                return blob;
            }

            if (await ReadAsync(path, blob, length, cancellationToken) is { } read)
            {
                return read;
            }
        }

        throw new StorageUnavailableException($"{path} was written each time it was read");
    }

    // Null where it was written meanwhile: what it was a moment ago is of no use.
    private async Task<CatalogBlob?> ReadAsync(
        string path,
        CatalogBlob blob,
        long length,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var first = Math.Max(0, blob.Length - length);
            var options = new BlobDownloadOptions
            {
                Conditions = new BlobRequestConditions { IfMatch = new ETag(blob.ETag) },
                Range = new HttpRange(first, blob.Length - first),
            };
            var read = await account.Catalog.GetBlobClient(path).DownloadContentAsync(options, cancellationToken);
            return blob with { Bytes = read.Value.Content.ToArray() };
        }
        catch (RequestFailedException error) when (error.IsAbsent() || error.IsChanged())
        {
            return null;
        }
    }

    /// <summary>What is known of a blob without its bytes; null where there is none.</summary>
    public async Task<CatalogBlob?> LookAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            var said = (
                await account.Catalog.GetBlobClient(path).GetPropertiesAsync(cancellationToken: cancellationToken)
            ).Value;
            return new CatalogBlob(said.ETag.ToString(), said.ContentLength, said.Metadata, [])
            {
                Blocks = said.BlobCommittedBlockCount,
                Grows = said.BlobType == BlobType.Append,
            };
        }
        catch (RequestFailedException error) when (error.IsAbsent())
        {
            return null;
        }
    }

    /// <summary>Adds bytes to the end of a blob that still has this ETag.</summary>
    /// <param name="path">The blob.</param>
    /// <param name="etag">The ETag; null: the blob is made, where none is.</param>
    /// <param name="bytes">The bytes, at most 4 MiB.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The new ETag, and how many blocks there are; null where the blob is gone, or another one: nothing is added then, unless an answer was lost.</returns>
    public async Task<(string ETag, int Blocks)?> AppendAsync(
        string path,
        string? etag,
        ReadOnlyMemory<byte> bytes,
        CancellationToken cancellationToken
    )
    {
        var blob = account.Catalog.GetAppendBlobClient(path);
        try
        {
            if (etag is null)
            {
                var create = new AppendBlobCreateOptions
                {
                    Conditions = new AppendBlobRequestConditions { IfNoneMatch = ETag.All },
                };
                etag = (await blob.CreateAsync(create, cancellationToken)).Value.ETag.ToString();
            }

            using var block = BinaryData.FromBytes(bytes).ToStream();
            var append = new AppendBlobAppendBlockOptions
            {
                Conditions = new AppendBlobRequestConditions { IfMatch = new ETag(etag) },
            };
            var added = (await blob.AppendBlockAsync(block, append, cancellationToken)).Value;
            return (added.ETag.ToString(), added.BlobCommittedBlockCount);
        }
        catch (RequestFailedException error)
            when (error.IsConflict() || error.IsAbsent() || error.ErrorCode == BlobErrorCode.InvalidBlobType)
        {
            // The last: a copy was put in its place, which does not grow.
            return null;
        }
    }

    /// <summary>Writes a whole blob, if the one there still has this ETag.</summary>
    /// <param name="path">The blob.</param>
    /// <param name="etag">The ETag of what is replaced; null: there may be none.</param>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="metadata">What is written beside it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>False where there is another one.</returns>
    public Task<bool> TryWriteAsync(
        string path,
        string? etag,
        BinaryData bytes,
        IDictionary<string, string> metadata,
        CancellationToken cancellationToken
    ) =>
        TryAsync(() =>
            account
                .Catalog.GetBlobClient(path)
                .UploadAsync(
                    bytes,
                    new BlobUploadOptions
                    {
                        Metadata = metadata,
                        Conditions = etag is null
                            ? new BlobRequestConditions { IfNoneMatch = ETag.All }
                            : new BlobRequestConditions { IfMatch = new ETag(etag) },
                    },
                    cancellationToken
                )
        );

    /// <summary>Writes a whole blob, whatever is there.</summary>
    public Task WriteAsync(string path, BinaryData bytes, CancellationToken cancellationToken) =>
        account.Catalog.GetBlobClient(path).UploadAsync(bytes, overwrite: true, cancellationToken);

    /// <summary>Removes a blob that still has this ETag. False where it is another one; true also where it is gone.</summary>
    public async Task<bool> DeleteAsync(string path, string etag, CancellationToken cancellationToken)
    {
        try
        {
            var conditions = new BlobRequestConditions { IfMatch = new ETag(etag) };
            await account
                .Catalog.GetBlobClient(path)
                .DeleteAsync(DeleteSnapshotsOption.IncludeSnapshots, conditions, cancellationToken);
            return true;
        }
        catch (RequestFailedException error) when (error.IsAbsent() || error.IsChanged())
        {
            return error.IsAbsent();
        }
    }

    private static async Task<bool> TryAsync(Func<Task> write)
    {
        try
        {
            await write();
            return true;
        }
        catch (RequestFailedException error) when (error.IsConflict())
        {
            return false;
        }
    }
}
