using CsCheck;

namespace ImagesFunctions.Tests.Contract;

/// <summary>A request, perhaps of no sense. `{x}` stands for an account that is not the caller's.</summary>
internal sealed record RandomRequest(string Method, string Target, string[] Headers, string? Body, bool IsChunked)
{
    public bool IsAboutAnother =>
        Target.Contains("{x}") || (Body?.Contains("{x}") ?? false) || Headers.Any(h => h.Contains("{x}"));

    // What the server may refuse with an answer of its own, before anybody looks at it.
    public bool MayBeRefusedByTheServer =>
        Target.Any(c => c is <= ' ' or >= '\u007f')
        || Headers.Any(h => h.Any(c => c is < ' ' or >= '\u007f'))
        || Target.Contains("%00", StringComparison.Ordinal)
        || !Target.StartsWith('/')
        // No route of a function matches an empty first part.
        || Target.StartsWith("//", StringComparison.Ordinal)
        || !RandomRequests.Methods.Contains(Method, StringComparer.Ordinal);

    public override string ToString() =>
        $"{Method} {Target}\n{string.Join('\n', Headers)}\n{(IsChunked ? "chunked " : "")}{Body}";
}

/// <summary>Requests from the pieces that good ones are made of.</summary>
internal static class RandomRequests
{
    public static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

    private static readonly Gen<string> References = Gen.OneOf(
        "{alice}/web@{one}",
        "{alice}/web:1",
        "{alice}/multi@{amd64}",
        "{hello}:latest",
        "official/{hello}@{five}",
        "{x}/web@{one}",
        "{x}/web:1",
        "{x}/hidden@{hidden}",
        "{x}/hidden:latest",
        "{x}",
        "{alice}",
        "{alice}/web",
        "official",
        "{hidden}",
        "{one}",
        "{none}",
        "{x}/../{alice}/web:1",
        "{alice}/../{x}/hidden:latest"
    );

    private static readonly Gen<string> Digests = Gen.OneOf(
        "{alice}/web@{one}",
        "{hello}@{five}",
        "{x}/web@{one}",
        "{x}/hidden@{hidden}",
        "{alice}/web@{none}"
    );

    private static readonly Gen<string> Tags = Gen.OneOf(
        "{alice}/web:1",
        "{hello}:latest",
        "official/{hello}:latest",
        "{x}/web:1",
        "{x}/hidden:latest",
        "{alice}/web:no"
    );

    private static readonly Gen<string> Noise = Gen.OneOf(
        Gen.OneOf(
            "%",
            "%2F",
            "%252F",
            "%5C",
            "%00",
            "%0D%0A",
            "%ff",
            "%E2%82%AC",
            "\\",
            "/",
            "//",
            "..",
            ".",
            "@",
            ":",
            "'",
            "\"",
            "=",
            "&",
            "+",
            ";",
            "#",
            "?",
            "{",
            "}",
            "[",
            "]",
            "<",
            "null",
            "true",
            "0",
            "-1",
            "1e9",
            "sha256:",
            "sha512:",
            "latest",
            "*",
            ",",
            "$",
            "|",
            "^",
            "`",
            "~"
        ),
        Gen.Char[' ', '\u00ff'].Select(c => c.ToString()),
        Gen.String[Gen.Char.AlphaNumeric, 0, 300]
    );

    private static readonly Gen<string> Value = Gen.Frequency(
        (6, References),
        (2, Noise),
        (2, Gen.Select(References, Noise, (a, b) => a + b)),
        (1, Gen.Select(Noise, References, Noise, (a, b, c) => a + b + c)),
        (1, References.Select(r => r.Replace("/", "%2F", StringComparison.Ordinal)))
    );

    private static readonly Gen<string> Path = Gen.Frequency(
        (6, Gen.OneOf("/v1/images/list", "/v1/images", "/v1/image-store", "/v1/images/problems")),
        (4, Gen.Select(Gen.OneOf("/v1/images/digest/", "/v1/images/tag/"), Value, (a, b) => a + b)),
        (1, Gen.Select(Gen.OneOf("/", "/v1/", "/v1/images/", "//"), Value, (a, b) => a + b)),
        (1, Noise)
    );

    private static readonly Gen<string> GoodParameter = Gen.OneOf(
        Gen.OneOf("{x}", "{x}/web", "{alice}", "{alice}/web", "official", "official/{hello}")
            .Select(n => $"namespace={n}"),
        Gen.OneOf("tagged", "tagged=0", "limit=1", "limit=2", "limit=1000"),
        Digests.Select(d => $"digest={d}"),
        Tags.Select(t => $"tag={t}"),
        Digests.Select(d => $"after={d}")
    );

    private static readonly Gen<string> Parameter = Gen.Select(
        Gen.Frequency(
            (8, Gen.OneOf("namespace", "tagged", "digest", "tag", "limit", "after", "details", "metro", "tag\\")),
            (1, Noise)
        ),
        Gen.Frequency((4, Value), (1, Gen.OneOf("1", "true", "1000", "", "false"))),
        Gen.Bool,
        (name, value, hasValue) => hasValue ? $"{name}={value}" : name
    );

    private static readonly Gen<string> Query = Gen.Frequency(
            (4, GoodParameter.Array[0, 2]),
            (1, Parameter.Array[0, 3]),
            (1, Gen.Select(GoodParameter, Parameter, (a, b) => new[] { a, b }))
        )
        .Select(parts => parts.Length == 0 ? "" : "?" + string.Join('&', parts));

    private static readonly Gen<string> Json = Gen.Select(
        Gen.Frequency((6, Gen.OneOf("digest", "tag", "tagged")), (1, Noise)),
        Gen.Frequency((6, Value.Select(v => $"\"{v}\"")), (1, Noise), (1, Gen.OneOf("null", "7", "{}", "[[[]]]"))),
        (name, value) => $"\"{name}\":{value}"
    );

    private static readonly Gen<string> Item = Gen.Frequency(
        (3, Digests.Select(d => $$"""{"digest":"{{d}}"}""")),
        (3, Tags.Select(t => $$"""{"tag":"{{t}}"}""")),
        (2, Json.Array[0, 2].Select(m => $"{{{string.Join(',', m)}}}"))
    );

    private static readonly Gen<string?> Body = Gen.Frequency(
        (9, Gen.Const((string?)null)),
        (4, Item.Select(i => (string?)i)),
        (3, Item.Array[0, 4].Select(i => (string?)$"[{string.Join(',', i)}]")),
        (1, Item.Select(i => (string?)$"'{i}'")),
        (1, Noise.Array[0, 6].Select(n => (string?)string.Concat(n))),
        (1, Gen.OneOf((string?)"", "{}", "[]", "null", new string('[', 2000), new string(' ', 70_000)))
    );

    private static readonly Gen<string> Header = Gen.OneOf(
        Gen.Frequency((3, Gen.OneOf("*", "\"a\"", "W/\"a\"", "\"a\", W/\"b\"", "", "\"", ",")), (1, Noise))
            .Select(v => $"If-None-Match: {v}"),
        Gen.Frequency((3, Gen.OneOf("gzip", "br", "gzip;q=0", "*", "identity", "x;q=9,,")), (1, Noise))
            .Select(v => $"Accept-Encoding: {v}"),
        Gen.Frequency((2, Gen.OneOf("application/json", "text/plain", ";;", "multipart/form-data")), (1, Noise))
            .Select(v => $"Content-Type: {v}"),
        Gen.Frequency(
                (3, Gen.OneOf("", "Bearer", "Bearer ", "Basic {token}", "bearer {token}", "Bearer {token} x")),
                (1, Gen.Select(Noise, n => $"Bearer {n}")),
                (1, Gen.Select(Noise, n => $"Bearer {{token}}{n}")),
                (1, Noise)
            )
            .Select(v => $"Authorization: {v}"),
        Gen.Select(
                Gen.OneOf("X-Request-Id", "X-Forwarded-Host", "Accept", "Range", "Cookie", "X-HTTP-Method-Override"),
                Value
            )
            .Select((n, v) => $"{n}: {v}")
    );

    public static readonly Gen<RandomRequest> All = Gen.Select(
        Gen.Frequency(
            (12, Gen.Const("GET")),
            (2, Gen.Const("HEAD")),
            (2, Gen.OneOf(Methods)),
            (1, Gen.OneOf("PROPFIND", "get", "TRACE", "X"))
        ),
        Gen.Select(Path, Query, (p, q) => p + q),
        Gen.Frequency((3, Gen.Const<string[]>([])), (2, Header.Array[1, 3])),
        Body,
        Gen.Bool,
        (method, target, headers, body, chunked) =>
            new RandomRequest(method, target, headers, body, chunked && body is not null)
    );
}
