using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>A client that has an answer already is told so. One test a sentence.</summary>
public sealed class ETagSentences(KestrelFixture fixture) : AgainstAHost(fixture)
{
    // Without official images, which other tests drop and delete meanwhile.
    private static readonly string[] Targets =
    [
        "/v1/images/list?namespace={alice}",
        "/v1/images/list?namespace={alice}&limit=2",
        "/v1/images?namespace={alice}",
        "/v1/image-store?namespace={alice}&tagged",
        "/v1/images/digest/{one}",
        "/v1/images/tag/{alice}/web:1",
    ];

    [Fact]
    public async Task An_answer_has_a_weak_ETag_and_says_who_may_keep_it()
    {
        var world = await World.OfAsync(Host);
        foreach (var target in Targets)
        {
            var reply = await Host.AskAsync(world.Named(target), world.AliceToken);

            Assert.Equal(200, reply.Status);
            Assert.Matches("^W/\"[0-9a-f]+\"$", reply["ETag"]);
            Assert.Equal("private, no-cache", reply["Cache-Control"]);
            Assert.Equal("Authorization, Accept-Encoding", reply["Vary"]);
        }
    }

    [Theory]
    [InlineData("{etag}", 304)]
    [InlineData("{strong}", 304)]
    [InlineData("*", 304)]
    [InlineData("\"a\", {etag}", 304)]
    [InlineData("\"a\",W/\"b\",{strong},\"c\"", 304)]
    [InlineData(" {etag} ", 304)]
    [InlineData(", {etag},", 304)]
    [InlineData("\"a\"", 200)]
    [InlineData("W/\"a\", \"b\"", 200)]
    [InlineData("", 200)]
    [InlineData("{bare}", 200)]
    [InlineData("\"", 200)]
    [InlineData("{upper}", 200)]
    public async Task If_None_Match_compares_weakly_and_what_is_no_list_of_tags_matches_nothing(
        string condition,
        int status
    )
    {
        var world = await World.OfAsync(Host);
        foreach (var target in Targets.Select(world.Named))
        {
            var etag = (await Host.AskAsync(target, world.AliceToken))["ETag"]!;
            var value = condition
                .Replace("{etag}", etag, StringComparison.Ordinal)
                .Replace("{strong}", etag[2..], StringComparison.Ordinal)
                .Replace("{bare}", etag[3..^1], StringComparison.Ordinal)
                .Replace("{upper}", etag.ToUpperInvariant(), StringComparison.Ordinal);
            // Hex digits may happen to be figures only.
            if (condition == "{upper}" && value == etag)
            {
                continue;
            }

            foreach (var method in (string[])["GET", "HEAD"])
            {
                var reply = await Host.SendAsync(
                    method,
                    target,
                    world.AliceToken,
                    body: null,
                    ("If-None-Match", value),
                    ("Accept-Encoding", "gzip")
                );

                Assert.True(reply.Status == status, $"{method} {target} If-None-Match: {value}: {reply.Status}");
                IsCacheable(reply, etag);
            }
        }
    }

    [Fact]
    public async Task Several_lines_of_If_None_Match_are_one_list()
    {
        var world = await World.OfAsync(Host);
        var etag = (await Host.AskAsync(world.Named("/v1/images/list?namespace={alice}"), world.AliceToken))["ETag"]!;

        var reply = await Host.AskAsync(
            world.Named("/v1/images/list?namespace={alice}"),
            world.AliceToken,
            body: null,
            ("If-None-Match", "\"a\""),
            ("If-None-Match", etag)
        );

        Assert.Equal(304, reply.Status);
    }

    [Fact]
    public async Task A_condition_never_hides_an_error()
    {
        var world = await World.OfAsync(Host);
        (string Target, string? Token, int Status)[] requests =
        [
            ("/v1/images/list", null, 401),
            ("/v1/images/list?x", world.AliceToken, 400),
            ("/v1/images/tag/{nobody}:1", world.AliceToken, 404),
            ("/v1/nothing", world.AliceToken, 404),
        ];
        foreach (var (target, token, status) in requests)
        {
            var reply = await Host.AskAsync(world.Named(target), token, body: null, ("If-None-Match", "*"));

            AssertError((System.Net.HttpStatusCode)status, reply.Answer, target.Contains("tag") ? 8 : null);
            Assert.Null(reply["ETag"]);
            Assert.Equal("no-store", reply["Cache-Control"]);
        }
    }

    [Fact]
    public async Task The_ETag_changes_when_the_data_does_and_only_then()
    {
        var account = Drop.Fresh("alice");
        var other = Drop.Fresh("bobby");
        var token = await Host.TokenForAsync(account);
        var otherToken = await Host.TokenForAsync(other);
        var lists = new Watched(Host, account, token);

        var empty = await lists.ETagsAsync();
        var layout = new Layout();
        var (one, two) = (layout.AddImage("one"), layout.AddImage("two"));
        await Host.LayoutAsync($"{account}/web", layout.Index(Layout.Tagged(one, "latest")));
        await Host.ListsExactlyAsync(token, account, layout.Listed($"{account}/web", one, "one", "latest"));
        Assert.Equal("xxxxx", await lists.ChangedAsync(empty));
        var first = await lists.ETagsAsync();

        // Nothing happens, or somewhere else.
        Assert.Equal("-----", await lists.ChangedAsync(first));
        await Host.LayoutAsync($"{other}/web", layout);
        await Host.ListsExactlyAsync(otherToken, other, layout.Listed($"{other}/web", one, "one", "latest"));
        Assert.Equal("-----", await lists.ChangedAsync(first));
        await Host.LayoutAsync($"{account}/web", layout);
        await Host.VerifiedAsync(account, "web", Layout.Digest(one));
        Assert.Equal("-----", await lists.ChangedAsync(first));

        // An image more, whose repository sorts behind, without a tag.
        await Host.LayoutAsync($"{account}/web2", new Layout().With(layout).Index(two));
        await Host.ListedAsync(token, account, $"{account}/web2@{Layout.Digest(two)}");
        Assert.Equal("x-x-x", await lists.ChangedAsync(first));
        var second = await lists.ETagsAsync();

        // A tag that moves, a tag more.
        await Host.LayoutAsync($"{account}/web2", new Layout().With(layout).Index(Layout.Tagged(two, "v1")));
        await Until.TrueAsync(
            async () => (await Host.ListAsync(token, $"namespace={account}&tagged")).Images.Count == 2,
            () => Host.ExplainAsync(account)
        );
        Assert.Equal("x--xx", await lists.ChangedAsync(second));
        var third = await lists.ETagsAsync();

        // And back: the tag goes, then the image.
        Assert.Equal(200, (await Host.SendAsync("DELETE", $"/v1/images/tag/{account}/web2:v1", token)).Status);
        Assert.Equal("x--xx", await lists.ChangedAsync(third));
        Assert.Equal(
            200,
            (await Host.SendAsync("DELETE", $"/v1/images/digest/{account}/web2@{Layout.Digest(two)}", token)).Status
        );
        Assert.Equal("-----", await lists.ChangedAsync(first));
    }

    [Fact]
    public async Task The_platform_shape_has_the_hosts_name_in_it_and_its_ETag_differs_by_host()
    {
        var world = await World.OfAsync(Host);
        foreach (var target in Targets.Select(world.Named))
        {
            var one = await Host.AskAsync(target, world.AliceToken, body: null, ("Host", "one.example"));
            var two = await Host.AskAsync(target, world.AliceToken, body: null, ("Host", "two.example:8080"));

            if (target.StartsWith("/v1/images/list", StringComparison.Ordinal))
            {
                Assert.Equal(one["ETag"], two["ETag"]);
                Assert.Equal(one.Answer.Timeless, two.Answer.Timeless);
            }
            else
            {
                Assert.NotEqual(one["ETag"], two["ETag"]);
                Assert.All(one.Images, i => Assert.StartsWith("one.example/", i["url"]!.GetValue<string>()));
                Assert.All(two.Images, i => Assert.StartsWith("two.example:8080/", i["url"]!.GetValue<string>()));
            }
        }
    }

    [Fact]
    public async Task A_batch_has_an_ETag_of_what_was_asked_and_answered()
    {
        var world = await World.OfAsync(Host);
        async Task<Reply> AskAsync(string body, string condition) =>
            await Host.AskAsync("/v1/images/list", world.AliceToken, world.Named(body), ("If-None-Match", condition));

        const string found = """[{"tag":"{alice}/web:1"}]""";
        var etag = (await AskAsync(found, "\"a\""))["ETag"]!;

        Assert.Equal(304, (await AskAsync(found, etag)).Status);
        foreach (
            var other in (string[])
                [
                    "[]",
                    """[{"tag":"{alice}/web:1"},{"tag":"{alice}/web:1"}]""",
                    """[{"tag":"{alice}/web:2"}]""",
                    """[{"tag":"{hello}:latest"}]""",
                ]
        )
        {
            Assert.Equal(200, (await AskAsync(other, etag)).Status);
        }
    }

    private static void IsCacheable(Reply reply, string etag)
    {
        Assert.Equal(etag, reply["ETag"]);
        Assert.Equal("private, no-cache", reply["Cache-Control"]);
        Assert.Equal("Authorization, Accept-Encoding", reply["Vary"]);
        Assert.Matches("^[0-9a-f]{32}$", reply["X-Request-Id"]);
        if (reply.Status == 304)
        {
            Assert.Empty(reply.Body);
            Assert.Null(reply["Content-Encoding"]);
        }
    }

    // Lists of an account, and whether their ETags change.
    private sealed class Watched(RunningHost host, string account, string token)
    {
        private readonly string[] _targets =
        [
            $"/v1/images/list?namespace={account}",
            $"/v1/images/list?namespace={account}/web",
            $"/v1/images/list?namespace={account}&limit=1",
            $"/v1/images/list?namespace={account}&tagged",
            $"/v1/images?namespace={account}",
        ];

        public async Task<string[]> ETagsAsync()
        {
            var etags = new List<string>();
            foreach (var target in _targets)
            {
                etags.Add((await host.AskAsync(target, token))["ETag"]!);
            }

            return [.. etags];
        }

        // A letter for each of them: x where it changed.
        public async Task<string> ChangedAsync(string[] before) =>
            string.Concat((await ETagsAsync()).Zip(before, (a, b) => a == b ? '-' : 'x'));
    }
}
