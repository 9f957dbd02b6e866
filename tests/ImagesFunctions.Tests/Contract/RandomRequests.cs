using System.Net;
using System.Text;
using CsCheck;

namespace ImagesFunctions.Tests.Contract;

public sealed class RandomRequestsOnKestrel(KestrelFixture fixture) : RandomRequests(fixture);

public sealed class RandomRequestsOnFunctions(FunctionAppFixture fixture) : RandomRequests(fixture);

/// <summary>
/// Requests made of what is right, what is nearly right and what is noise. Each answer is as documented (the host's client
/// sees to that): the envelope everywhere, no error of the service, nothing accepted that the document refuses. And none
/// tells anything of another account.
/// </summary>
public abstract class RandomRequests(IRunsAHost fixture) : AgainstAHost(fixture)
{
    private const string Secret = "of-bobby-alone";

    [Fact]
    public Task A_thousand_are_answered_as_documented() => SendAsync(1_000);

    [LongFact]
    public Task Ten_thousand_are_answered_as_documented() => SendAsync(10_000);

    private async Task SendAsync(long count)
    {
        var (alice, bobby) = (Drop.Fresh("alice"), Drop.Fresh("bobby"));
        var token = await Host.TokenForAsync(alice);
        var own = await DropAsync(alice, token, "text");
        var others = await DropAsync(bobby, await Host.TokenForAsync(bobby), Secret);
        var statuses = new int[600];

        await Requests(alice, bobby, own, others)
            .SampleAsync(
                async request =>
                {
                    using var message = request.Message(Host.Http.BaseAddress!, token);
                    using var answer = await Host.Http.SendAsync(message, TestContext.Current.CancellationToken);
                    var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                    Interlocked.Increment(ref statuses[(int)answer.StatusCode]);
                    Assert.DoesNotContain(Secret, text, StringComparison.Ordinal);
                    // Its digest is only where the request has it.
                    Assert.True(
                        !text.Contains(others, StringComparison.Ordinal)
                            || request.ToString().Contains(others[7..], StringComparison.Ordinal),
                        text
                    );
                },
                iter: count,
                threads: 2
            );

        // What is refused at once would show nothing.
        Assert.All([200, 304, 400, 401, 404, 405], status => Assert.NotEqual(0, statuses[status]));
        Assert.NotEmpty((await Host.ListAsync(await Host.TokenForAsync(bobby), $"namespace={bobby}")).Images);
    }

    private async Task<string> DropAsync(string account, string token, string label)
    {
        var layout = new Layout();
        var image = layout.AddImage(label);
        await Host.LayoutAsync($"{account}/web", layout.Index(Layout.Tagged(image, "latest")));
        await Host.ListedAsync(token, $"{account}/web", $"{account}/web@{Layout.Digest(image)}");
        return Layout.Digest(image);
    }

    private static Gen<RandomRequest> Requests(string alice, string bobby, string own, string others)
    {
        var noise = Gen.String[Gen.Char[" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~aZ09\0\r\né\u2028\ud800"], 0, 12];
        var reference = Gen.OneOf(
            $"{alice}/web:latest",
            $"{alice}/web@{own}",
            $"{bobby}/web:latest",
            $"{bobby}/web@{others}",
            $"{alice}/web",
            "hello:latest",
            "official/hello:latest",
            "web@sha512:abc",
            "a/b@md5:abc",
            $"/{alice}/web:latest",
            own,
            others,
            "sha256:abc",
            ""
        );
        var value = Gen.Frequency<string>(
            (4, reference),
            (2, Gen.OneOf(alice, bobby, $"{alice}/web", "official", "official/hello", "true", "false", "1", "0")),
            (1, Gen.Int[-1, 1_001].Select(number => $"{number}")),
            (1, noise)
        );
        var name = Gen.Frequency<string>(
            (8, Gen.OneOf("namespace", "tagged", "digest", "tag", "limit", "after", "details", "metro")),
            (1, Gen.OneOf("Tag", "tags", "tag\\", "namespace[]", "api-version")),
            (1, noise)
        );
        var query = Gen.Select(name, value, Gen.Int[0, 3])
            .Select(
                (n, v, form) =>
                    form switch
                    {
                        0 => Escaped(n),
                        1 => $"{Escaped(n)}={Escaped(v)}%5C",
                        _ => $"{Escaped(n)}={Escaped(v)}",
                    }
            )
            .Array[0, 3]
            .Select(pairs => string.Join('&', pairs));
        var route = Gen.OneOf<string>(
            Gen.Frequency<string>(
                (6, Gen.Const("/v1/images/list")),
                (3, Gen.OneOf("/v1/images", "/v1/image-store", "/v1/images/problems")),
                (1, Gen.OneOf("/", "/v1", "/v1/images/list/more", "/nothing", "/openapi.json", "/healthz"))
            ),
            Gen.Select(Gen.OneOf("digest", "tag"), Gen.OneOf<string>(reference, value))
                // Kestrel itself refuses a zero byte in a path.
                .Select(
                    (kind, text) => $"/v1/images/{kind}/{Escaped(text.Replace("\0", "", StringComparison.Ordinal))}"
                )
        );
        var json = Gen.OneOf<string>(
            Gen.OneOf(
                "{}",
                "[]",
                "null",
                "1",
                "\"\"",
                "[{}]",
                "[null]",
                "{\"tag\":null}",
                "[[[[[[[[[[1]]]]]]]]]]",
                "{"
            ),
            Gen.Select(name, value).Select((n, v) => $"{{{Text(n)}:{Text(v)}}}"),
            Gen.Select(name, value, value).Select((n, v, w) => $"{{{Text(n)}:{Text(v)},\"tag\":{Text(w)}}}"),
            reference.Array[0, 5].Select(items => $"[{string.Join(',', items.Select(Item))}]"),
            Gen.OneOf<string>(reference, noise)
                .Array[1, 3]
                .Select(items => $"[{string.Join(',', items.Select(Item))}]"),
            noise
        );
        var body = Gen.Frequency<string?>(
            (4, Gen.Const((string?)null)),
            (4, json.Select(text => (string?)text)),
            (1, json.Select(text => (string?)$"'{text}'"))
        );
        return Gen.Select(
            Gen.Frequency<string>(
                (8, Gen.Const("GET")),
                (1, Gen.OneOf("HEAD", "DELETE")),
                (1, Gen.OneOf("POST", "PUT", "PATCH", "OPTIONS"))
            ),
            route,
            query,
            body,
            Gen.Frequency<string>((15, Gen.Const("Bearer {0}")), (1, Gen.OneOf("", "Bearer x", "Basic {0}"))),
            Gen.OneOf<string?>(null, null, null, "*", "W/\"1\"", "nonsense"),
            (method, path, parameters, content, credentials, known) =>
                new RandomRequest(
                    method,
                    parameters.Length == 0 ? path : $"{path}?{parameters}",
                    content,
                    credentials,
                    known
                )
        );
    }

    private static string Item(string reference) =>
        $"{{\"{(reference.Contains('@', StringComparison.Ordinal) ? "digest" : "tag")}\":{Text(reference)}}}";

    // Half a surrogate pair stays what it is: a client can send that.
    private static string Text(string text) =>
        $"\"{string.Concat(text.Select(c => c is '"' or '\\' or < ' ' or > '~' ? $"\\u{(int)c:x4}" : $"{c}"))}\"";

    private static string Escaped(string text) =>
        WebUtility.UrlEncode(text).Replace("+", "%20", StringComparison.Ordinal);

    private sealed record RandomRequest(string Method, string Target, string? Body, string Credentials, string? Known)
    {
        public HttpRequestMessage Message(Uri host, string token)
        {
            var message = new HttpRequestMessage(new HttpMethod(Method), new Uri(host, Target));
            if (Credentials.Length > 0)
            {
                Assert.True(
                    message.Headers.TryAddWithoutValidation(
                        "Authorization",
                        Credentials.Replace("{0}", token, StringComparison.Ordinal)
                    )
                );
            }

            if (Known is not null)
            {
                Assert.True(message.Headers.TryAddWithoutValidation("If-None-Match", Known));
            }

            message.Content = Body is null ? null : new StringContent(Body, Encoding.UTF8, "application/json");
            return message;
        }
    }
}
