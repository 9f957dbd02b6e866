using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ImagesFunctions.Registry;

/// <summary>A range of bytes, both ends included.</summary>
internal sealed record ByteRange(long First, long Last)
{
    private const string Unit = "bytes";

    public long Length => Last - First + 1;

    /// <summary>
    /// Parses the header <c>Range</c> (RFC 9110, 14.2) for content of this many bytes. True with a range. True with null when the
    /// header is ignored: it is absent, has several ranges or another unit, or the content is empty (some clients send
    /// <c>bytes=0-</c> with each request). False when the range cannot be satisfied.
    /// </summary>
    public static bool TryParse(string? header, long size, out ByteRange? range)
    {
        range = null;
        if (
            header is null
            || size == 0
            || header.IndexOf('=', StringComparison.Ordinal) is var equals && equals < 0
            || !header.AsSpan(0, equals).Trim().Equals(Unit, StringComparison.OrdinalIgnoreCase)
        )
        {
            return true;
        }

        var spec = header.AsSpan(equals + 1).Trim();
        var dash = spec.IndexOf('-');
        if (dash < 0 || spec.Contains(','))
        {
            return true;
        }

        var from = spec[..dash].Trim();
        var to = spec[(dash + 1)..].Trim();
        if (from.IsEmpty)
        {
            if (!TryNumber(to, out var suffix))
            {
                return true;
            }

            range = suffix > 0 ? new ByteRange(Math.Max(0, size - suffix), size - 1) : null;
            return range is not null;
        }

        var last = long.MaxValue;
        if (!TryNumber(from, out var first) || (!to.IsEmpty && !TryNumber(to, out last)))
        {
            return true;
        }

        range = first < size && first <= last ? new ByteRange(first, Math.Min(last, size - 1)) : null;
        return range is not null;
    }

    /// <summary>
    /// Parses the <c>Content-Range</c> of a chunk: <c>a-b</c> of the distribution spec, or <c>bytes a-b/…</c> of HTTP.
    /// </summary>
    public static bool TryParseChunk(string header, [NotNullWhen(true)] out ByteRange? range)
    {
        range = null;
        var spec = header.AsSpan().Trim();
        if (spec.StartsWith(Unit, StringComparison.OrdinalIgnoreCase))
        {
            spec = spec[Unit.Length..].TrimStart(" =");
        }

        if (spec.IndexOf('/') is var slash and >= 0)
        {
            spec = spec[..slash];
        }

        var dash = spec.IndexOf('-');
        if (
            dash < 0
            || !TryNumber(spec[..dash], out var first)
            || !TryNumber(spec[(dash + 1)..], out var last)
            || last < first
            || last == long.MaxValue
        )
        {
            return false;
        }

        range = new ByteRange(first, last);
        return true;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out long number)
    {
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number))
        {
            return true;
        }

        // More digits than fit: behind the end of any blob.
        number = long.MaxValue;
        return text.Length > 18 && !text.ContainsAnyExceptInRange('0', '9');
    }
}
