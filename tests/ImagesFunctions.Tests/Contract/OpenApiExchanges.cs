namespace ImagesFunctions.Tests.Contract;

/// <summary>Requests, their answers, and a part of what <see cref="OpenApi"/> finds in them; null: they are as documented.</summary>
public static class OpenApiExchanges
{
    internal const string Hex = "ca6f44e90929b32bf4c2b410ddca3efecde19c9d1914e4e250a73fcd76f3f910";
    internal const string Image =
        $$"""{"digest":"alice/app@sha256:{{Hex}}","tags":["alice/app:latest"],"initrd":true,"size_in_bytes":1,"args":"","kernel_args":"","labels":{} }""";
    internal const string List = $$"""{"status":"success","data":{"images":[{{Image}}]},"op_time_us":1}""";
    internal const string Item =
        """{"status":"error","message":"No image with name 'a/b:c'","error":8,"tag":"a/b:c"}""";
    internal const string Error =
        """{"status":"error","message":"m","errors":[{"status":400,"message":"m"}],"op_time_us":1}""";

    /// <summary>Nothing is found.</summary>
    public static TheoryData<string, string?, int, string, string?> Documented =>
        new()
        {
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
        };

    /// <summary>What was accepted should not have been.</summary>
    public static TheoryData<string, string?, int, string, string?> Accepted =>
        new()
        {
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
        };

    /// <summary>The route, the method or the status.</summary>
    public static TheoryData<string, string?, int, string, string?> Routed =>
        new()
        {
            { "GET /v1/nothing", null, 200, List, "is no route" },
            { "GET /", null, 404, Error, "is no route" },
            { "POST /v1/images/list", null, 200, List, "the method is not documented" },
            { "DELETE /v1/images/problems", null, 404, Error, "the method is not documented" },
            { "DELETE /v1/images/tag/a:b", null, 405, Error, "405 is not documented" },
            { "GET /v1/images/list", null, 418, Error, "418 is not documented" },
            { "GET /v1/images/list", null, 500, Error, "an error of the service" },
            { "GET /v1/images/digest/x", null, 405, Error, "405 is not documented" },
            { "PUT /v1/images/digest/x", null, 405, Error, "Allow is GET, HEAD instead of GET, HEAD, DELETE" },
        };

    /// <summary>The body of an answer.</summary>
    public static TheoryData<string, string?, int, string, string?> Answered =>
        new()
        {
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
}
