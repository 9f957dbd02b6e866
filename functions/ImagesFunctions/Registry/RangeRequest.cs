using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Registry;

/// <summary>Range requests (RFC 9110, section 14).</summary>
internal static class RangeRequest
{
    /// <summary>Parses the range of a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="response">Gets the header <c>Content-Range</c> where the range cannot be satisfied.</param>
    /// <param name="length">The length of the content, in bytes.</param>
    /// <param name="etag">The ETag, with quotes.</param>
    /// <param name="range">The range; null for the whole content.</param>
    /// <returns>False when the range cannot be satisfied: the answer is 416.</returns>
    public static bool TryRead(
        HttpRequest request,
        HttpResponse response,
        long length,
        string etag,
        out ByteRange? range
    )
    {
        // If-Range with another ETag: the client has a part of other content, and needs all of this (RFC 9110, 13.1.5).
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

    /// <summary>Sets the headers of an answer with a range, and its status 206.</summary>
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
