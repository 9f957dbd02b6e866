using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;

namespace ImagesFunctions.Tests.Contract;

/// <summary>What was sent or answered is not what the OpenAPI document says.</summary>
public sealed class NotAsDocumentedException(string message) : Exception(message);

/// <summary>
/// Holds each request and its answer against the OpenAPI document of the service: the tests of a host talk to it through
/// <see cref="Client"/>, so that what any of them sees is documented.
/// </summary>
public sealed class OpenApi
{
    /// <summary>The document that the service serves.</summary>
    public static readonly OpenApi Served = new(Read());

    private readonly JsonSchema _schemas;

    private OpenApi(JsonElement document)
    {
        Document = document;
        _schemas = new JsonSchema(document);
    }

    public JsonElement Document { get; }

    /// <summary>A client that throws <see cref="NotAsDocumentedException"/> for an exchange that is not as documented.</summary>
    public static HttpClient Client(Uri address) =>
        new(new Holding { InnerHandler = new SocketsHttpHandler() })
        {
            BaseAddress = address,
            // The handler has a deadline, which follows the machine.
            Timeout = Timeout.InfiniteTimeSpan,
        };

    /// <summary>What of an exchange is not as documented, or null. Its bodies have to be in memory.</summary>
    public async Task<string?> ViolationAsync(HttpRequestMessage request, HttpResponseMessage answer)
    {
        var path = request.RequestUri!.AbsolutePath;
        if (!IsDocumented(path))
        {
            return null;
        }

        var status = (int)answer.StatusCode;
        if (Find(path) is not var (_, item, variable))
        {
            return status switch
            {
                401 => await AgainstAsync(request, answer, Component("Unauthorized")),
                404 when path != "/" => await AgainstAsync(request, answer, Component("NoRoute")),
                429 => await AgainstAsync(request, answer, Component("TooMany")),
                // Whether there is a token that is valid is not known.
                503 => await AgainstAsync(request, answer, Component("Unavailable")),
                _ => $"{path} is no route, and the answer is neither 404 nor 401",
            };
        }

        if (!item.TryGetProperty(request.Method.Method.ToLowerInvariant(), out var operation))
        {
            return await WithoutMethodAsync(request, answer, item);
        }

        if (!operation.GetProperty("responses").TryGetProperty($"{status}", out var documented) || status == 500)
        {
            return status == 500 ? "an error of the service" : $"the status {status} is not documented";
        }

        if (NeedsToken(operation) && !request.Headers.Contains("Authorization") && status != 401)
        {
            return "no token was sent, and the answer is not 401";
        }

        // What needs no token gives nothing away: whatever is sent along is ignored.
        var fault = NeedsToken(operation) ? await FaultAsync(request, item, operation, variable) : null;
        return fault is not null && status < 400
            ? $"it was accepted, although {fault}"
            : await AgainstAsync(request, answer, documented);
    }

    /// <summary>The operation that a request asks for, as "get /path", or null.</summary>
    public string? OperationOf(HttpRequestMessage request) =>
        Find(request.RequestUri!.AbsolutePath) is var (name, item, _)
        && Operations(item).Contains(request.Method.Method.ToLowerInvariant(), StringComparer.Ordinal)
            ? $"{request.Method.Method.ToLowerInvariant()} {name}"
            : null;

    // The registry has a specification of its own; the page is no part of the API.
    private static bool IsDocumented(string path) =>
        !path.StartsWith("/v2", StringComparison.Ordinal) && !path.StartsWith("/docs", StringComparison.Ordinal);

    private async Task<string?> WithoutMethodAsync(
        HttpRequestMessage request,
        HttpResponseMessage answer,
        JsonElement item
    )
    {
        if (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.ServiceUnavailable)
        {
            var known = answer.StatusCode == HttpStatusCode.Unauthorized;
            return await AgainstAsync(request, answer, Component(known ? "Unauthorized" : "Unavailable"));
        }

        string[] methods = [.. Operations(item).Select(one => one.ToUpperInvariant())];
        return answer.StatusCode != HttpStatusCode.MethodNotAllowed
                ? $"the method is not documented, and the answer is {(int)answer.StatusCode} instead of 405"
            : !methods.ToHashSet(StringComparer.Ordinal).SetEquals(answer.Content.Headers.Allow)
                ? $"Allow is {string.Join(", ", answer.Content.Headers.Allow)} instead of {string.Join(", ", methods)}"
            : await AgainstAsync(request, answer, Component("NoMethod"));
    }

    /// <summary>The answer against one documented response.</summary>
    private async Task<string?> AgainstAsync(
        HttpRequestMessage request,
        HttpResponseMessage answer,
        JsonElement response
    )
    {
        response = _schemas.Resolve(response);
        if (response.TryGetProperty("headers", out var headers))
        {
            foreach (var documented in headers.EnumerateObject())
            {
                if (OfHeader(answer, documented.Name, _schemas.Resolve(documented.Value)) is { } violation)
                {
                    return violation;
                }
            }
        }

        var body = Decoded(answer, await answer.Content.ReadAsByteArrayAsync());
        if (request.Method == HttpMethod.Head || !response.TryGetProperty("content", out var content))
        {
            return body.Length == 0 ? null : "it has a body, and none is documented";
        }

        var type = answer.Content.Headers.ContentType?.MediaType ?? "none";
        if (!content.TryGetProperty(type, out var media))
        {
            return $"the content type {type} is not documented";
        }

        JsonElement value;
        try
        {
            value =
                type == "application/json"
                    ? Parse(body)
                    : JsonSerializer.SerializeToElement(Encoding.UTF8.GetString(body));
        }
        catch (JsonException error)
        {
            return $"the body is no JSON: {error.Message}";
        }

        return _schemas.Violations(media.GetProperty("schema"), value).FirstOrDefault()
            ?? (
                type == "application/json"
                && (int)answer.StatusCode >= 400
                && value.GetProperty("errors")[0].GetProperty("status").GetInt32() != (int)answer.StatusCode
                    ? "the status inside is not the answer's"
                    : null
            );
    }

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
        return _schemas.Violations(schema, Value(schema, string.Join(", ", values)), name).FirstOrDefault();
    }

    /// <summary>What of a request is not as documented, or null.</summary>
    private async Task<string?> FaultAsync(
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
            _schemas.Violations(schema, Value(_schemas.Resolve(schema), value), name).FirstOrDefault();
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

        var schema = _schemas
            .Resolve(documented)
            .GetProperty("content")
            .GetProperty("application/json")
            .GetProperty("schema");
        try
        {
            return _schemas.Violations(schema, Parse(body), "body").FirstOrDefault();
        }
        // The second: a text that is not valid Unicode.
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return $"the body is no JSON: {error.Message}";
        }
    }

    // Case and a last slash make no difference to routing. A variable is the last part, and takes slashes: references have them.
    private (string Name, JsonElement Item, (string Name, string Value)? Variable)? Find(string path)
    {
        var trimmed = path.TrimEnd('/');
        foreach (var item in Document.GetProperty("paths").EnumerateObject())
        {
            var parts = item.Name.Split("/{");
            if (trimmed.Equals(parts[0], StringComparison.OrdinalIgnoreCase))
            {
                return (item.Name, item.Value, parts.Length > 1 ? (parts[1][..^1], "") : null);
            }

            if (parts.Length > 1 && trimmed.StartsWith($"{parts[0]}/", StringComparison.OrdinalIgnoreCase))
            {
                var encoded = path[(parts[0].Length + 1)..];
                // Some front ends write the percent sign of %2F anew.
                var value = Uri.UnescapeDataString(encoded).Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
                return (item.Name, item.Value, (parts[1][..^1], value));
            }
        }

        return null;
    }

    private IEnumerable<JsonElement> Parameters(JsonElement owner) =>
        owner.TryGetProperty("parameters", out var parameters)
            ? parameters.EnumerateArray().Select(_schemas.Resolve)
            : [];

    private JsonElement Component(string response) =>
        Document.GetProperty("components").GetProperty("responses").GetProperty(response);

    /// <summary>The operations of a path by their methods in small letters.</summary>
    public static IEnumerable<string> Operations(JsonElement item) =>
        item.EnumerateObject().Select(member => member.Name).Where(name => name is "get" or "head" or "delete");

    private static bool NeedsToken(JsonElement operation) => !operation.TryGetProperty("security", out _);

    // A bare name is a flag. One backslash at the end of a name or a value is ignored, as documented.
    private static IEnumerable<(string Name, string Value)> Query(Uri uri) =>
        uri
            .Query.TrimStart('?')
            .Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=', 2))
            .Select(pair => (Plain(pair[0]), pair.Length > 1 ? Plain(pair[1]) : ""));

    private static string Plain(string encoded) =>
        WebUtility.UrlDecode(encoded) is var text && text.EndsWith('\\') ? text[..^1] : text;

    private static JsonElement Value(JsonElement schema, string text) =>
        schema.TryGetProperty("type", out var type)
        && type.GetString() == "integer"
        && text.Length is > 0 and < 19
        && text.All(char.IsAsciiDigit)
            ? JsonSerializer.SerializeToElement(long.Parse(text))
            : JsonSerializer.SerializeToElement(text);

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

    private static JsonElement Parse(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
        return document.RootElement.Clone();
    }

    private static JsonElement Read()
    {
        using var resource = typeof(ImagesPipeline).Assembly.GetManifestResourceStream("openapi.json")!;
        using var document = JsonDocument.Parse(resource);
        return document.RootElement.Clone();
    }

    private sealed class Holding : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            using var deadline = Deadline.In();
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
            var answer = await base.SendAsync(request, stop.Token);
            if (IsDocumented(request.RequestUri!.AbsolutePath))
            {
                await answer.Content.LoadIntoBufferAsync(cancellationToken);
                if (await Served.ViolationAsync(request, answer) is { } violation)
                {
                    var body = await answer.Content.ReadAsStringAsync(cancellationToken);
                    throw new NotAsDocumentedException(
                        $"{request.Method} {request.RequestUri} → {(int)answer.StatusCode}: {violation}\n{body[..Math.Min(body.Length, 2000)]}"
                    );
                }
            }

            return answer;
        }
    }
}
