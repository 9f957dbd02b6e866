using System.Runtime.ExceptionServices;
using ImagesFunctions.Streams;

namespace ImagesFunctions.Blobs;

/// <summary>
/// A body of known length on its way from a client to storage. It is hashed as it passes, and its last bytes are held back
/// until all of them are known: if they are not accepted the request to storage breaks off, and nothing is written.
/// </summary>
/// <remarks>It says that it can seek, because only then the SDK sends it on without a copy in memory.</remarks>
internal sealed class PassingStream(UploadBody body, long length, ContentHash hash, Func<bool> accept) : ForwardStream
{
    private long _position;

    /// <summary>Whether the bytes were not accepted.</summary>
    public bool IsRefused { get; private set; }

    /// <summary>What went wrong with the body, and not with storage; or null.</summary>
    public ExceptionDispatchInfo? Failure { get; private set; }

    public override bool CanSeek => true;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => Seek(value, SeekOrigin.Begin);
    }

    public override long Seek(long offset, SeekOrigin origin)
    {
        var to =
            offset
            + origin switch
            {
                SeekOrigin.Begin => 0,
                SeekOrigin.Current => _position,
                _ => length,
            };
        return to == _position ? to : throw new IOException("The bytes have passed, and come only once.");
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
        {
            // Of nothing nothing comes, and that is no end.
            return 0;
        }

        try
        {
            var read = await TakeAsync(buffer, cancellationToken);
            if (read == 0 && _position < length)
            {
                throw new IOException("The body ended before its length.");
            }

            hash.Append(buffer.Span[..read]);
            _position += read;
            if (_position == length && read > 0 && !accept())
            {
                IsRefused = true;
                throw new IOException("The bytes are not what they were said to be.");
            }

            return read;
        }
        catch (Exception error) when (!IsRefused)
        {
            Failure = ExceptionDispatchInfo.Capture(error);
            throw;
        }
    }

    private async ValueTask<int> TakeAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_position >= body.First.Length)
        {
            return await body.Rest.ReadAsync(buffer, cancellationToken);
        }

        var first = body.First[(int)_position..];
        var taken = Math.Min(first.Length, buffer.Length);
        first[..taken].CopyTo(buffer);
        return taken;
    }
}
