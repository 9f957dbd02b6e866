using System.Text;
using CsCheck;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>
/// Requests at random, from the pieces that good ones are made of: no answer of 500 and above, the envelope wherever it is
/// due, and nothing of another account's, nor a difference between what is another's and what does not exist.
/// </summary>
public sealed class Fuzz(KestrelFixture fixture) : AgainstAHost(fixture)
{
    // In all that the other account has, and in no request.
    private static readonly string Secret = "s3cr3t" + Drop.Fresh("");

    /// <summary>`{x}` stands for an account that is not the caller's.</summary>
    private sealed record Request(string Method, string Target, string[] Headers, string? Body, bool IsChunked)
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
            || !Methods.Contains(Method, StringComparer.Ordinal);

        public override string ToString() =>
            $"{Method} {Target}\n{string.Join('\n', Headers)}\n{(IsChunked ? "chunked " : "")}{Body}";
    }

    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

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

    private static readonly Gen<Request> Requests = Gen.Select(
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
            new Request(method, target, headers, body, chunked && body is not null)
    );

    [Fact]
    public Task Five_hundred_requests_at_random() => RunAsync(500);

    [LongFact]
    public Task Ten_thousand_requests_at_random() => RunAsync(10_000);

    private async Task RunAsync(int requests)
    {
        // An account of its own: what a request deletes is nobody else's.
        var world = await World.OfAsync(Host);
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var (other, otherToken, nobody) = await OtherAsync();
        await Host.LayoutAsync($"{account}/web", Layout.Small(account, "1", "latest"));
        await Host.ListedAsync(token, account, $"{account}/web@{Layout.Small(account, "1").FirstImage}");
        var before = (await Host.ListAsync(otherToken, $"namespace={other}")).Timeless;
        var official = (await Host.ListAsync(otherToken, world.Named("namespace=official/{hello}"))).Timeless;
        var names = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["{alice}"] = account,
            ["{one}"] = Layout.Small(account, "1").FirstImage,
            ["{hidden}"] = Layout.Small(Secret).FirstImage,
            ["{token}"] = token,
        };
        string Named(string text, string x) =>
            world.Named(
                names.Aggregate(text, (t, n) => t.Replace(n.Key, n.Value, StringComparison.Ordinal)).Replace("{x}", x)
            );

        await Requests.SampleAsync(
            async request =>
            {
                var reply = await SendAsync(request, t => Named(t, other), token);
                Check(request, reply, other);
                if (request.IsAboutAnother)
                {
                    var nobodys = await SendAsync(request, t => Named(t, nobody), token);
                    for (var tries = 0; Told(nobodys, nobody) != Told(reply, other) && tries < 3; tries++)
                    {
                        // What is the caller's own is there once, and may go between the two.
                        if (request.Method == "DELETE" && (reply.Status == 200 || nobodys.Status == 200))
                        {
                            return;
                        }

                        reply = await SendAsync(request, t => Named(t, other), token);
                        nobodys = await SendAsync(request, t => Named(t, nobody), token);
                    }

                    Assert.Equal(Told(nobodys, nobody), Told(reply, other));
                }
            },
            iter: requests,
            threads: 8,
            print: r => r.ToString()
        );

        Assert.Equal(before, (await Host.ListAsync(otherToken, $"namespace={other}")).Timeless);
        Assert.Equal(official, (await Host.ListAsync(otherToken, world.Named("namespace=official/{hello}"))).Timeless);
    }

    private async Task<(string Account, string Token, string Nobody)> OtherAsync()
    {
        var other = Drop.Fresh("bobby");
        var token = await Host.TokenForAsync(other);
        var layout = new Layout();
        var image = layout.AddImage(Secret);
        await Host.LayoutAsync($"{other}/web", layout.Index(Layout.Tagged(image, "1"), Layout.Tagged(image, Secret)));
        await Host.LayoutAsync($"{other}/hidden", Layout.Small(Secret, "latest"));
        await Host.LayoutAsync($"{other}/{Secret}", Layout.Small(Secret, "latest"));
        // A refused blob: of the account's problems.
        await Host.FileAsync($"{other}/{Secret}.txt", [1]);
        await Host.RefusedAsync($"{other}/{Secret}.txt");
        await Until.TrueAsync(
            async () =>
                (await Host.ListAsync(token, $"namespace={other}")).Images.Sum(i => i["tags"]!.AsArray().Count) == 4,
            () => Host.ExplainAsync(other)
        );
        // One letter away: as a place in the order of names it is the same.
        return (other, token, other[..^1] + (other[^1] == 'a' ? 'b' : (char)(other[^1] ^ 1)));
    }

    private Task<Reply> SendAsync(Request request, Func<string, string> named, string token)
    {
        var headers = request.Headers.Select(h => h.Split(": ", 2)).Select(h => (h[0], named(h[1]))).ToList();
        if (request.IsChunked)
        {
            headers.Add(("Transfer-Encoding", "chunked"));
        }

        return Host.SendAsync(
            request.Method,
            named(request.Target),
            token,
            request.Body is null ? null : named(request.Body),
            [.. headers]
        );
    }

    private static void Check(Request request, Reply reply, string other)
    {
        Assert.True(reply.Status < 500, $"{reply.Status} {reply.Text}");
        var whole = string.Join('\n', reply.Headers) + Encoding.UTF8.GetString(reply.Body);
        Assert.DoesNotContain(Secret, reply.Status == 304 || reply.Body.Length == 0 ? whole : reply.Text + whole);
        if (reply["X-Request-Id"] is null)
        {
            // The health route, and what the server or the host answered itself: never with more than a status.
            Assert.True(
                request.Target.StartsWith("/healthz", StringComparison.Ordinal)
                    || (request.MayBeRefusedByTheServer && reply.Status is >= 400 and < 500 && reply.Body.Length == 0),
                $"{reply.Status} without a request id: {reply.Text}"
            );
            return;
        }

        if (request.Method == "HEAD" || reply.Status == 304)
        {
            Assert.Empty(reply.Body);
            return;
        }

        if (reply.Status != 200)
        {
            Assert.InRange(reply.Status, 400, 499);
            AssertError(
                (System.Net.HttpStatusCode)reply.Status,
                reply.Answer,
                reply.Json["errors"]![0]!["error"]?.GetValue<int>()
            );
            return;
        }

        var member = reply.Json["data"]!.AsObject().Single().Key;
        var status = reply.Json["status"]!.GetValue<string>();
        if (status != "success")
        {
            AssertFailures(status, reply.Answer);
        }
        else
        {
            AssertSuccess(reply.Answer, member);
        }

        // An item that failed says what was asked for; whatever else is shown is the caller's own, or official.
        Assert.All(
            reply.Json["data"]![member]!.AsArray().Where(i => i!["error"] is null),
            i => Assert.DoesNotContain(other, i!.ToJsonString(), StringComparison.Ordinal)
        );
    }

    // An answer without what differs from one time to the next, and with the same name in it.
    private static string Told(Reply reply, string name)
    {
        var body =
            reply.Body.Length == 0 ? ""
            : reply["X-Request-Id"] is null ? reply.Text
            : reply.Answer.Timeless;
        var headers = reply
            .Headers.Where(h => h.Key is not ("X-Request-Id" or "Date" or "ETag" or "Content-Length"))
            .Select(h => $"{h.Key}: {h.Value}");
        return $"{reply.Status}\n{string.Join('\n', headers)}\n{body}".Replace(name, "{x}", StringComparison.Ordinal);
    }
}
