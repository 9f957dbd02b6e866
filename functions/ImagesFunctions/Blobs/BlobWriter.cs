using Azure;
using Azure.Storage;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Blobs;

/// <summary>
/// Writes a stream into a block blob, at once visible or not at all, in a few buffers whatever its length. One of three ways:
/// what fits into one buffer is one request that can be repeated; what has a known length is one request that carries the
/// bytes on as they come, which is the fastest; all else is blocks.
/// </summary>
internal static class BlobWriter
{
    /// <summary>The length of a block and of a buffer, in bytes.</summary>
    public const int BlockSize = 4 * 1024 * 1024;

    private const long MaxPut = 4_999L * 1024 * 1024;

    /// <summary>The condition of a write where no blob may be yet.</summary>
    public static BlobRequestConditions Absent => new() { IfNoneMatch = ETag.All };

    /// <summary>Writes what is left of a body.</summary>
    /// <param name="blob">Where to write.</param>
    /// <param name="once">The same blob, by a client that does not repeat requests.</param>
    /// <param name="body">The bytes.</param>
    /// <param name="hash">Takes the bytes.</param>
    /// <param name="accept">Asked when all bytes are taken and before any of them counts. False: nothing is written.</param>
    /// <param name="conditions">
    /// <see cref="Absent"/> where others may write the same blob; null where nobody does: then a request that is repeated
    /// after a lost answer meets nothing but its own success.
    /// </param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The blob's ETag, or null when the bytes were not accepted or somebody else has written the blob.</returns>
    public static async Task<string?> WriteAsync(
        BlockBlobClient blob,
        BlockBlobClient once,
        UploadBody body,
        ContentHash hash,
        Func<bool> accept,
        BlobRequestConditions? conditions,
        CancellationToken cancellationToken
    )
    {
        try
        {
            if (body.IsWhole)
            {
                hash.Append(body.First.Span);
                return accept() ? await PutAsync(blob, body.First, conditions, cancellationToken) : null;
            }

            return body.Length is { } length and < MaxPut
                ? await StreamAsync(once, body, length, hash, accept, conditions, cancellationToken)
                : await WriteBlocksAsync(blob, body, hash, accept, conditions, cancellationToken);
        }
        catch (RequestFailedException error) when (error.IsConflict())
        {
            return null;
        }
    }

    private static async Task<string?> PutAsync(
        BlockBlobClient blob,
        ReadOnlyMemory<byte> bytes,
        BlobRequestConditions? conditions,
        CancellationToken cancellationToken
    )
    {
        using var content = BinaryData.FromBytes(bytes).ToStream();
        var options = new BlobUploadOptions { Conditions = conditions };
        var created = await blob.UploadAsync(content, options, cancellationToken);
        return created.Value.ETag.ToString();
    }

    private static async Task<string?> StreamAsync(
        BlockBlobClient blob,
        UploadBody body,
        long length,
        ContentHash hash,
        Func<bool> accept,
        BlobRequestConditions? conditions,
        CancellationToken cancellationToken
    )
    {
        await using var content = new PassingStream(body, length, hash, accept);
        try
        {
            var options = new BlobUploadOptions
            {
                Conditions = conditions,
                TransferOptions = new StorageTransferOptions { InitialTransferSize = MaxPut },
            };
            var created = await blob.UploadAsync(content, options, cancellationToken);
            return created.Value.ETag.ToString();
        }
        catch (Exception) when (content.IsRefused)
        {
            return null;
        }
        catch (Exception) when (content.Failure is not null)
        {
            // The SDK wraps what the body's stream has thrown into errors of its own.
            content.Failure.Throw();
            throw; // Never reached.
        }
    }

    private static async Task<string?> WriteBlocksAsync(
        BlockBlobClient blob,
        UploadBody body,
        ContentHash hash,
        Func<bool> accept,
        BlobRequestConditions? conditions,
        CancellationToken cancellationToken
    )
    {
        await using var blocks = new StagedBlocks(blob, hash, cancellationToken);
        blocks.Stage(body.First);
        await blocks.StageAsync(body.Rest);
        if (!accept())
        {
            return null;
        }

        var options = new CommitBlockListOptions { Conditions = conditions };
        var created = await blob.CommitBlockListAsync(blocks.Ids, options, cancellationToken);
        return created.Value.ETag.ToString();
    }
}
