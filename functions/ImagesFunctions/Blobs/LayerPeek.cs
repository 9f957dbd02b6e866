using System.Buffers;
using System.Diagnostics;
using System.IO.Compression;
using ImagesFunctions.Oci;
using ImagesFunctions.Streams;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace ImagesFunctions.Blobs;

/// <summary>
/// Notes <see cref="TarFacts"/> from the bytes of a layer as they stream by, through gzip and zstd too: tools compress layers
/// that were plain tars. Bounded in time, in memory and in what few bytes may grow to; beyond that there are no facts, which is
/// never an error.
/// </summary>
internal sealed class LayerPeek : IDisposable
{
    private const int BufferSize = 64 * 1024;

    // Decoders get blocks of this many bytes, however the bytes are cut on their way here. How far a damaged layer can be read
    // depends on the blocks, and the same bytes have to show the same.
    private const int BlockSize = 8 * 1024;

    // Of an ordinary layer this much is looked at, which takes some hundredths of a second. Of one whose only file so far is an
    // initial ram disk, up to its end: only there it is known to be the only one.
    private const long MaxLength = 8L << 20;
    private const long MaxLengthOfInitrd = 2L << 30;

    // gzip makes at most 1,032 of one byte; what is more than this of a layer that is not short is made to be so.
    private const long MaxRatio = 200;
    private const long RatioFrom = 32L << 20;
    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(10);

    // 8 MiB, what common encoders use at the most. Each decoder may take that much.
    private const int MaxWindowLog = 23;
    private const int MaxDecoders = 32;

    private static int _decoders;

    private readonly TarPeek _tar = new();
    private readonly byte[] _magic = new byte[4];
    private int _magicLength;
    private readonly Feed _feed = new();
    private byte[] _block = [];
    private int _blockLength;
    private Stream? _decoder;
    private bool _isCompressed;
    private bool _begun;
    private bool _gaveUp;
    private long _taken;
    private long _made;
    private TimeSpan _spent;

    /// <summary>
    /// What was seen so far; null when it is no tar. Decodes what is left of a block first, so it is asked for when all bytes were
    /// taken.
    /// </summary>
    public TarFacts? Facts
    {
        get
        {
            DecodeBlock();
            return _gaveUp && _tar.Facts is { } seen ? seen with { OnlyFile = null } : _tar.Facts;
        }
    }

    /// <summary>Takes the layer's next bytes.</summary>
    public void Read(ReadOnlySpan<byte> bytes)
    {
        if (!_begun)
        {
            var magic = Math.Min(_magic.Length - _magicLength, bytes.Length);
            bytes[..magic].CopyTo(_magic.AsSpan(_magicLength));
            _magicLength += magic;
            bytes = bytes[magic..];
            if (_magicLength < _magic.Length)
            {
                return;
            }

            _begun = true;
            Begin();
            Take(_magic);
        }

        Take(bytes);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_decoder is null)
        {
            return;
        }

        if (_decoder is DecompressionStream)
        {
            Interlocked.Decrement(ref _decoders);
        }

        _decoder.Dispose();
        _decoder = null;
        _block = [];
    }

    private void Begin()
    {
        // RFC 1952, 2.3.1, and RFC 8878, 3.1.1.
        if (_magic.AsSpan(0, 2).SequenceEqual<byte>([0x1f, 0x8b]))
        {
            _decoder = new GZipStream(_feed, CompressionMode.Decompress);
        }
        else if (_magic.AsSpan().SequenceEqual<byte>([0x28, 0xb5, 0x2f, 0xfd]))
        {
            if (Interlocked.Increment(ref _decoders) > MaxDecoders)
            {
                Interlocked.Decrement(ref _decoders);
                _gaveUp = true;
                return;
            }

            var decoder = new DecompressionStream(_feed, BufferSize, checkEndOfStream: false);
            decoder.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, MaxWindowLog);
            _decoder = decoder;
        }
        else
        {
            return;
        }

        _isCompressed = true;
        _block = new byte[BlockSize];
    }

    private void Take(ReadOnlySpan<byte> bytes)
    {
        if (!_isCompressed)
        {
            _tar.Read(bytes);
            return;
        }

        while (_decoder is not null && !bytes.IsEmpty)
        {
            var taken = Math.Min(BlockSize - _blockLength, bytes.Length);
            bytes[..taken].CopyTo(_block.AsSpan(_blockLength));
            _blockLength += taken;
            bytes = bytes[taken..];
            if (_blockLength == BlockSize)
            {
                DecodeBlock();
            }
        }
    }

    private void DecodeBlock()
    {
        if (_decoder is null || _blockLength == 0)
        {
            return;
        }

        var started = Stopwatch.GetTimestamp();
        var output = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            _taken += _blockLength;
            _feed.Set(_block.AsMemory(0, _blockLength));
            _blockLength = 0;
            Decode(output, started);
        }
        catch (Exception error) when (error is InvalidDataException or ZstdException or IOException)
        {
            GiveUp();
        }
        finally
        {
            _feed.Set(default);
            _spent += Stopwatch.GetElapsedTime(started);
            ArrayPool<byte>.Shared.Return(output);
        }
    }

    private void Decode(byte[] output, long started)
    {
        while (_decoder is not null && _decoder.Read(output, 0, BufferSize) is var made and > 0)
        {
            _made += made;
            _tar.Read(output.AsSpan(0, made));
            if (_tar.IsDone)
            {
                // The rest cannot change what was seen.
                Dispose();
            }
            else if (
                _made > (_tar.MayBeInitrd ? MaxLengthOfInitrd : MaxLength)
                || (_made > RatioFrom && _made > MaxRatio * _taken)
                || _spent + Stopwatch.GetElapsedTime(started) > MaxTime
            )
            {
                GiveUp();
            }
        }
    }

    private void GiveUp()
    {
        _gaveUp = true;
        Dispose();
    }

    // What a decoder reads from: the bytes at hand. At their end it says that there are no more, and is asked again later.
    private sealed class Feed : ForwardStream
    {
        private ReadOnlyMemory<byte> _bytes;

        public void Set(ReadOnlyMemory<byte> bytes) => _bytes = bytes;

        public override int Read(Span<byte> buffer)
        {
            var read = Math.Min(buffer.Length, _bytes.Length);
            _bytes.Span[..read].CopyTo(buffer);
            _bytes = _bytes[read..];
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            new(Read(buffer.Span));
    }
}
