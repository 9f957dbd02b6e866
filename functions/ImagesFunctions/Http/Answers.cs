using System.Text.Encodings.Web;
using System.Text.Json;
using ImagesFunctions.Oci;
using ImagesFunctions.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ImagesFunctions.Http;

/// <summary>What the answers of both APIs have in common.</summary>
internal static class Answers
{
    /// <summary>The answers are JSON documents, never part of a page, so that <c>&lt;</c> may stay what it is.</summary>
    public static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Whether the request's method is one of these; if not, the answer says which are (RFC 9110, 15.5.6).</summary>
    public static bool HasMethod(HttpContext context, string[] methods)
    {
        if (methods.Contains(context.Request.Method, StringComparer.Ordinal))
        {
            return true;
        }

        context.Response.Headers.Allow = string.Join(", ", methods);
        return false;
    }

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
