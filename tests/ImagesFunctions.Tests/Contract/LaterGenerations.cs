using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace ImagesFunctions.Tests.Contract;

public sealed class LaterGenerationsOnKestrel(KestrelFixture fixture) : LaterGenerations(fixture);

public sealed class LaterGenerationsOnFunctions(FunctionAppFixture fixture) : LaterGenerations(fixture);

/// <summary>Single images, batches, problems and removal. That each answer is as documented, the host's client sees to.</summary>
public abstract class LaterGenerations(IRunsAHost fixture) : AgainstAHost(fixture)
{
    private const string None = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    [Fact]
    public async Task Problems_tell_what_was_refused_and_what_waits_to_its_owner_alone()
    {
        var (account, other) = (Drop.Fresh("alice"), Drop.Fresh("bobby"));
        var token = await Host.TokenForAsync(account);
        var layout = new Layout();
        var image = layout.AddImage(account);
        layout.Index(Layout.Tagged(image, "b"), Layout.Tagged(image, "a"));
        var layer = Layout.Digest(layout.Read(image)["layers"]![0]!.AsObject());
        var path = $"{account}/web/{Layout.PathOf(layer)}";
        var bad = layout.Files[Layout.PathOf(layer)].ToArray();
        bad[^1] ^= 1;
        await Host.LayoutAsync(
            $"{account}/web",
            layout,
            layout.Files.Keys.Where(file => !path.EndsWith(file, StringComparison.Ordinal))
        );
        await Host.FileAsync(path, bad);

        JsonArray problems = [];
        await Until.TrueAsync(
            async () =>
            {
                problems = (await SendAsync("GET", "/v1/images/problems", token)).Json["data"]!["problems"]!.AsArray();
                return problems.Count == 2 && problems[1]!["tags"]!.AsArray().Count == 2;
            },
            () => Host.ExplainAsync(account)
        );

        var (refused, waiting) = (problems[0]!, problems[1]!);
        Assert.Equal("refused", refused["kind"]!.GetValue<string>());
        Assert.Equal(path, refused["path"]!.GetValue<string>());
        Assert.Equal(Layout.DigestOf(bad), refused["digest"]!.GetValue<string>());
        Assert.Equal("waiting", waiting["kind"]!.GetValue<string>());
        Assert.Equal($"{account}/web", waiting["repository"]!.GetValue<string>());
        Assert.Equal(Layout.Digest(image), waiting["manifest"]!.GetValue<string>());
        Assert.Equal([layer], waiting["missing"]!.AsArray().Select(one => one!.GetValue<string>()));
        Assert.Equal(["a", "b"], waiting["tags"]!.AsArray().Select(one => one!.GetValue<string>()));
        var others = await SendAsync("GET", "/v1/images/problems", await Host.TokenForAsync(other));
        Assert.Empty(others.Json["data"]!["problems"]!.AsArray());
    }

    [Fact]
    public async Task A_batch_has_one_result_an_element_in_each_shape()
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var digest = await DropAsync($"{account}/web", token, "text");
        var batch = $$"""
            [{"digest":"{{account}}/web@{{digest}}"},{"tagged":"{{account}}/web:latest"},{"tag":"{{account}}/web:none"},
             {"tag":"{{account}}/web"},{"digest":"{{account}}/web@{{digest}}","tag":"{{account}}/web:none"}]
            """;

        foreach (var route in new[] { "/v1/images/list", "/v1/images", "/v1/image-store" })
        {
            var answer = await SendAsync("GET", $"{route}?namespace={account}", token, batch);

            Assert.Equal("partial_success", answer.Json["status"]!.GetValue<string>());
            Assert.Equal([null, null, 8, 7, 8], answer.Images.Select(one => one["error"]?.GetValue<int>()));
            Assert.Equal($"No image with name '{account}/web:none'", answer.Images[2]["message"]!.GetValue<string>());
            Assert.All(
                answer.Images.Take(2),
                one => Assert.EndsWith(digest, one["digest"]!.GetValue<string>(), StringComparison.Ordinal)
            );
            var none = await SendAsync("GET", $"{route}?namespace=official", token, batch);
            Assert.Equal("error", none.Json["status"]!.GetValue<string>());
            Assert.Equal([8, 8, 8, 7, 8], none.Images.Select(one => one["error"]?.GetValue<int>()));
        }
    }

    [Theory]
    [InlineData(1_000, HttpStatusCode.OK, null)]
    [InlineData(1_001, HttpStatusCode.BadRequest, 5)]
    public async Task A_batch_has_at_most_a_thousand_elements(int count, HttpStatusCode status, int? number)
    {
        var token = await Host.TokenForAsync(Drop.Fresh("alice"));
        var batch = $"[{string.Join(',', Enumerable.Repeat("""{"tag":"none:latest"}""", count))}]";

        var answer = await SendAsync("GET", "/v1/images/list", token, batch);

        Assert.Equal(status, answer.Status);
        Assert.Equal(number, answer.Json["errors"]?[0]!["error"]!.GetValue<int>());
    }

    /// <summary>With its length said first, or piece by piece.</summary>
    [Theory]
    [InlineData(1024 * 1024, false, HttpStatusCode.OK)]
    [InlineData(1024 * 1024, true, HttpStatusCode.OK)]
    [InlineData((1024 * 1024) + 1, false, HttpStatusCode.RequestEntityTooLarge)]
    [InlineData((1024 * 1024) + 1, true, HttpStatusCode.RequestEntityTooLarge)]
    public async Task A_body_has_at_most_one_mebibyte(int length, bool chunked, HttpStatusCode status)
    {
        var token = await Host.TokenForAsync(Drop.Fresh("alice"));
        foreach (var route in new[] { "/v1/images/list", "/v1/images" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, route);
            request.Headers.Authorization = new("Bearer", token);
            request.Headers.TransferEncodingChunked = chunked;
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes("{}".PadRight(length)));

            using var answer = await Host.Http.SendAsync(request, TestContext.Current.CancellationToken);

            Assert.Equal(status, answer.StatusCode);
        }
    }

    [Fact]
    public async Task A_bare_digest_finds_the_callers_own_image_before_the_official_one()
    {
        var (account, app) = (Drop.Fresh("alice"), Drop.Fresh("nginx"));
        var token = await Host.TokenForAsync(account);
        var digest = await DropAsync($"official/{app}", token, app);

        var official = await SendAsync("GET", $"/v1/images/digest/{digest}", token);
        Assert.EndsWith(
            $"/official/{app}@{digest}",
            official.Images[0]["url"]!.GetValue<string>(),
            StringComparison.Ordinal
        );

        await DropAsync($"{account}/web", token, app);
        var own = await SendAsync("GET", $"/v1/images/digest/{digest}", token);
        Assert.EndsWith($"/{account}/web@{digest}", own.Images[0]["url"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_removed_tag_leaves_the_image_and_a_removed_image_takes_its_tags_along()
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var layout = new Layout();
        var image = layout.AddImage(account);
        layout.Index(Layout.Tagged(image, "a"), Layout.Tagged(image, "b"));
        await Host.LayoutAsync($"{account}/web", layout);
        await Host.ListsExactlyAsync(token, account, layout.Listed($"{account}/web", image, account, "a", "b"));
        var reference = $"{account}/web@{Layout.Digest(image)}";

        var tag = await SendAsync("DELETE", $"/v1/images/tag/{account}%2Fweb:a", token);
        Assert.Equal($"{account}/web:a", tag.Images[0]["tag"]!.GetValue<string>());
        var left = await Host.ListAsync(token, $"namespace={account}");
        Assert.Equal(
            ImagesList.Canonical(layout.Listed($"{account}/web", image, account, "b")),
            ImagesList.Canonical(Assert.Single(left.Images))
        );

        var removed = await SendAsync("DELETE", $"/v1/images/digest/{reference}", token);
        Assert.Equal(reference, removed.Images[0]["digest"]!.GetValue<string>());
        Assert.Empty((await Host.ListAsync(token, $"namespace={account}")).Images);
        foreach (var path in new[] { $"tag/{account}/web:b", $"digest/{reference}" })
        {
            AssertError(HttpStatusCode.NotFound, 8, await SendAsync("DELETE", $"/v1/images/{path}", token));
            AssertError(HttpStatusCode.NotFound, 8, await SendAsync("GET", $"/v1/images/{path}", token));
        }
    }

    [Fact]
    public async Task What_an_index_needs_is_not_removed_before_the_index()
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var layout = new Layout();
        var child = layout.AddImage(account);
        var index = layout.AddIndex(Layout.OciIndex, child);
        layout.Index(Layout.Tagged(index, "latest"));
        await Host.LayoutAsync($"{account}/web", layout);
        await Host.ListedAsync(token, account, $"{account}/web@{Layout.Digest(index)}");

        var needed = await SendAsync("DELETE", $"/v1/images/digest/{account}/web@{Layout.Digest(child)}", token);
        AssertError(HttpStatusCode.Conflict, null, needed);
        Assert.Contains(Layout.Digest(index), needed.Json["message"]!.GetValue<string>(), StringComparison.Ordinal);

        foreach (var image in new[] { index, child })
        {
            var removed = await SendAsync("DELETE", $"/v1/images/digest/{account}/web@{Layout.Digest(image)}", token);
            Assert.Equal(HttpStatusCode.OK, removed.Status);
        }
    }

    [Fact]
    public async Task A_bare_digest_of_several_repositories_is_not_removed_and_they_are_named()
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var digest = await DropAsync($"{account}/web", token, account);
        await DropAsync($"{account}/api", token, account);

        var answer = await SendAsync("DELETE", $"/v1/images/digest/{digest}", token);

        AssertError(HttpStatusCode.Conflict, null, answer);
        Assert.Contains($"{account}/api", answer.Json["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains($"{account}/web", answer.Json["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(
            HttpStatusCode.OK,
            (await SendAsync("DELETE", $"/v1/images/digest/{account}/api@{digest}", token)).Status
        );
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("DELETE", $"/v1/images/digest/{digest}", token)).Status);
    }

    [Fact]
    public async Task Official_images_are_removed_by_their_account_and_by_nobody_else()
    {
        var app = Drop.Fresh("nginx");
        var token = await Host.TokenForAsync(Drop.Fresh("alice"));
        var digest = await DropAsync($"official/{app}", token, app);
        string[] paths =
        [
            $"tag/{app}:latest",
            $"tag/official/{app}:latest",
            $"digest/{app}@{digest}",
            $"digest/{digest}",
        ];
        foreach (var path in paths)
        {
            AssertError(HttpStatusCode.Forbidden, 14, await SendAsync("DELETE", $"/v1/images/{path}", token));
        }

        AssertError(HttpStatusCode.NotFound, 8, await SendAsync("DELETE", $"/v1/images/tag/{app}:none", token));
        var official = await Host.TokenForAsync("official");
        Assert.Equal(
            HttpStatusCode.OK,
            (await SendAsync("DELETE", $"/v1/images/digest/{app}@{digest}", official)).Status
        );
        AssertError(HttpStatusCode.NotFound, 8, await SendAsync("GET", $"/v1/images/tag/{app}:latest", token));
    }

    /// <summary>Not by one byte different from what does not exist.</summary>
    [Fact]
    public async Task Anothers_images_are_removed_and_shown_as_little_as_those_that_do_not_exist()
    {
        var (alice, bobby) = (Drop.Fresh("alice"), Drop.Fresh("bobby"));
        var token = await Host.TokenForAsync(alice);
        var bobbys = await Host.TokenForAsync(bobby);
        var digest = await DropAsync($"{bobby}/web", bobbys, bobby);
        var nobody = Drop.Fresh("bobby");
        foreach (var method in new[] { "GET", "DELETE" })
        {
            foreach (
                var (path, absent) in new[]
                {
                    ($"tag/{bobby}/web:latest", $"tag/{nobody}/web:latest"),
                    ($"digest/{bobby}/web@{digest}", $"digest/{nobody}/web@{digest}"),
                    ($"digest/{digest}", $"digest/{None}"),
                }
            )
            {
                var theirs = await SendAsync(method, $"/v1/images/{path}", token);
                var nothing = await SendAsync(method, $"/v1/images/{absent}", token);
                AssertError(HttpStatusCode.NotFound, 8, theirs);
                Assert.Equal(
                    nothing
                        .Timeless.Replace(nobody, bobby, StringComparison.Ordinal)
                        .Replace(None, digest, StringComparison.Ordinal),
                    theirs.Timeless
                );
            }
        }

        Assert.Single((await Host.ListAsync(bobbys, $"namespace={bobby}&tagged")).Images);
    }

    /// <summary>Drops an image of one tag, and waits until it is listed. The text makes its digest.</summary>
    private async Task<string> DropAsync(string repository, string token, string text)
    {
        var layout = new Layout();
        var image = layout.AddImage(text);
        await Host.LayoutAsync(repository, layout.Index(Layout.Tagged(image, "latest")));
        var name = repository.StartsWith("official/", StringComparison.Ordinal)
            ? repository["official/".Length..]
            : repository;
        await Host.ListedAsync(token, $"{repository}", $"{name}@{Layout.Digest(image)}");
        return Layout.Digest(image);
    }

    private async Task<Answer> SendAsync(string method, string path, string token, string? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Authorization = new("Bearer", token);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await Host.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return new Answer(
            answer.StatusCode,
            answer.Content.Headers.ContentType?.MediaType,
            await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }

    private static void AssertError(HttpStatusCode status, int? number, Answer answer)
    {
        Assert.True(answer.Status == status, $"{answer.Status} {answer.Body}");
        Assert.Equal(number, answer.Json["errors"]![0]!["error"]?.GetValue<int>());
    }
}
