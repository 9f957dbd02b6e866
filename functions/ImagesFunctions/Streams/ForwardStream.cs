namespace ImagesFunctions.Streams;

/// <summary>
/// A stream that is read once, from its first byte to its last, and asynchronously. A subclass overrides one method,
/// <see cref="ReadAsync(Memory{byte}, CancellationToken)"/>; everything else throws <see cref="NotSupportedException"/>.
/// </summary>
internal abstract class ForwardStream : Stream
{
    public sealed override bool CanRead => true;

    public override bool CanSeek => false;

    public sealed override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public abstract override ValueTask<int> ReadAsync(
        Memory<byte> buffer,
        CancellationToken cancellationToken = default
    );

    public sealed override Task<int> ReadAsync(
        byte[] buffer,
        int offset,
        int count,
        CancellationToken cancellationToken
    ) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("The library makes no blocking calls.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public sealed override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public sealed override void SetLength(long value) => throw new NotSupportedException();

    public sealed override void Flush() { }
}
