using System.Buffers;
using System.Security.Cryptography;
using Azure.Storage.Blobs.Specialized;

namespace ImagesFunctions.Blobs;

/// <summary>
/// The blocks of one attempt to write a blob, staged a few at a time and hashed on their way. Nothing is visible until
/// their <see cref="Ids"/> are committed. To dispose it cancels what is under way and gives the
/// buffers back.
/// </summary>
/// <param name="blob">The blob.</param>
/// <param name="hash">Takes the bytes, in order.</param>
/// <param name="cancellationToken">Cancels the requests.</param>
internal sealed class StagedBlocks(BlockBlobClient blob, ContentHash hash, CancellationToken cancellationToken)
    : IAsyncDisposable
{
    private const int MaxAtOnce = 2;

    private readonly byte[] _prefix = RandomNumberGenerator.GetBytes(8);
    private readonly List<string> _ids = [];
    private readonly Queue<(Task Request, byte[]? Rented)> _sent = new();
    private readonly CancellationTokenSource _end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

    /// <summary>The blocks in the order of their bytes.</summary>
    public IReadOnlyList<string> Ids => _ids;

    /// <summary>Begins to stage a block of bytes that stay as they are.</summary>
    public void Stage(ReadOnlyMemory<byte> bytes) => Stage(bytes, rented: null);

    /// <summary>Stages all that a stream still has, and waits for all blocks.</summary>
    public async Task StageAsync(Stream bytes)
    {
        while (true)
        {
            var buffer = ArrayPool<byte>.Shared.Rent(BlobWriter.BlockSize);
            var read = await FillAsync(bytes, buffer);
            if (read == 0)
            {
                ArrayPool<byte>.Shared.Return(buffer);
                break;
            }

            Stage(buffer.AsMemory(0, read), buffer);
            if (_sent.Count > MaxAtOnce)
            {
                await _sent.Peek().Request;
                Return(_sent.Dequeue().Rented);
            }
        }

        await Task.WhenAll(_sent.Select(s => s.Request));
    }

    /// <summary>A block's id: all ids of a blob have one length, and those of two attempts have nothing in common.</summary>
    public static string BlockId(ReadOnlySpan<byte> prefix, int number)
    {
        Span<byte> id = stackalloc byte[12];
        prefix.CopyTo(id);
        BitConverter.TryWriteBytes(id[8..], number);
        return Convert.ToBase64String(id);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        foreach (var (request, rented) in _sent)
        {
            // A buffer goes back only when no request reads it any more.
            await request.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Return(rented);
        }

        _end.Dispose();
    }

    private void Stage(ReadOnlyMemory<byte> bytes, byte[]? rented)
    {
        var id = BlockId(_prefix, _ids.Count);
        _ids.Add(id);
        _sent.Enqueue((SendAsync(id, bytes), rented));
        // Hashed while it is on its way.
        hash.Append(bytes.Span);
    }

    private async Task SendAsync(string id, ReadOnlyMemory<byte> bytes)
    {
        using var content = BinaryData.FromBytes(bytes).ToStream();
        await blob.StageBlockAsync(id, content, cancellationToken: _end.Token);
    }

    private ValueTask<int> FillAsync(Stream from, byte[] buffer) =>
        from.ReadAtLeastAsync(
            buffer.AsMemory(0, BlobWriter.BlockSize),
            BlobWriter.BlockSize,
            throwOnEndOfStream: false,
            _end.Token
        );

    private static void Return(byte[]? rented)
    {
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
