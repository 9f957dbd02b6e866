using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Http;

/// <summary>
/// Collects the body of an answer and sends it piece by piece. Before the first piece is sent, an error can still become
/// an answer of its own; a body that fits one piece goes out with its length.
/// </summary>
internal sealed class ResponseBuffer(HttpResponse response) : IBufferWriter<byte>, IDisposable
{
    private const int Piece = 64 * 1024;

    // The server holds at most two of these of one answer for a client that is slow to take it.
    private const int MaxLength = 4 * Piece;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(Piece);
    private int _length;
    private int _unsent;
    private bool _started;

    /// <summary>Adds bytes.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(GetSpan(bytes.Length));
        _length += bytes.Length;
    }

    /// <summary>Adds bytes that may be very many: what does not fit a piece is sent from where it stands.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (_length + bytes.Length <= Piece)
        {
            Write(bytes.Span);
            return;
        }

        if (!_started)
        {
            // Else the server would keep what comes before its headers, and copy it behind them.
            _started = true;
            await response.StartAsync(cancellationToken);
        }

        response.BodyWriter.Write(_bytes.AsSpan(0, _length));
        _unsent += _length;
        _length = 0;
        while (bytes.Length > 0)
        {
            var some = bytes[..Math.Min(bytes.Length, MaxLength)];
            response.BodyWriter.Write(some.Span);
            _unsent += some.Length;
            bytes = bytes[some.Length..];
            if (_unsent >= MaxLength)
            {
                DemandTaken(await response.BodyWriter.FlushAsync(cancellationToken), cancellationToken);
                _unsent = 0;
            }
        }
    }

    /// <inheritdoc/>
    public void Advance(int count) => _length += count;

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _bytes.AsMemory(_length);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>How many bytes were added and not sent yet.</summary>
    public int Length => _length;

    /// <summary>Whether a piece is full and wants to be sent.</summary>
    public bool IsFull => _length >= Piece - (8 * 1024);

    /// <summary>Sends what there is.</summary>
    public async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        _started = true;
        DemandTaken(
            await response.BodyWriter.WriteAsync(_bytes.AsMemory(0, _length), cancellationToken),
            cancellationToken
        );
        _unsent = 0;
        _length = 0;
    }

    /// <summary>Sends the last piece.</summary>
    public ValueTask EndAsync(CancellationToken cancellationToken)
    {
        if (!_started)
        {
            response.ContentLength = _length;
        }

        return SendAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
    }

    // The server does not throw when the connection is gone, or when it is told to write no more.
    private static void DemandTaken(FlushResult result, CancellationToken cancellationToken)
    {
        if (result.IsCompleted)
        {
            throw new ClientGoneException();
        }

        if (result.IsCanceled)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    private void Reserve(int more)
    {
        if (_bytes.Length - _length >= more)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_bytes.Length * 2, _length + more));
        _bytes.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}
