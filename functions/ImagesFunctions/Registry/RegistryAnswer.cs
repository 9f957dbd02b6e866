using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Registry;

/// <summary>Answers that are small and whole.</summary>
internal static class RegistryAnswer
{
    /// <summary>How JSON is written: it is never part of a page, so that "&lt;" and "+" may stay what they are.</summary>
    public static JsonWriterOptions Json { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

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
