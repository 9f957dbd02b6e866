using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace ImagesFunctions.Tests.Contract;

/// <summary>The OpenAPI document in itself, and that <see cref="OpenApi"/> finds whatever is not as it says.</summary>
public sealed class OpenApiTests
{
    private const string Hex = "ca6f44e90929b32bf4c2b410ddca3efecde19c9d1914e4e250a73fcd76f3f910";
    private const string Image =
        $$"""{"digest":"alice/app@sha256:{{Hex}}","tags":["alice/app:latest"],"initrd":true,"size_in_bytes":1,"args":"","kernel_args":"","labels":{} }""";
    private const string List = $$"""{"status":"success","data":{"images":[{{Image}}]},"op_time_us":1}""";
    private const string Item = """{"status":"error","message":"No image with name 'a/b:c'","error":8,"tag":"a/b:c"}""";
    private const string Error =
        """{"status":"error","message":"m","errors":[{"status":400,"message":"m"}],"op_time_us":1}""";

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

    /// <summary>A request, its answer, and a part of what is found; null: it is as documented.</summary>
    public static TheoryData<string, string?, int, string, string?> Exchanges =>
        new()
        {
            // As documented.
            { "GET /v1/images/list", null, 200, List, null },
            { "GET /v1/images/list/", null, 200, List, null },
            { "GET /V1/images/LIST", null, 200, List, null },
            { "GET /v1/images/list?tagged", null, 200, List, null },
            { "GET /v1/images/list?namespace%5C=alice%5C&tagged%5C", null, 200, List, null },
            { "GET /v1/images/list?limit=1000", """{"tag":"a/b:c"}""", 200, List, null },
            { "GET /v1/images/list", """ '{"tag":"a/b:c"}' """, 200, List, null },
            { "GET /v1/images/list", """[{"tag":"no reference"}]""", 200, List, null },
            { "GET /v1/images/list?taged", null, 400, Error, null },
            { "GET /v1/images/list", "[{}]", 400, Error, null },
            { "HEAD /v1/images/list", null, 200, "", null },
            { "GET /v1/images/list", null, 304, "", null },
            { "POST /v1/images/list", null, 405, Error.Replace("400", "405", StringComparison.Ordinal), null },
            { "GET /v1/nothing", null, 404, Error.Replace("400", "404", StringComparison.Ordinal), null },
            { "GET /", null, 401, Error.Replace("400", "401", StringComparison.Ordinal), null },
            {
                "GET /v1/images/tag/alice%2Fapp:latest",
                null,
                404,
                Error.Replace("400", "404", StringComparison.Ordinal),
                null
            },
            {
                "DELETE /v1/images/tag/alice%2Fapp:latest",
                null,
                200,
                """{"status":"success","data":{"images":[{"tag":"alice/app:latest"}]},"op_time_us":1}""",
                null
            },
            {
                "GET /v1/images/list",
                "[{\"tag\":\"a/b:c\"}]",
                200,
                $$"""{"status":"error","message":"m","data":{"images":[{{Item}}]},"op_time_us":1}""",
                null
            },
            {
                "GET /v1/images/list",
                "[{\"tag\":\"a/b:c\"},{\"tag\":\"a/b:d\"}]",
                200,
                $$"""{"status":"partial_success","message":"m","data":{"images":[{{Item}},{{Image}}]},"op_time_us":1}""",
                null
            },
            { "GET /healthz", null, 200, "ok\n", null },
            // What was accepted should not have been.
            { "GET /v1/images/list?taged", null, 200, List, "'taged' is not documented" },
            { "GET /v1/images/list?Tagged", null, 200, List, "'Tagged' is not documented" },
            { "GET /v1/images/list?details", null, 200, List, "'details' is not documented" },
            { "GET /v1/images/list?tagged&tagged", null, 200, List, "'tagged' is there twice" },
            { "GET /v1/images/list?tagged=yes", null, 200, List, "is none of" },
            { "GET /v1/images/list?tagged=%5C%5C", null, 200, List, "is none of" },
            { "GET /v1/images/list?namespace=", null, 200, List, "namespace: '' does not match" },
            { "GET /v1/images/list?namespace=alice%0A", null, 200, List, "does not match" },
            { "GET /v1/images/list?limit=0", null, 200, List, "limit: 0 is less than 1" },
            { "GET /v1/images/list?limit=1001", null, 200, List, "limit: 1001 is more than 1000" },
            { "GET /v1/images/list?limit=+1", null, 200, List, "is no integer" },
            { "GET /v1/images/list?limit=", null, 200, List, "is no integer" },
            { "GET /v1/images/list?after=alice/app", null, 200, List, "after: 'alice/app' does not match" },
            { "GET /v1/images/list", "{", 200, List, "the body is no JSON" },
            { "GET /v1/images/list", "null", 200, List, "is no array" },
            { "GET /v1/images/list", """{"tag":1}""", 200, List, "body.tag: 1 is no string" },
            { "GET /v1/images/list", """{"tag":"a"}""", 200, List, "body.tag: 'a' does not match" },
            { "GET /v1/images/list", """{"tags":"a/b:c"}""", 200, List, "nobody knows its member tags" },
            { "GET /v1/images/list", """{"tag":"a/b:c","tag":"a/b:c"}""", 200, List, "the body is no JSON" },
            { "GET /v1/images/list", """{"tag":"a/b:c","tagged":"a/b:c"}""", 200, List, "what it must not be" },
            { "GET /v1/images/list", "[{}]", 200, List, "too few members" },
            { "GET /v1/images/list", "[null]", 200, List, "is no object" },
            { "GET /v1/images/list", "{\"tag\":\"\\ud800\"}", 200, List, "the body is no JSON" },
            { "GET /v1/images/digest/abc", null, 200, List, "digest: 'abc' does not match" },
            { "GET /v1/images/digest", null, 200, List, "digest: '' does not match" },
            { "DELETE /v1/images/tag/app", null, 200, List, "tag: 'app' does not match" },
            // The route, the method, the status.
            { "GET /v1/nothing", null, 200, List, "is no route" },
            { "GET /", null, 404, Error, "is no route" },
            { "POST /v1/images/list", null, 200, List, "the method is not documented" },
            { "DELETE /v1/images/problems", null, 404, Error, "the method is not documented" },
            { "DELETE /v1/images/tag/a:b", null, 405, Error, "405 is not documented" },
            { "GET /v1/images/list", null, 418, Error, "418 is not documented" },
            { "GET /v1/images/list", null, 500, Error, "an error of the service" },
            { "GET /v1/images/digest/x", null, 405, Error, "405 is not documented" },
            { "PUT /v1/images/digest/x", null, 405, Error, "Allow is GET, HEAD instead of GET, HEAD, DELETE" },
            // The body of an answer.
            { "GET /v1/images/list", null, 200, "", "the body is no JSON" },
            { "GET /v1/images/list", null, 200, List[..^1], "the body is no JSON" },
            { "GET /v1/images/list", null, 200, Error, "nobody knows its member errors" },
            { "HEAD /v1/images/list", null, 200, List, "it has a body" },
            { "GET /v1/images/list", null, 304, List, "it has a body" },
            {
                "GET /v1/images/list?x",
                null,
                400,
                Error.Replace("400", "404", StringComparison.Ordinal),
                "the status inside"
            },
            { "GET /v1/images/list?x", null, 400, List, "nobody knows its member data" },
            {
                "GET /v1/nothing",
                null,
                404,
                Error
                    .Replace("400", "404", StringComparison.Ordinal)
                    .Replace("op_time_us", "time", StringComparison.Ordinal),
                "nobody knows its member time"
            },
            { "GET /healthz", null, 200, "fine\n", "is not \"ok\\n\"" },
        };

    /// <summary>What may go wrong with the one good answer above: what to replace, with what, and a part of what is found.</summary>
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
    [MemberData(nameof(Exchanges))]
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

    /// <summary>Also shows that the tests know every keyword that the document uses.</summary>
    [Fact]
    public void Every_example_of_the_document_is_valid()
    {
        var schemas = new JsonSchema(OpenApi.Served.Document);
        var count = 0;
        Walk(OpenApi.Served.Document);
        Assert.InRange(count, 40, int.MaxValue);

        void Walk(JsonElement element)
        {
            if (element.ValueKind == JsonValueKind.Array)
            {
                element.EnumerateArray().ToList().ForEach(Walk);
            }

            if (element.ValueKind != JsonValueKind.Object)
            {
                return;
            }

            if (element.TryGetProperty("schema", out var schema))
            {
                var examples = element.TryGetProperty("examples", out var named)
                    ? named.EnumerateObject().Select(one => one.Value.GetProperty("value")).ToList()
                    : [];
                examples.AddRange(element.TryGetProperty("example", out var example) ? [example] : []);
                foreach (var value in examples)
                {
                    Assert.Empty(schemas.Violations(schema, value));
                    count++;
                }
            }

            element.EnumerateObject().ToList().ForEach(member => Walk(member.Value));
        }
    }

    [Fact]
    public void Every_schema_says_exactly_which_members_there_are()
    {
        foreach (
            var schema in OpenApi
                .Served.Document.GetProperty("components")
                .GetProperty("schemas")
                .EnumerateObject()
                .Where(schema => schema.Value.TryGetProperty("properties", out _))
        )
        {
            Assert.False(schema.Value.GetProperty("additionalProperties").GetBoolean(), schema.Name);
        }
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
