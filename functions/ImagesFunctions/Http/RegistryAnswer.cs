using ImagesFunctions.Oci;
using ImagesFunctions.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ImagesFunctions.Http;

/// <summary>Answers that are small and whole.</summary>
internal static class RegistryAnswer
{
    /// <summary>
    /// Whether the client has this content already, as If-None-Match says (RFC 9110, 13.1.2): then the answer is 304. Its ETag is
    /// the digest in quotation marks.
    /// </summary>
    public static bool IsKnown(this HttpRequest request, Digest digest) =>
        request.IsKnown(new EntityTagHeaderValue($"\"{digest}\""));

    /// <summary>Whether the client has what has this ETag (RFC 9110, 13.1.2): then the answer is 304.</summary>
    public static bool IsKnown(this HttpRequest request, EntityTagHeaderValue etag) =>
        EntityTagHeaderValue.TryParseList(request.Headers.IfNoneMatch, out var known)
        && known.Any(k => k.Compare(etag, useStrongComparison: false) || k.Equals(EntityTagHeaderValue.Any));

    /// <summary>Sends a piece of the bytes of blobs, and counts them.</summary>
    public static async ValueTask SendPieceAsync(
        this HttpResponse response,
        ReadOnlyMemory<byte> piece,
        CancellationToken cancellationToken
    )
    {
        // The server drops what is written to a connection that is gone.
        cancellationToken.ThrowIfCancellationRequested();
        await response.Body.WriteAsync(piece, cancellationToken);
        Metrics.Sent(piece.Length);
    }

    /// <summary>Writes a whole body with its length; to HEAD only the headers that GET would have.</summary>
    public static async Task WriteBodyAsync(
        this HttpResponse response,
        string contentType,
        ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken
    )
    {
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(response.HttpContext.Request.Method))
        {
            await response.Body.WriteAsync(body, cancellationToken);
        }
    }
}
