using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Azure;
using Azure.Storage;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary>
/// Writes a blob of a layout in blocks, whose ids say what is in them: an earlier drop that was ended has left blocks, and only those that are
/// missing are sent. Nothing is there before all blocks are, and before the whole hashes to the digest that its path names.
/// </summary>
/// <param name="blob">Where it goes.</param>
/// <param name="slots">How many blocks may be in memory and on the way at the same time, those of other blobs counted.</param>
/// <param name="note">Hears of waits.</param>
internal sealed class BlobDrop(BlockBlobClient blob, SemaphoreSlim slots, Action<string> note)
{
    /// <summary>How many blocks are on the way at the same time.</summary>
    public const int BlocksAtOnce = 4;

    // Of a blob: a kill loses those on the way, a fourhundredth of it.
    private const int BlocksOfAll = 1_600;
    private const int ShortestBlock = 256 * 1024;
    private const int LongestBlock = 16 * 1024 * 1024;
    private const long LongestWhole = 1024 * 1024;

    // Put Blob takes as much; more than that in one request is left to the SDK, which cuts it into blocks.
    private const long LongestRequest = 5_000L * 1024 * 1024;

    // As long as those of the service's own blocks: all ids of a blob have one length.
    private const int IdLength = 12;

    /// <summary>Writes it, unless its bytes are there.</summary>
    /// <param name="digest">What its path names; null where that is no digest that can be checked.</param>
    /// <param name="file">Its bytes.</param>
    /// <param name="item">Shows it.</param>
    /// <param name="cancellationToken">Ends it. What is there then counts the next time.</param>
    /// <exception cref="LocalException">The bytes are not those of the digest, or storage is busy for too long.</exception>
    public async Task RunAsync(Digest? digest, FileSlice file, TransferItem item, CancellationToken cancellationToken)
    {
        if (digest is null || file.Length <= LongestWhole)
        {
            await WriteWholeAsync(digest, file, item, cancellationToken);
            return;
        }

        for (var isFirst = true; ; isFirst = false)
        {
            var there = await PatientlyAsync(ThereAsync, cancellationToken);
            if (there.Staged.Any(b => b.Name.Length != Base64LengthOf(IdLength)))
            {
                // Another program was ended here, and its blocks go with no others. One request takes them away.
                await WriteWholeAsync(digest, file, item, cancellationToken);
                return;
            }

            var ids = await StageAsync(digest, file, there, item, cancellationToken);
            try
            {
                await CommitAsync(ids, there, cancellationToken);
                return;
            }
            catch (RequestFailedException error) when (isFirst && error.ErrorCode == BlobErrorCode.InvalidBlockList)
            {
                // Somebody else has written this blob meanwhile, and that took the blocks away.
                item.From = item.At = 0;
            }
        }
    }

    private static int Base64LengthOf(int bytes) => (bytes + 2) / 3 * 4;

    private async Task<Blocks> ThereAsync(CancellationToken cancellationToken)
    {
        try
        {
            var list = await blob.GetBlockListAsync(BlockListTypes.All, cancellationToken: cancellationToken);
            return new Blocks([.. list.Value.UncommittedBlocks], [.. list.Value.CommittedBlocks]);
        }
        catch (RequestFailedException error) when (error.Status == (int)HttpStatusCode.NotFound)
        {
            return new Blocks([], []);
        }
    }

    // In the order of the file: the ids of all blocks, of which those that are missing are sent.
    private async Task<IReadOnlyList<string>> StageAsync(
        Digest digest,
        FileSlice file,
        Blocks there,
        TransferItem item,
        CancellationToken cancellationToken
    )
    {
        using var hash = IncrementalHash.CreateHash(Digest.NameOf(digest.Algorithm));
        var ids = new List<string>();
        var sizes = there.Staged.Concat(there.Committed).DistinctBy(b => b.Name, StringComparer.Ordinal);
        var kept = sizes.ToDictionary(b => b.Name, b => b.SizeLong, StringComparer.Ordinal);
        await Parallel.ForEachAsync(
            MissingAsync(file, hash, ids, kept, item, cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = BlocksAtOnce, CancellationToken = cancellationToken },
            (block, stop) => SendAsync(block, item, stop)
        );
        DemandSame(digest, Digest.FromHash(digest.Algorithm, hash.GetHashAndReset()));
        return ids;
    }

    private async IAsyncEnumerable<Block> MissingAsync(
        FileSlice file,
        IncrementalHash hash,
        List<string> ids,
        Dictionary<string, long> kept,
        TransferItem item,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var length = (int)Math.Clamp(file.Length / BlocksOfAll, ShortestBlock, LongestBlock);
        await using var source = file.Open();
        for (var at = 0L; at < file.Length; at += length)
        {
            var block = await ReadAsync(source, ids.Count, (int)Math.Min(length, file.Length - at), cancellationToken);
            hash.AppendData(block.Bytes, 0, block.Length);
            ids.Add(block.Id);
            if (kept.GetValueOrDefault(block.Id) != block.Length)
            {
                yield return block;
                continue;
            }

            item.From += block.Length;
            item.Advance(block.Length);
            Return(block);
        }
    }

    private async Task<Block> ReadAsync(Stream source, int number, int length, CancellationToken cancellationToken)
    {
        await slots.WaitAsync(cancellationToken);
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            await source.ReadExactlyAsync(bytes.AsMemory(0, length), cancellationToken);
            return new Block(IdOf(number, bytes.AsSpan(0, length)), bytes, length);
        }
        catch
        {
            Return(new Block("", bytes, length));
            throw;
        }
    }

    private static string IdOf(int number, ReadOnlySpan<byte> bytes)
    {
        Span<byte> id = stackalloc byte[IdLength];
        BinaryPrimitives.WriteInt32BigEndian(id, number);
        SHA256.HashData(bytes).AsSpan(0, IdLength - sizeof(int)).CopyTo(id[sizeof(int)..]);
        return Convert.ToBase64String(id);
    }

    private async ValueTask SendAsync(Block block, TransferItem item, CancellationToken cancellationToken)
    {
        try
        {
            await PatientlyAsync(
                async stop =>
                {
                    using var body = new MemoryStream(block.Bytes, 0, block.Length, writable: false);
                    return await blob.StageBlockAsync(block.Id, body, cancellationToken: stop);
                },
                cancellationToken
            );
            item.Advance(block.Length);
        }
        finally
        {
            Return(block);
        }
    }

    private void Return(Block block)
    {
        ArrayPool<byte>.Shared.Return(block.Bytes);
        slots.Release();
    }

    // A blob that has these blocks already stays as it is: what is listed of it need not be looked at again.
    private async Task CommitAsync(IReadOnlyList<string> ids, Blocks there, CancellationToken cancellationToken)
    {
        if (!there.Committed.Select(b => b.Name).SequenceEqual(ids, StringComparer.Ordinal))
        {
            await PatientlyAsync(stop => blob.CommitBlockListAsync(ids, cancellationToken: stop), cancellationToken);
        }
    }

    private async Task WriteWholeAsync(
        Digest? digest,
        FileSlice file,
        TransferItem item,
        CancellationToken cancellationToken
    )
    {
        if (digest is not null)
        {
            await using var source = file.Open();
            using var hash = IncrementalHash.CreateHash(Digest.NameOf(digest.Algorithm));
            var buffer = new byte[ShortestBlock];
            for (int read; (read = await source.ReadAsync(buffer, cancellationToken)) > 0; )
            {
                hash.AppendData(buffer, 0, read);
            }

            DemandSame(digest, Digest.FromHash(digest.Algorithm, hash.GetHashAndReset()));
        }

        var options = new BlobUploadOptions { ProgressHandler = new Position(item) };
        if (file.Length <= LongestRequest)
        {
            options.TransferOptions = new StorageTransferOptions { InitialTransferSize = file.Length + 1 };
        }

        await PatientlyAsync(
            async stop =>
            {
                await using var body = file.Open();
                return await blob.UploadAsync(body, options, stop);
            },
            cancellationToken
        );
        item.At = file.Length;
    }

    private static void DemandSame(Digest wanted, Digest found)
    {
        if (found != wanted)
        {
            throw new LocalException(
                $"the bytes of {wanted} hash to {found}: the source is damaged, and it was not dropped"
            );
        }
    }

    // The SDK has tried a few times by itself.
    private async Task<T> PatientlyAsync<T>(
        Func<CancellationToken, Task<T>> action,
        CancellationToken cancellationToken
    )
    {
        var wait = new PatientWait(blob.Uri, note);
        while (true)
        {
            try
            {
                return await action(cancellationToken);
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested && ReasonOf(error) is { } reason)
            {
                await wait.OnceAsync(reason, after: null, cancellationToken);
            }
        }
    }

    // Why it may be better later, as the end of a sentence about storage; null where it will not be.
    private static string? ReasonOf(Exception error) =>
        error switch
        {
            RequestFailedException { Status: 0 } => "does not answer",
            RequestFailedException failed when PatientWait.IsBusy((HttpStatusCode)failed.Status) =>
                $"answers {failed.Status}",
            AggregateException { InnerExceptions: [.., var last] } => ReasonOf(last),
            _ when PatientWait.IsCut(error) => "does not answer",
            _ => null,
        };

    private sealed record Blocks(IReadOnlyList<BlobBlock> Staged, IReadOnlyList<BlobBlock> Committed);

    private sealed record Block(string Id, byte[] Bytes, int Length);

    private sealed class Position(TransferItem item) : IProgress<long>
    {
        public void Report(long value) => item.At = value;
    }
}
