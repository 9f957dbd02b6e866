using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Http;

/// <summary>
/// Collects the body of an answer and sends it piece by piece. Until the first piece is sent, an error can still replace the
/// answer. A body that fits one piece is sent with its length.
/// </summary>
internal sealed class ResponseBuffer(HttpResponse response) : IBufferWriter<byte>, IDisposable
{
    private const int Piece = 64 * 1024;

    // For a slow client the server buffers at most two of these of one answer.
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

    /// <summary>Adds bytes of any number: those that do not fit a piece are sent without a copy.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (_length + bytes.Length <= Piece)
        {
            Write(bytes.Span);
            return;
        }

        if (!_started)
        {
            // Otherwise the server would buffer the body until it writes the headers, and copy it.
            _started = true;
            await response.StartAsync(cancellationToken);
        }

        response.BodyWriter.Write(_bytes.AsSpan(0, _length));
        _unsent += _length;
        _length = 0;
        while (bytes.Length > 0)
        {
            var part = bytes[..Math.Min(bytes.Length, MaxLength)];
            response.BodyWriter.Write(part.Span);
            _unsent += part.Length;
            bytes = bytes[part.Length..];
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

    /// <summary>The number of bytes that are added and not sent.</summary>
    public int Length => _length;

    /// <summary>Whether a piece is full and should be sent.</summary>
    public bool IsFull => _length >= Piece - (8 * 1024);

    /// <summary>Sends the bytes that are added.</summary>
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

    // The server does not throw when the connection is closed, or when it is told to stop writing.
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
