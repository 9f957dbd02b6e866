using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Registry;

/// <summary>Answers that are small and whole.</summary>
internal static class RegistryAnswer
{
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
