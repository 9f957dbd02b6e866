using System.Net;
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

    private readonly OpenApiRequests _requests;
    private readonly OpenApiAnswers _answers;

    private OpenApi(JsonElement document)
    {
        Document = document;
        var schemas = new JsonSchema(document);
        _requests = new OpenApiRequests(schemas);
        _answers = new OpenApiAnswers(schemas);
    }

    public JsonElement Document { get; }

    /// <summary>A client that throws <see cref="NotAsDocumentedException"/> for an exchange that is not as documented.</summary>
    /// <param name="address">The base address.</param>
    /// <param name="follows">Whether it follows redirects, to where it then sends no token.</param>
    public static HttpClient Client(Uri address, bool follows = true) =>
        new(new Holding { InnerHandler = new SocketsHttpHandler { AllowAutoRedirect = follows } })
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
                401 => await _answers.ViolationAsync(request, answer, Component("Unauthorized")),
                404 when path != "/" => await _answers.ViolationAsync(request, answer, Component("NoRoute")),
                429 => await _answers.ViolationAsync(request, answer, Component("TooMany")),
                // Whether there is a token that is valid is not known.
                503 => await _answers.ViolationAsync(request, answer, Component("Unavailable")),
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
        var fault = NeedsToken(operation) ? await _requests.FaultAsync(request, item, operation, variable) : null;
        return fault is not null && status < 400
            ? $"it was accepted, although {fault}"
            : await _answers.ViolationAsync(request, answer, documented);
    }

    /// <summary>The operation that a request asks for, as "get /path", or null.</summary>
    public string? OperationOf(HttpRequestMessage request) =>
        Find(request.RequestUri!.AbsolutePath) is var (name, item, _)
        && Operations(item).Contains(request.Method.Method.ToLowerInvariant(), StringComparer.Ordinal)
            ? $"{request.Method.Method.ToLowerInvariant()} {name}"
            : null;

    // The registry has a specification of its own; the page is no part of the API.
    private static bool IsDocumented(string path) =>
        !path.StartsWith("/v2", StringComparison.Ordinal)
        && !path.StartsWith("/docs", StringComparison.Ordinal)
        && !path.StartsWith("/browse", StringComparison.Ordinal);

    private async Task<string?> WithoutMethodAsync(
        HttpRequestMessage request,
        HttpResponseMessage answer,
        JsonElement item
    )
    {
        if (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.ServiceUnavailable)
        {
            var known = answer.StatusCode == HttpStatusCode.Unauthorized;
            return await _answers.ViolationAsync(request, answer, Component(known ? "Unauthorized" : "Unavailable"));
        }

        string[] methods = [.. Operations(item).Select(one => one.ToUpperInvariant())];
        return answer.StatusCode != HttpStatusCode.MethodNotAllowed
                ? $"the method is not documented, and the answer is {(int)answer.StatusCode} instead of 405"
            : !methods.ToHashSet(StringComparer.Ordinal).SetEquals(answer.Content.Headers.Allow)
                ? $"Allow is {string.Join(", ", answer.Content.Headers.Allow)} instead of {string.Join(", ", methods)}"
            : await _answers.ViolationAsync(request, answer, Component("NoMethod"));
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

    private JsonElement Component(string response) =>
        Document.GetProperty("components").GetProperty("responses").GetProperty(response);

    /// <summary>The operations of a path by their methods in small letters.</summary>
    public static IEnumerable<string> Operations(JsonElement item) =>
        item.EnumerateObject()
            .Select(member => member.Name)
            .Where(name => name is "get" or "head" or "post" or "put" or "delete");

    private static bool NeedsToken(JsonElement operation) => !operation.TryGetProperty("security", out _);

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
