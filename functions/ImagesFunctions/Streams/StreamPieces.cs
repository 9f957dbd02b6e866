using System.Buffers;

namespace ImagesFunctions.Streams;

/// <summary>Reads streams piece by piece.</summary>
internal static class StreamPieces
{
    private const int PieceSize = 256 * 1024;

    /// <summary>Reads a stream to its end.</summary>
    /// <param name="from">The stream.</param>
    /// <param name="take">Takes a piece, which is valid until it returns.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task ForEachPieceAsync(
        this Stream from,
        Func<ReadOnlyMemory<byte>, ValueTask> take,
        CancellationToken cancellationToken
    )
    {
        var buffer = ArrayPool<byte>.Shared.Rent(PieceSize);
        try
        {
            while (await from.ReadAsync(buffer, cancellationToken) is var read and > 0)
            {
                await take(buffer.AsMemory(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
