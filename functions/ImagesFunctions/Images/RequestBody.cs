using System.Text.Json;
using ImagesFunctions.Http;
using ImagesFunctions.Oci;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Images;

/// <summary>The JSON body of a request to <c>/v1</c>, in every form that clients send.</summary>
internal static class RequestBody
{
    private const int MaxLength = 1024 * 1024;

    /// <summary>Reads the body.</summary>
    /// <param name="request">The request. Its content type is ignored: plain <c>curl -d</c> sends that of a form.</param>
    /// <param name="read">Reads the root of the body.</param>
    /// <param name="empty">The result for an empty body.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="ApiException">400: it is not JSON; 413: it is longer than 1 MiB.</exception>
    public static async Task<T> ReadAsync<T>(
        HttpRequest request,
        Func<JsonElement, T> read,
        T empty,
        CancellationToken cancellationToken
    )
    {
        var text = SingleQuotes.ToJson(await request.ReadBodyAsync(MaxLength, TooLong, cancellationToken));
        if (text.IsEmpty)
        {
            return empty;
        }

        try
        {
            using var document = JsonDocument.Parse(
                text,
                new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false }
            );
            return read(document.RootElement);
        }
        catch (JsonException error)
        {
            throw ApiException.BadRequest($"The body is {ManifestJson.Describe(error)}.");
        }
        catch (InvalidOperationException)
        {
            // Invalid UTF-8, or half of an escaped surrogate pair.
            throw ApiException.BadRequest("The body is not valid JSON: a text is not valid Unicode.");
        }
    }

    private static ApiException TooLong() =>
        new(StatusCodes.Status413PayloadTooLarge, $"The body is longer than {MaxLength} bytes.");
}
