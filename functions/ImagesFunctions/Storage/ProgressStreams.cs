using ImagesFunctions.Streams;

namespace ImagesFunctions.Storage;

/// <summary>The way to storage, which has to take each piece within the deadline.</summary>
internal sealed class SendingStream(Stream network, ProgressDeadline deadline) : Stream
{
    // So short that storage which is slow, and not stalled, takes one in time.
    private const int Piece = 64 * 1024;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer,
        CancellationToken cancellationToken = default
    )
    {
        for (; !buffer.IsEmpty; buffer = buffer[Math.Min(Piece, buffer.Length)..])
        {
            deadline.Start();
            await network.WriteAsync(buffer[..Math.Min(Piece, buffer.Length)], cancellationToken);
            deadline.Stop();
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        deadline.Start();
        await network.FlushAsync(cancellationToken);
        deadline.Stop();
    }

    public override void Write(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("The library makes no blocking calls.");

    public override void Flush() { }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}

/// <summary>The way from storage, which has to bring something within the deadline of each read.</summary>
internal sealed class ReceivingStream(Stream network, ProgressDeadline deadline) : ForwardStream
{
    private bool _isAtEnd;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_isAtEnd)
        {
            return 0;
        }

        deadline.Start();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var read = await network.ReadAsync(buffer, end.Token);
            _isAtEnd = read == 0 && !buffer.IsEmpty;
            return read;
        }
        catch (Exception error) when (deadline.IsCauseOf(error) && !cancellationToken.IsCancellationRequested)
        {
            throw deadline.Stalled(error);
        }
        finally
        {
            deadline.Stop();
            if (_isAtEnd)
            {
                deadline.Dispose();
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            network.Dispose();
            deadline.Dispose();
        }

        base.Dispose(disposing);
    }
}
