using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace ImagesFunctions.Tests.Contract;

/// <summary>Holds answers against the responses of the OpenAPI document.</summary>
/// <param name="schemas">Those of the document.</param>
internal sealed class OpenApiAnswers(JsonSchema schemas)
{
    /// <summary>What of an answer is not as one documented response says, or null.</summary>
    public async Task<string?> ViolationAsync(
        HttpRequestMessage request,
        HttpResponseMessage answer,
        JsonElement response
    )
    {
        response = schemas.Resolve(response);
        if (OfHeaders(answer, response) is { } violation)
        {
            return violation;
        }

        var body = Decoded(answer, await answer.Content.ReadAsByteArrayAsync());
        if (request.Method == HttpMethod.Head || !response.TryGetProperty("content", out var content))
        {
            return body.Length == 0 ? null : "it has a body, and none is documented";
        }

        var type = answer.Content.Headers.ContentType?.MediaType ?? "none";
        return !content.TryGetProperty(type, out var media)
            ? $"the content type {type} is not documented"
            : OfBody((int)answer.StatusCode, type == "application/json", body, media.GetProperty("schema"));
    }

    private string? OfBody(int status, bool isJson, byte[] body, JsonElement schema)
    {
        JsonElement value;
        try
        {
            value = isJson ? JsonSchema.Parse(body) : JsonSerializer.SerializeToElement(Encoding.UTF8.GetString(body));
        }
        catch (JsonException error)
        {
            return $"the body is no JSON: {error.Message}";
        }

        return schemas.Violations(schema, value).FirstOrDefault()
            ?? (
                isJson && status >= 400 && value.GetProperty("errors")[0].GetProperty("status").GetInt32() != status
                    ? "the status inside is not the answer's"
                    : null
            );
    }

    private string? OfHeaders(HttpResponseMessage answer, JsonElement response) =>
        response.TryGetProperty("headers", out var headers)
            ? headers
                .EnumerateObject()
                .Select(one => OfHeader(answer, one.Name, schemas.Resolve(one.Value)))
                .FirstOrDefault(violation => violation is not null)
            : null;

    private string? OfHeader(HttpResponseMessage answer, string name, JsonElement header)
    {
        // As it was sent: the client would write some of them anew.
        if (
            !answer.Headers.NonValidated.TryGetValues(name, out var values)
            && !answer.Content.Headers.NonValidated.TryGetValues(name, out values)
        )
        {
            return header.TryGetProperty("required", out var required) && required.GetBoolean()
                ? $"the header {name} is missing"
                : null;
        }

        var schema = header.GetProperty("schema");
        return schemas.Violations(schema, JsonSchema.Typed(schema, string.Join(", ", values)), name).FirstOrDefault();
    }

    private static byte[] Decoded(HttpResponseMessage answer, byte[] body)
    {
        using var source = new MemoryStream(body);
        using Stream stream = answer.Content.Headers.ContentEncoding.SingleOrDefault() switch
        {
            null => source,
            "gzip" => new GZipStream(source, CompressionMode.Decompress),
            "br" => new BrotliStream(source, CompressionMode.Decompress),
            var other => throw new NotSupportedException(other),
        };
        using var plain = new MemoryStream();
        if (body.Length > 0)
        {
            stream.CopyTo(plain);
        }

        return plain.ToArray();
    }
}
