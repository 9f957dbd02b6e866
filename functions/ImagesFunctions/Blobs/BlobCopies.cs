using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Blobs;

/// <summary>What was to be copied inside storage is not there any more.</summary>
internal sealed class CopySourceGoneException : Exception;

/// <summary>What is copied inside storage.</summary>
/// <param name="Blob">The blob.</param>
/// <param name="ETag">The ETag that it must have, or null for any.</param>
/// <param name="Size">Its length in bytes.</param>
internal readonly record struct CopySource(BlockBlobClient Blob, string? ETag, long Size);

/// <summary>Copies blobs inside storage, without their bytes passing through here.</summary>
internal sealed class BlobCopies(StorageAccount account)
{
    // What Azure copies by one request; more than that goes in pieces.
    private const long MaxCopy = 256L * 1024 * 1024;
    private const long MaxPiece = 64L * 1024 * 1024;
    private const int PiecesAtOnce = 4;

    private static readonly TimeSpan CopyTime = TimeSpan.FromMinutes(50);

    /// <summary>Copies to a path where nothing is. Null when somebody was faster, and it is to be looked at again.</summary>
    /// <exception cref="CopySourceGoneException">A source is gone.</exception>
    /// <exception cref="StorageHeldException">Storage keeps a source from being read, or what is there from being written over.</exception>
    public async Task<string?> CopyAsync(
        IReadOnlyList<CopySource> from,
        BlockBlobClient to,
        CancellationToken cancellationToken
    )
    {
        try
        {
            if (from is [var one])
            {
                try
                {
                    return await CopyWholeAsync(one, to, cancellationToken);
                }
                catch (RequestFailedException) when (one.Size > MaxCopy)
                {
                    // Azure refuses this length; others do not, and their copy takes no time at all.
                }
            }

            return await CopyPiecesAsync(from, to, BlobWriter.Absent, cancellationToken);
        }
        catch (RequestFailedException error)
            when (error.IsConflict() || error.ErrorCode == BlobErrorCode.InvalidBlockList)
        {
            // Written by somebody else, who may also have made our blocks void.
            return null;
        }
        catch (RequestFailedException error) when (error.IsHeld())
        {
            throw StorageHeldException.Of(HeldOf(from, to, error).Name, error);
        }
    }

    // Only what is read can be in the archive: nothing is at the other end.
    private static BlockBlobClient HeldOf(
        IReadOnlyList<CopySource> from,
        BlockBlobClient to,
        RequestFailedException error
    ) =>
        StorageCodes.CodeOf(error) is StorageCodes.Archived or StorageCodes.Rehydrating && from.Count > 0
            ? from[0].Blob
            : to;

    /// <summary>Looks whether all sources are there: storage has several names for one that is gone, and one of them is for any trouble with it.</summary>
    /// <exception cref="CopySourceGoneException">A source is gone.</exception>
    public static async Task DemandSourcesAsync(IReadOnlyList<CopySource> sources, CancellationToken cancellationToken)
    {
        foreach (var source in sources)
        {
            try
            {
                await source.Blob.GetPropertiesAsync(cancellationToken: cancellationToken);
            }
            catch (RequestFailedException error) when (error.IsAbsent())
            {
                throw new CopySourceGoneException();
            }
        }
    }

    private async Task<string?> CopyWholeAsync(CopySource from, BlockBlobClient to, CancellationToken cancellationToken)
    {
        var options = new BlobCopyFromUriOptions
        {
            SourceConditions = IfMatch(from.ETag),
            DestinationConditions = BlobWriter.Absent,
        };
        var source = await account.ReadUriAsync(from.Blob, CopyTime, cancellationToken);
        try
        {
            return (await to.SyncCopyFromUriAsync(source, options, cancellationToken)).Value.ETag.ToString();
        }
        catch (RequestFailedException error) when (error.Status == 404)
        {
            await DemandSourcesAsync([from], cancellationToken);
            throw;
        }
    }

    /// <summary>Copies several blobs into one, or a long one, in pieces.</summary>
    /// <returns>The new blob's ETag.</returns>
    /// <exception cref="CopySourceGoneException">A source is gone.</exception>
    public async Task<string?> CopyPiecesAsync(
        IReadOnlyList<CopySource> from,
        BlockBlobClient to,
        BlobRequestConditions? conditions,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await StageAndCommitAsync(from, to, conditions, cancellationToken);
        }
        catch (RequestFailedException error) when (error.Status == 404)
        {
            await DemandSourcesAsync(from, cancellationToken);
            throw;
        }
    }

    private async Task<string?> StageAndCommitAsync(
        IReadOnlyList<CopySource> from,
        BlockBlobClient to,
        BlobRequestConditions? conditions,
        CancellationToken cancellationToken
    )
    {
        var prefix = RandomNumberGenerator.GetBytes(8);
        var pieces = new List<(BlockBlobClient Blob, string? ETag, HttpRange Range)>();
        foreach (var (blob, etag, size) in from)
        {
            for (var at = 0L; at < size; at += MaxPiece)
            {
                pieces.Add((blob, etag, new HttpRange(at, Math.Min(MaxPiece, size - at))));
            }
        }

        await Parallel.ForEachAsync(
            pieces.Select((piece, number) => (piece, number)),
            new ParallelOptions { MaxDegreeOfParallelism = PiecesAtOnce, CancellationToken = cancellationToken },
            async (p, stop) =>
                await to.StageBlockFromUriAsync(
                    await account.ReadUriAsync(p.piece.Blob, CopyTime, stop),
                    StagedBlocks.BlockId(prefix, p.number),
                    new StageBlockFromUriOptions
                    {
                        SourceRange = p.piece.Range,
                        SourceConditions = IfMatch(p.piece.ETag),
                    },
                    stop
                )
        );
        var ids = Enumerable.Range(0, pieces.Count).Select(number => StagedBlocks.BlockId(prefix, number));
        var options = new CommitBlockListOptions { Conditions = conditions };
        return (await to.CommitBlockListAsync(ids, options, cancellationToken)).Value.ETag.ToString();
    }

    private static BlobRequestConditions? IfMatch(string? etag) =>
        etag is null ? null : new BlobRequestConditions { IfMatch = new ETag(etag) };
}
