using System.Net;
using System.Text.Json;

namespace ImagesFunctions.Tests.Contract;

/// <summary>Holds requests against the operations of the OpenAPI document.</summary>
/// <param name="schemas">Those of the document.</param>
internal sealed class OpenApiRequests(JsonSchema schemas)
{
    /// <summary>What of a request is not as documented, or null.</summary>
    public async Task<string?> FaultAsync(
        HttpRequestMessage request,
        JsonElement item,
        JsonElement operation,
        (string Name, string Value)? variable
    )
    {
        var parameters = Parameters(item).Concat(Parameters(operation)).ToList();
        JsonElement? Named(string place, string name) =>
            parameters
                .Where(one => one.GetProperty("in").GetString() == place && one.GetProperty("name").GetString() == name)
                .Select(one => (JsonElement?)one.GetProperty("schema"))
                .SingleOrDefault();

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, value) in Query(request.RequestUri!))
        {
            if (Named("query", name) is not { } schema)
            {
                return $"the query parameter '{name}' is not documented";
            }

            var isArray = schema.TryGetProperty("type", out var type) && type.GetString() == "array";
            if (!seen.Add(name) && !isArray)
            {
                return $"the query parameter '{name}' is there twice";
            }

            if (Fault(isArray ? schema.GetProperty("items") : schema, value, name) is { } fault)
            {
                return fault;
            }
        }

        return
            variable is { } given && Fault(Named("path", given.Name)!.Value, given.Value, given.Name) is { } malformed
            ? malformed
            : await BodyFaultAsync(request, operation);

        string? Fault(JsonElement schema, string value, string name) =>
            schemas.Violations(schema, JsonSchema.Typed(schemas.Resolve(schema), value), name).FirstOrDefault();
    }

    private async Task<string?> BodyFaultAsync(HttpRequestMessage request, JsonElement operation)
    {
        // A body that can be read once only has gone over the wire.
        if (request.Content is not ByteArrayContent || !operation.TryGetProperty("requestBody", out var documented))
        {
            return null;
        }

        var body = (await request.Content.ReadAsByteArrayAsync()).AsMemory();
        if (body.Length > 1024 * 1024)
        {
            return "the body is longer than 1 MiB";
        }

        // Printed curl lines bring single quotes along.
        body = body.Trim(" \t\r\n'"u8);
        if (body.IsEmpty)
        {
            return null;
        }

        var schema = schemas
            .Resolve(documented)
            .GetProperty("content")
            .GetProperty("application/json")
            .GetProperty("schema");
        try
        {
            return schemas.Violations(schema, JsonSchema.Parse(body), "body").FirstOrDefault();
        }
        // The second: a text that is not valid Unicode.
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return $"the body is no JSON: {error.Message}";
        }
    }

    private IEnumerable<JsonElement> Parameters(JsonElement owner) =>
        owner.TryGetProperty("parameters", out var parameters)
            ? parameters.EnumerateArray().Select(schemas.Resolve)
            : [];

    // A bare name is a flag. One backslash at the end of a name or a value is ignored, as documented.
    private static IEnumerable<(string Name, string Value)> Query(Uri uri) =>
        uri
            .Query.TrimStart('?')
            .Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=', 2))
            .Select(pair => (Plain(pair[0]), pair.Length > 1 ? Plain(pair[1]) : ""));

    private static string Plain(string encoded) =>
        WebUtility.UrlDecode(encoded) is var text && text.EndsWith('\\') ? text[..^1] : text;
}
