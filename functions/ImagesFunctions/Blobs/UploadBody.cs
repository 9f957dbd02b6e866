using System.Buffers;

namespace ImagesFunctions.Blobs;

/// <summary>The body of a request that brings content: its beginning is in memory, the rest is still to come.</summary>
internal sealed class UploadBody : IDisposable
{
    private readonly byte[] _buffer;

    private UploadBody(byte[] buffer, int read, Stream rest, long? length)
    {
        _buffer = buffer;
        First = buffer.AsMemory(0, read);
        Rest = rest;
        Length = length;
    }

    /// <summary>The first bytes: all of them, or <see cref="BlobWriter.BlockSize"/>.</summary>
    public ReadOnlyMemory<byte> First { get; }

    /// <summary>What follows them; it can be read once.</summary>
    public Stream Rest { get; }

    /// <summary>How many bytes there are in all, where the client said so and the server holds it to that; else null.</summary>
    public long? Length { get; }

    /// <summary>Whether the first bytes are all there are.</summary>
    public bool IsWhole => First.Length < BlobWriter.BlockSize;

    /// <summary>Begins to read a body.</summary>
    public static async Task<UploadBody> BeginAsync(Stream body, long? length, CancellationToken cancellationToken)
    {
        // Most bodies are short, and say so.
        var max = (int)Math.Min(length ?? BlobWriter.BlockSize, BlobWriter.BlockSize);
        var buffer = ArrayPool<byte>.Shared.Rent(max);
        try
        {
            var read = await body.ReadAtLeastAsync(
                buffer.AsMemory(0, max),
                max,
                throwOnEndOfStream: false,
                cancellationToken
            );
            return new UploadBody(buffer, read, body, length);
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    /// <summary>Reads all bytes, for nothing but their hash.</summary>
    public async Task DrainAsync(ContentHash hash, CancellationToken cancellationToken)
    {
        hash.Append(First.Span);
        if (IsWhole)
        {
            return;
        }

        while (await Rest.ReadAsync(_buffer, cancellationToken) is var read and > 0)
        {
            hash.Append(_buffer.AsSpan(0, read));
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);
}
