namespace ImagesFunctions.Local;

/// <summary>Bytes that are a part of a file, or in memory.</summary>
/// <param name="Path">The file; "" where the bytes are in memory.</param>
/// <param name="Offset">Where they begin in it.</param>
/// <param name="Length">How many there are.</param>
internal sealed record FileSlice(string Path, long Offset, long Length)
{
    private const int BufferSize = 128 * 1024;

    private byte[]? Bytes { get; init; }

    /// <summary>Bytes in memory.</summary>
    public static FileSlice Of(byte[] bytes) => new("", 0, bytes.Length) { Bytes = bytes };

    /// <summary>A whole file.</summary>
    public static FileSlice Of(string path) => new(path, 0, new FileInfo(path).Length);

    /// <summary>A stream of the bytes from one of them on. It can seek.</summary>
    public Stream Open(long from = 0)
    {
        if (Bytes is not null)
        {
            return new MemoryStream(Bytes, (int)from, Bytes.Length - (int)from, writable: false);
        }

        var file = new FileStream(
            Path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.Read | FileShare.Delete,
            BufferSize,
            FileOptions.Asynchronous | FileOptions.SequentialScan
        );
        return new SliceStream(file, Offset + from, Length - from);
    }

    /// <summary>All bytes of a short one.</summary>
    /// <exception cref="LocalException">It is longer than a manifest may be.</exception>
    public async Task<byte[]> ReadAsync(CancellationToken cancellationToken)
    {
        if (Length > Oci.Manifest.MaxContent)
        {
            throw new LocalException($"{Path} has {Length} bytes where a manifest, config or index.json is expected");
        }

        var bytes = new byte[Length];
        await using var stream = Open();
        await stream.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }
}

/// <summary>A part of a stream.</summary>
internal sealed class SliceStream(Stream inner, long offset, long length) : Stream
{
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => _position = value is >= 0 && value <= length ? value : throw new IOException("outside of the stream");
    }

    public override int Read(byte[] buffer, int start, int count) => Read(buffer.AsSpan(start, count));

    public override int Read(Span<byte> buffer)
    {
        inner.Position = offset + _position;
        var read = inner.Read(buffer[..(int)Math.Min(buffer.Length, length - _position)]);
        _position += read;
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int start, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(start, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        inner.Position = offset + _position;
        var part = buffer[..(int)Math.Min(buffer.Length, length - _position)];
        var read = await inner.ReadAsync(part, cancellationToken);
        _position += read;
        return read;
    }

    public override long Seek(long to, SeekOrigin origin) =>
        Position =
            to
            + (
                origin == SeekOrigin.Begin ? 0
                : origin == SeekOrigin.Current ? _position
                : length
            );

    public override void Flush() { }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int start, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
