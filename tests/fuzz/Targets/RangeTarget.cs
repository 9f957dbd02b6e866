using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using ImagesFunctions.Registry;

namespace ImagesFunctions.Fuzz.Targets;

/// <summary>
/// Ranges, as <c>size header</c>: a range is inside the content, is read again as it is written, and is the one that .NET's own
/// parser reads, where that reads one.
/// </summary>
internal static class RangeTarget
{
    public static void Check(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        var header = text[(space + 1)..];
        if (space > 0 && long.TryParse(text[..space], NumberStyles.None, CultureInfo.InvariantCulture, out var size))
        {
            CheckRange(header, size);
        }

        if (ByteRange.TryParseChunk(header, out var chunk))
        {
            Holds.True(chunk.First >= 0 && chunk.First <= chunk.Last && chunk.Length > 0, "a chunk of no bytes");
            Holds.True(
                ByteRange.TryParseChunk($"{chunk.First}-{chunk.Last}", out var again) && again == chunk,
                "the chunk, read again"
            );
            Holds.True(
                ByteRange.TryParseChunk($"bytes {chunk.First}-{chunk.Last}/*", out again) && again == chunk,
                "the chunk in HTTP's form"
            );
        }
    }

    private static void CheckRange(string header, long size)
    {
        var isSatisfied = ByteRange.TryParse(header, size, out var range);
        Holds.True(isSatisfied || range is null, "a range that cannot be satisfied");
        if (range is not null)
        {
            Holds.True(range.First >= 0 && range.First <= range.Last && range.Last < size, "a range outside");
            Holds.True(range.Length > 0 && range.Length <= size, "a range of another length");
            Holds.True(
                ByteRange.TryParse($"bytes={range.First}-{range.Last}", size, out var again) && again == range,
                "the range, read again"
            );
        }

        // An empty one of several ranges, as in "0-1,", is ignored there; ours ignores the whole header, as it may.
        if (
            size > 0
            && !header.Contains(',', StringComparison.Ordinal)
            && RangeHeaderValue.TryParse(header, out var parsed)
            && parsed.Unit.Equals("bytes", StringComparison.OrdinalIgnoreCase)
            && parsed.Ranges.Count == 1
        )
        {
            Holds.Same(Expected(parsed.Ranges.First(), size), range, $"the range of {header}");
        }
    }

    // RFC 9110, 14.1.2.
    private static ByteRange? Expected(RangeItemHeaderValue range, long size)
    {
        if (range.From is not { } from)
        {
            return range.To is > 0 ? new ByteRange(Math.Max(0, size - range.To.Value), size - 1) : null;
        }

        return from < size ? new ByteRange(from, Math.Min(range.To ?? long.MaxValue, size - 1)) : null;
    }
}
