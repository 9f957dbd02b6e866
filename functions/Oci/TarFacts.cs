using System.Text;

namespace ImagesFunctions.Oci;

/// <summary>What was seen of a layer that is a tar.</summary>
/// <param name="OnlyFile">The path of its only file, without a leading slash; null when it has none or several.</param>
/// <param name="CommandLine">The text of its <c>unikraft/cmdline.txt</c>, without the line end; null when it has none.</param>
public sealed record TarFacts(string? OnlyFile, string? CommandLine)
{
    /// <summary>Where a Unikraft image keeps its initial ram disk.</summary>
    public const string Initrd = "unikraft/bin/initrd";

    /// <summary>Where a Unikraft image keeps its kernel.</summary>
    public const string Kernel = "unikraft/bin/kernel";

    /// <summary>Where a Unikraft image keeps its kernel's command line.</summary>
    public const string CommandLinePath = "unikraft/cmdline.txt";
}

/// <summary>
/// Notes <see cref="TarFacts"/> from the bytes of a layer as they stream by: header by header, skipping the contents,
/// never more than a few KiB in memory. What is no tar, or a broken one, gives no facts; that is never an error.
/// </summary>
public sealed class TarPeek
{
    private const int Block = 512;
    private const int MaxCommandLine = 16 * 1024;
    private const int MaxHeaders = 4096;

    private readonly byte[] _header = new byte[Block];
    private int _headerLength;
    private long _skip;
    private int _headers;
    private int _files;
    private string? _firstFile;
    private byte[]? _commandLine;
    private int _commandLineLength;
    private bool _done;
    private bool _isTar;

    /// <summary>What was seen so far; null when it is no tar.</summary>
    public TarFacts? Facts =>
        _isTar
            ? new TarFacts(
                _files == 1 ? _firstFile : null,
                _commandLine is not null && _commandLineLength == _commandLine.Length
                    ? Encoding.UTF8.GetString(_commandLine).TrimEnd('\r', '\n', '\0')
                    : null
            )
            : null;

    /// <summary>Whether no further bytes can change what was seen.</summary>
    public bool IsDone => _done;

    /// <summary>Whether the only file so far is an initial ram disk.</summary>
    public bool MayBeInitrd => _files == 1 && _firstFile == TarFacts.Initrd;

    /// <summary>Takes the layer's next bytes.</summary>
    public void Read(ReadOnlySpan<byte> bytes)
    {
        while (!_done && bytes.Length > 0)
        {
            if (_skip > 0)
            {
                var skipped = (int)Math.Min(_skip, bytes.Length);
                Keep(bytes[..skipped]);
                _skip -= skipped;
                bytes = bytes[skipped..];
                continue;
            }

            var taken = Math.Min(Block - _headerLength, bytes.Length);
            bytes[..taken].CopyTo(_header.AsSpan(_headerLength));
            _headerLength += taken;
            bytes = bytes[taken..];
            if (_headerLength == Block)
            {
                _headerLength = 0;
                ReadHeader();
            }
        }
    }

    private void Keep(ReadOnlySpan<byte> content)
    {
        if (_commandLine is not null && _commandLineLength < _commandLine.Length)
        {
            var kept = Math.Min(_commandLine.Length - _commandLineLength, content.Length);
            content[..kept].CopyTo(_commandLine.AsSpan(_commandLineLength));
            _commandLineLength += kept;
        }
    }

    // POSIX.1-2001, ustar: name 0, size 124, type 156, magic 257, prefix 345.
    private void ReadHeader()
    {
        ReadOnlySpan<byte> header = _header;
        if (
            !header.Slice(257, 5).SequenceEqual("ustar"u8)
            || ++_headers > MaxHeaders
            || Size(header.Slice(124, 12)) is not { } size
        )
        {
            // Two blocks of zeros end an archive; anything else that is no header is not worth an opinion.
            _done = true;
            return;
        }

        _isTar = true;
        _skip = (size + Block - 1) / Block * Block;
        if (header[156] is not ((byte)'0' or 0))
        {
            return;
        }

        var path = Path(header);
        _files++;
        _firstFile ??= path;
        if (path == TarFacts.CommandLinePath && size <= MaxCommandLine)
        {
            _commandLine = new byte[(int)size];
            _commandLineLength = 0;
        }
    }

    private static string Path(ReadOnlySpan<byte> header)
    {
        var name = Text(header[..100]);
        var prefix = header.Slice(257, 6).SequenceEqual("ustar\0"u8) ? Text(header.Slice(345, 155)) : "";
        var path = prefix.Length > 0 ? $"{prefix}/{name}" : name;
        return (path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path).TrimStart('/');
    }

    private static string Text(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
    }

    private static long? Size(ReadOnlySpan<byte> field)
    {
        long size = 0;
        if ((field[0] & 0x80) != 0)
        {
            // GNU's base-256 form, for files of 8 GiB and more. One that takes more than the last 8 bytes, or is below 0,
            // is no length of anything here.
            if (field[0] != 0x80 || field[1..4].ContainsAnyExcept((byte)0))
            {
                return null;
            }

            foreach (var b in field[4..])
            {
                size = (size << 8) | b;
            }

            return size is < 0 or > long.MaxValue - Block ? null : size;
        }

        foreach (var b in field.Trim(" \0"u8))
        {
            if (b is < (byte)'0' or > (byte)'7')
            {
                return null;
            }

            size = (size << 3) | (uint)(b - '0');
        }

        return size;
    }
}
