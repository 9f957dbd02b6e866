using System.Net;
using System.Net.Http.Headers;
using System.Text;
using static ImagesFunctions.Tests.Contract.OpenApiExchanges;

namespace ImagesFunctions.Tests.Contract;

/// <summary>That <see cref="OpenApi"/> finds whatever is not as the document says.</summary>
public sealed class OpenApiViolations
{
    private static readonly string[] ListHeaders =
    [
        $"X-Request-Id: {new string('0', 32)}",
        "ETag: W/\"1\"",
        "Cache-Control: private, no-cache",
        "Vary: Authorization, Accept-Encoding",
        "X-Total-Count: 1",
    ];

    private static readonly string[] ErrorHeaders =
    [
        $"X-Request-Id: {new string('0', 32)}",
        "Cache-Control: no-store",
        "WWW-Authenticate: Bearer",
        "Retry-After: 1",
        "Allow: GET, HEAD",
    ];

    /// <summary>What may go wrong with <see cref="List"/>: what to replace, with what, and a part of what is found.</summary>
    public static TheoryData<string, string, string> Changes =>
        new()
        {
            { "\"status\":\"success\"", "\"status\":\"partial_success\"", "$.status: " },
            { "\"op_time_us\":1", "\"op_time_us\":-1", "less than 0" },
            { "\"op_time_us\":1", "\"op_time_us\":1.5", "is no integer" },
            { "\"op_time_us\":1", "\"op_time_us\":1,\"more\":1", "nobody knows its member more" },
            { "]},", "],\"next\":1},", "nobody knows its member next" },
            { "\"args\":\"\"", "\"args\":[]", "is no string" },
            { "\"args\":\"\",", "", "there is no args" },
            { "\"labels\":{}", "\"labels\":null", "is no object" },
            { "\"labels\":{}", "\"labels\":{\"a\":1}", "$.data.images[0].labels.a: 1 is no string" },
            { "\"initrd\":true", "\"initrd\":\"true\"", "is no boolean" },
            { "alice/app@", "alice/App@", "does not match" },
            { "\"digest\":\"alice", "\"digest\":\"/alice", "does not match" },
            { Hex, Hex[1..], "does not match" },
            { "[\"alice/app:latest\"]", "[\"latest\"]", "does not match" },
            { "[\"alice/app:latest\"]", "[\"alice/app:latest\",\"alice/app:latest\"]", "one is there twice" },
            { "[\"alice/app:latest\"]", "\"alice/app:latest\"", "is no array" },
            { "\"images\":[", "\"images\":[null,", "is no object" },
        };

    public static TheoryData<string, string> Headers =>
        new()
        {
            { "X-Request-Id", "the header X-Request-Id is missing" },
            { "X-Request-Id: abc", "X-Request-Id: 'abc' does not match" },
            { "ETag", "the header ETag is missing" },
            { "ETag: \"1\"", "ETag: '\"1\"' does not match" },
            { "Cache-Control", "the header Cache-Control is missing" },
            { "Cache-Control: public", "is not \"private, no-cache\"" },
            { "Vary: Accept-Encoding", "is not \"Authorization, Accept-Encoding\"" },
            { "X-Total-Count: many", "is no integer" },
            { "Link: </v2/a>; rel=\"next\"", "does not match" },
            { "Content-Type", "the content type none is not documented" },
            { "Content-Type: text/html", "the content type text/html is not documented" },
        };

    [Theory]
    [MemberData(nameof(OpenApiExchanges.Documented), MemberType = typeof(OpenApiExchanges))]
    [MemberData(nameof(OpenApiExchanges.Accepted), MemberType = typeof(OpenApiExchanges))]
    [MemberData(nameof(OpenApiExchanges.Routed), MemberType = typeof(OpenApiExchanges))]
    [MemberData(nameof(OpenApiExchanges.Answered), MemberType = typeof(OpenApiExchanges))]
    public async Task An_exchange_is_held_against_the_document(
        string request,
        string? body,
        int status,
        string answer,
        string? violation
    ) => AssertFound(violation, await CheckAsync(request, body, status, answer));

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task What_is_wrong_in_a_body_is_found(string text, string changed, string violation)
    {
        var answer = List.Replace(text, changed, StringComparison.Ordinal);
        Assert.NotEqual(List, answer);

        AssertFound(violation, await CheckAsync("GET /v1/images/list", null, 200, answer));
    }

    [Theory]
    [MemberData(nameof(Headers))]
    public async Task A_header_that_is_missing_or_wrong_is_found(string header, string violation) =>
        AssertFound(violation, await CheckAsync("GET /v1/images/list", null, 200, List, header));

    [Theory]
    [InlineData(400, "Cache-Control", "the header Cache-Control is missing")]
    [InlineData(401, "WWW-Authenticate", "the header WWW-Authenticate is missing")]
    [InlineData(503, "Retry-After", "the header Retry-After is missing")]
    [InlineData(503, "Retry-After: soon", "is no integer")]
    public async Task A_header_of_an_error_that_is_missing_or_wrong_is_found(
        int status,
        string header,
        string violation
    )
    {
        var answer = Error.Replace("400", $"{status}", StringComparison.Ordinal);
        Assert.Null(await CheckAsync("GET /v1/images/list", null, status, answer));

        AssertFound(violation, await CheckAsync("GET /v1/images/list", null, status, answer, header));
    }

    [Fact]
    public async Task Without_a_token_only_401_is_documented_where_one_is_needed()
    {
        AssertFound("no token was sent", await CheckAsync("GET /v1/images/list", null, 200, List, "Authorization"));
        Assert.Null(
            await CheckAsync(
                "GET /v1/images/list",
                null,
                401,
                Error.Replace("400", "401", StringComparison.Ordinal),
                "Authorization"
            )
        );
    }

    [Fact]
    public async Task What_is_none_of_this_document_is_let_pass()
    {
        Assert.Null(await CheckAsync("GET /v2/", null, 418, "tea"));
        Assert.Null(await CheckAsync("GET /docs", null, 200, "<!doctype html>"));
    }

    private static void AssertFound(string? part, string? violation)
    {
        if (part is null)
        {
            Assert.Null(violation);
        }
        else
        {
            Assert.Contains(part, violation ?? "nothing was found", StringComparison.Ordinal);
        }
    }

    /// <param name="request">Method and path.</param>
    /// <param name="body">The body of the request.</param>
    /// <param name="status">The status of the answer.</param>
    /// <param name="answer">Its body.</param>
    /// <param name="header">A header instead of the right one; a name alone: it is left out.</param>
    private static async Task<string?> CheckAsync(
        string request,
        string? body,
        int status,
        string answer,
        string? header = null
    )
    {
        var (method, path) = (request.Split(' ')[0], request.Split(' ')[1]);
        using var asked = new HttpRequestMessage(new HttpMethod(method), new Uri(new Uri("http://127.0.0.1"), path));
        asked.Content = body is null ? null : new StringContent(body, Encoding.UTF8);
        using var answered = new HttpResponseMessage((HttpStatusCode)status);
        answered.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(answer));
        var type = path == "/healthz" ? "text/plain" : "application/json";
        foreach (
            var line in (status < 400 ? ListHeaders : ErrorHeaders)
                .Append($"Content-Type: {type}")
                .Append("Authorization: Bearer abc")
                .Where(line => line.Split(':')[0] != header?.Split(':')[0])
                .Append(header ?? "")
                .Where(line => line.Contains(": ", StringComparison.Ordinal))
        )
        {
            var (name, value) = (line.Split(": ")[0], line.Split(": ", 2)[1]);
            HttpHeaders headers = name switch
            {
                "Authorization" => asked.Headers,
                "Content-Type" or "Allow" => answered.Content.Headers,
                _ => answered.Headers,
            };
            Assert.True(headers.TryAddWithoutValidation(name, value));
        }

        return await OpenApi.Served.ViolationAsync(asked, answered);
    }
}
