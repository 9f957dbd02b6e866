using System.Buffers;

namespace ImagesFunctions.Blobs;

/// <summary>Hashes streams.</summary>
internal static class HashedStreams
{
    private const int BufferSize = 1024 * 1024;

    /// <summary>Appends all that a stream still has: one buffer is hashed while the next one fills.</summary>
    public static async Task AppendAllAsync(this ContentHash hash, Stream from, CancellationToken cancellationToken)
    {
        var filling = ArrayPool<byte>.Shared.Rent(BufferSize);
        var hashing = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            var read = await FillAsync(from, filling, cancellationToken);
            while (read > 0)
            {
                (filling, hashing) = (hashing, filling);
                var next = FillAsync(from, filling, cancellationToken);
                hash.Append(hashing.AsSpan(0, read));
                read = await next;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(filling);
            ArrayPool<byte>.Shared.Return(hashing);
        }
    }

    private static Task<int> FillAsync(Stream from, byte[] buffer, CancellationToken stop) =>
        from.ReadAtLeastAsync(buffer.AsMemory(0, BufferSize), BufferSize, throwOnEndOfStream: false, stop).AsTask();
}
