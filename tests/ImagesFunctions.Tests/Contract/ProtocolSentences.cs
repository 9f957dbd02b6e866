using System.Net;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>What holds for every route: tokens, methods, envelopes, headers. One test a sentence.</summary>
public sealed class ProtocolSentences(KestrelFixture fixture) : AgainstAHost(fixture)
{
    // Without official images, which other tests drop and delete meanwhile.
    private static readonly string[] Lists =
    [
        "/v1/images/list?namespace={alice}",
        "/v1/images?namespace={alice}",
        "/v1/image-store?namespace={alice}",
        "/v1/images/problems",
    ];
    private static readonly string[] ById =
    [
        "/v1/images/digest/{one}",
        "/v1/images/digest/{alice}/web@{one}",
        "/v1/images/digest/{alice}%2Fweb@{one}",
        "/v1/images/tag/{alice}/web:1",
        "/v1/images/tag/{hello}:latest",
    ];

    public static TheoryData<string> AllRoutes => [.. Lists, .. ById];

    [Theory]
    [MemberData(nameof(AllRoutes))]
    public async Task Without_a_token_every_route_is_401_whatever_the_method_and_says_how_to_show_one(string route)
    {
        var world = await World.OfAsync(Host);
        foreach (var method in (string[])["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
        {
            foreach (var token in (string?[])[null, "none", world.AliceToken[..^8] + "AAAAAAA="])
            {
                var reply = await Host.SendAsync(method, world.Named(route), token);

                AssertError(HttpStatusCode.Unauthorized, reply.Answer);
                Assert.Equal("Bearer", reply["WWW-Authenticate"]);
                Assert.Equal("no-store", reply["Cache-Control"]);
                Assert.Null(reply["ETag"]);
            }
        }
    }

    [Fact]
    public async Task A_token_beside_another_is_401()
    {
        var world = await World.OfAsync(Host);

        var reply = await Host.AskAsync(
            "/v1/images/list",
            token: null,
            body: null,
            ("Authorization", $"Bearer {world.AliceToken}"),
            ("Authorization", $"Bearer {world.BobToken}")
        );

        AssertError(HttpStatusCode.Unauthorized, reply.Answer);
    }

    [Fact]
    public async Task The_root_is_401_always_as_the_metros_health_check_expects()
    {
        var world = await World.OfAsync(Host);
        foreach (var token in (string?[])[null, "", world.AliceToken])
        {
            AssertError(HttpStatusCode.Unauthorized, (await Host.AskAsync("/", token)).Answer);
        }
    }

    [Fact]
    public async Task The_health_route_is_open_without_a_token()
    {
        var reply = await Host.AskAsync("/healthz", token: null);

        Assert.Equal((200, "ok\n"), (reply.Status, reply.Text));
    }

    [Theory]
    [InlineData("/v1")]
    [InlineData("/v1/")]
    [InlineData("/v2x/")]
    [InlineData("/v1/image")]
    [InlineData("/v1/images/lists")]
    [InlineData("/v1/images/list/x")]
    [InlineData("/v1/images/list%2Fx")]
    [InlineData("/v1/images/{alice}/web")]
    [InlineData("/v1/imagesx/digest/{one}")]
    [InlineData("/v1/instances")]
    [InlineData("/v1//images/list")]
    [InlineData("/%7Balice%7D")]
    [InlineData("/v1/%E2%82%AC")]
    [InlineData("/v1/images/list%0D%0AX:%20y")]
    [InlineData("/index.html?<script>")]
    public async Task Unknown_routes_are_401_without_a_token_and_404_with_one(string route)
    {
        var world = await World.OfAsync(Host);
        foreach (var method in (string[])["GET", "POST", "DELETE"])
        {
            AssertError(
                HttpStatusCode.Unauthorized,
                (await Host.SendAsync(method, world.Named(route), token: null)).Answer
            );
            AssertError(
                HttpStatusCode.NotFound,
                (await Host.SendAsync(method, world.Named(route), world.AliceToken)).Answer
            );
        }
    }

    [Theory]
    [MemberData(nameof(AllRoutes))]
    public async Task A_method_that_a_route_does_not_have_is_405_with_Allow(string route)
    {
        var world = await World.OfAsync(Host);
        string[] has =
            route.Split('?')[0] == "/v1/images" ? ["GET", "HEAD", "POST", "DELETE"]
            : ById.Contains(route, StringComparer.Ordinal) ? ["GET", "HEAD", "DELETE"]
            : ["GET", "HEAD"];
        foreach (var method in ((string[])["POST", "PUT", "PATCH", "OPTIONS", "DELETE"]).Except(has))
        {
            var reply = await Host.SendAsync(method, world.Named(route), world.AliceToken, "{}");

            AssertError(HttpStatusCode.MethodNotAllowed, reply.Answer);
            Assert.Equal(string.Join(", ", has), reply["Allow"]);
            Assert.Contains(method, reply.Json["message"]!.GetValue<string>(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(AllRoutes))]
    public async Task HEAD_is_GET_without_the_body(string route)
    {
        var world = await World.OfAsync(Host);
        foreach (
            var target in (string[])
                [world.Named(route), world.Named($"{route}{(route.Contains('?') ? '&' : '?')}nothing=1")]
        )
        {
            var get = await Host.AskAsync(target, world.AliceToken);
            var head = await Host.SendAsync("HEAD", target, world.AliceToken);

            Assert.Empty(head.Body);
            Assert.Equal(get.Status, head.Status);
            foreach (
                var name in (string[])
                    ["Content-Type", "ETag", "Cache-Control", "Vary", "Link", "WWW-Authenticate", "Content-Encoding"]
            )
            {
                Assert.Equal((name, get[name]), (name, head[name]));
            }
        }

        Assert.Equal(401, (await Host.SendAsync("HEAD", world.Named(route), token: null)).Status);
        Assert.Equal(404, (await Host.SendAsync("HEAD", "/v1/nothing", world.AliceToken)).Status);
    }

    [Fact]
    public async Task HEAD_of_a_list_says_how_many_images_match()
    {
        var world = await World.OfAsync(Host);

        var reply = await Host.SendAsync("HEAD", world.Named("/v1/images/list?namespace={alice}"), world.AliceToken);

        Assert.Equal((200, "7"), (reply.Status, reply["X-Total-Count"]));
    }

    [Fact]
    public async Task The_time_an_answer_took_is_in_microseconds_and_new_each_time()
    {
        var world = await World.OfAsync(Host);
        var clock = System.Diagnostics.Stopwatch.StartNew();

        var reply = await Host.AskAsync("/v1/images/list", world.AliceToken);

        Assert.InRange(reply.Json["op_time_us"]!.GetValue<long>(), 1, (long)clock.Elapsed.TotalMicroseconds);
    }

    [Theory]
    [InlineData("gzip", "gzip")]
    [InlineData("br", "br")]
    [InlineData("gzip, deflate, br", "br")]
    [InlineData("gzip;q=1.0, br;q=0.5", "gzip")]
    [InlineData("br;q=0, gzip", "gzip")]
    [InlineData("identity", null)]
    [InlineData("deflate", null)]
    [InlineData("zstd, nonsense;q=x", null)]
    [InlineData("", null)]
    public async Task An_answer_is_compressed_as_Accept_Encoding_allows_and_says_the_same(
        string accepted,
        string? encoding
    )
    {
        var world = await World.OfAsync(Host);
        (string Target, string? Body)[] requests =
        [
            .. AllRoutes.Select(r => (world.Named(r.Data), (string?)null)),
            ("/v1/images/list?unknown=1", null),
            ("/v1/images/list", world.Named("""[{"tag":"{alice}/web:1"},{"tag":"{nobody}/web:1"}]""")),
        ];
        foreach (var (target, body) in requests)
        {
            var plain = await Host.AskAsync(target, world.AliceToken, body);
            var packed = await Host.AskAsync(target, world.AliceToken, body, ("Accept-Encoding", accepted));

            Assert.Null(plain["Content-Encoding"]);
            Assert.Equal((target, encoding), (target, packed["Content-Encoding"]));
            Assert.Equal(plain.Answer.Timeless, packed.Answer.Timeless);
            Assert.Equal(plain["ETag"], packed["ETag"]);
            Assert.Contains("Accept-Encoding", packed["Vary"] ?? "Accept-Encoding", StringComparison.Ordinal);
            Assert.True(encoding is null || packed["Vary"] is not null, "A cache has to know.");
        }
    }
}
