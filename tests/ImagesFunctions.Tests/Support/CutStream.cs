namespace ImagesFunctions.Tests.Support;

/// <summary>Bytes that come in pieces of these lengths, one after the other and again, as a network gives them; and may break off.</summary>
internal sealed class CutStream(byte[] bytes, int[] pieces, long failsAt = long.MaxValue) : Stream
{
    public const string Failure = "The client is gone.";

    private int _at;
    private int _reads;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_at >= failsAt)
        {
            throw new IOException(Failure);
        }

        var most = Math.Min(pieces[_reads++ % pieces.Length], bytes.Length - _at);
        var read = Math.Min(most, buffer.Length);
        bytes.AsSpan(_at, read).CopyTo(buffer.Span);
        _at += read;
        return new(read);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Flush() { }
}
