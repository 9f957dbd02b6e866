using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Registry;

/// <summary>Requests for a part of something that has an ETag and a length (RFC 9110, section 14).</summary>
internal static class RangeRequest
{
    /// <summary>Reads what part is asked for.</summary>
    /// <param name="request">The request.</param>
    /// <param name="response">Gets the header that says how long it is, where the range cannot be satisfied.</param>
    /// <param name="length">How many bytes there are.</param>
    /// <param name="etag">The ETag, with quotes.</param>
    /// <param name="range">The part; null for all of it.</param>
    /// <returns>False when no byte is in the range: the answer is 416.</returns>
    public static bool TryRead(
        HttpRequest request,
        HttpResponse response,
        long length,
        string etag,
        out ByteRange? range
    )
    {
        // A client that goes on with what it has of other content wants all of it (RFC 9110, 13.1.5).
        var header =
            request.Headers.IfRange is { Count: > 0 } condition && condition[0] != etag ? null
            : request.Headers.Range.Count == 1 ? request.Headers.Range[0]
            : null;
        if (ByteRange.TryParse(header, length, out range))
        {
            return true;
        }

        response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{length}");
        return false;
    }

    /// <summary>Says which part an answer has: 206 for a range.</summary>
    public static void Begin(HttpResponse response, ByteRange? range, long length)
    {
        response.ContentLength = range?.Length ?? length;
        if (range is { } part)
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = string.Create(
                CultureInfo.InvariantCulture,
                $"bytes {part.First}-{part.Last}/{length}"
            );
        }
    }
}
