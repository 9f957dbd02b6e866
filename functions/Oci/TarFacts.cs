using System.Text;

namespace ImagesFunctions.Oci;

/// <summary>What was found in a layer that is a tar.</summary>
/// <param name="OnlyFile">The path of its only file, without a leading slash; null when it has none or several.</param>
/// <param name="CommandLine">The text of its <c>unikraft/cmdline.txt</c>, without the line end; null when it has none.</param>
public sealed record TarFacts(string? OnlyFile, string? CommandLine)
{
    /// <summary>The path of the initial ram disk in a Unikraft image.</summary>
    public const string Initrd = "unikraft/bin/initrd";

    /// <summary>The path of the kernel in a Unikraft image.</summary>
    public const string Kernel = "unikraft/bin/kernel";

    /// <summary>The path of the kernel's command line in a Unikraft image.</summary>
    public const string CommandLinePath = "unikraft/cmdline.txt";
}

/// <summary>
/// Finds <see cref="TarFacts"/> in the bytes of a layer while they stream: reads the headers and skips the contents, in a few KiB of
/// memory. Content that is not a tar, or that is damaged, has no facts, which is not an error.
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

    /// <summary>What was found so far; null when it is not a tar.</summary>
    public TarFacts? Facts =>
        _isTar
            ? new TarFacts(
                _files == 1 ? _firstFile : null,
                _commandLine is not null && _commandLineLength == _commandLine.Length
                    ? Encoding.UTF8.GetString(_commandLine).TrimEnd('\r', '\n', '\0')
                    : null
            )
            : null;

    /// <summary>Whether more bytes cannot change the facts.</summary>
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
            // Two blocks of zeros end an archive. Anything else that is not a header ends the search as well.
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
            // GNU's base-256 form, for files of 8 GiB and more. A length of more than 8 bytes, or a negative one, is not valid.
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
