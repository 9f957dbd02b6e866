using System.Text.Json.Nodes;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>`GET /v1/images/problems`: why a drop is not listed. One test a sentence.</summary>
public sealed class Problems(KestrelFixture fixture) : AgainstAHost(fixture)
{
    [Fact]
    public async Task An_account_without_problems_has_an_empty_array()
    {
        var token = await Host.TokenForAsync(Drop.Fresh("alice"));

        var reply = await Host.AskAsync("/v1/images/problems", token);

        AssertSuccess(reply.Answer, "problems");
        Assert.Empty(Of(reply));
        Assert.Equal("private, no-cache", reply["Cache-Control"]);
        Assert.Equal("Authorization, Accept-Encoding", reply["Vary"]);
    }

    [Fact]
    public async Task What_is_refused_has_its_path_a_reason_its_true_digest_and_a_time()
    {
        var (account, token) = await AccountAsync();
        var bytes = "other bytes"u8.ToArray();
        var (bad, odd) = ($"{account}/web/blobs/sha256/{new string('a', 64)}", $"{account}/web/read me.txt");
        var before = DateTimeOffset.UtcNow.AddSeconds(-5);
        await Host.FileAsync(bad, bytes);
        await Host.FileAsync(odd, bytes);

        var problems = await AskAsync(token, 2);

        Assert.All(problems, p => Assert.Equal("refused", p["kind"]!.GetValue<string>()));
        Assert.Equal([bad, odd], problems.Select(p => p["path"]!.GetValue<string>()));
        Assert.All(problems, p => Assert.False(string.IsNullOrWhiteSpace(p["reason"]!.GetValue<string>())));
        Assert.Equal("at digest kind path reason", MembersOf(problems[0]));
        Assert.Equal(Layout.DigestOf(bytes), problems[0]["digest"]!.GetValue<string>());
        Assert.All(
            problems,
            p =>
                Assert.InRange(
                    DateTimeOffset.Parse(p["at"]!.GetValue<string>()),
                    before,
                    DateTimeOffset.UtcNow.AddSeconds(5)
                )
        );
    }

    [Fact]
    public async Task What_waits_has_its_repository_its_manifest_what_is_missing_and_its_pending_tags()
    {
        var (account, token) = await AccountAsync();
        var layout = Layout.Small(account, "v1", "latest");
        var layer = layout.FirstLayer;
        await Host.LayoutAsync($"{account}/web", layout, layout.Files.Keys.Where(p => p != layer));

        var waiting = Assert.Single(await AskAsync(token, 1));

        Assert.Equal(
            ImagesList.Canonical(
                new JsonObject
                {
                    ["kind"] = "waiting",
                    ["repository"] = $"{account}/web",
                    ["manifest"] = layout.FirstImage,
                    ["missing"] = new JsonArray($"sha256:{layer.Split('/')[^1]}"),
                    ["tags"] = new JsonArray("latest", "v1"),
                }
            ),
            ImagesList.Canonical(waiting)
        );
        // It is there as soon as the rest has landed.
        await Host.FileAsync($"{account}/web/{layer}", layout.Files[layer]);
        await Host.ListedAsync(token, account, $"{account}/web@{layout.FirstImage}");
        await AskAsync(token, 0);
    }

    [Fact]
    public async Task A_manifest_that_has_not_landed_is_itself_what_is_missing()
    {
        var (account, token) = await AccountAsync();
        var layout = Layout.Small(account, "v1");
        await Host.FileAsync($"{account}/web/index.json", layout.Files["index.json"]);

        var waiting = Assert.Single(await AskAsync(token, 1));

        Assert.Equal(layout.FirstImage, waiting["manifest"]!.GetValue<string>());
        Assert.Equal(layout.FirstImage, Assert.Single(waiting["missing"]!.AsArray())!.GetValue<string>());
        Assert.Equal("v1", Assert.Single(waiting["tags"]!.AsArray())!.GetValue<string>());
    }

    [Fact]
    public async Task Nobody_sees_anothers_problems_and_only_official_sees_official_ones()
    {
        var (account, token) = await AccountAsync();
        var app = Drop.Fresh("app");
        await Host.FileAsync($"official/{app}/nothing.txt", [1]);
        await Host.RefusedAsync($"official/{app}/nothing.txt");
        await Host.FileAsync($"{account}/{app}/nothing.txt", [1]);
        await AskAsync(token, 1);
        // Longer, and beginning with the same letters.
        var longer = await Host.TokenForAsync($"{account}2");

        foreach (var other in (string[])[longer, await Host.TokenForAsync(Drop.Fresh("bobby"))])
        {
            Assert.Empty(Of(await Host.AskAsync("/v1/images/problems", other)));
        }

        var own = Assert.Single(await AskAsync(token, 1));
        Assert.Equal($"{account}/{app}/nothing.txt", own["path"]!.GetValue<string>());
        Assert.Contains(
            Of(await Host.AskAsync("/v1/images/problems", await Host.TokenForAsync("official"))),
            p => p["path"]?.GetValue<string>() == $"official/{app}/nothing.txt"
        );
    }

    [Fact]
    public async Task A_path_with_odd_letters_is_shown_harmless()
    {
        var (account, token) = await AccountAsync();
        await Host.FileAsync($"{account}/a\u0085\"\u202E<b>\\.txt", [1]);

        var path = Assert.Single(await AskAsync(token, 1))["path"]!.GetValue<string>();

        Assert.DoesNotContain(path, c => char.IsControl(c) || c == '\u202E');
    }

    [Fact]
    public async Task They_are_asked_for_by_app_and_by_kind_and_not_more_than_a_limit()
    {
        var (account, token) = await AccountAsync();
        await Host.FileAsync($"{account}/web/a.txt", [1]);
        await Host.FileAsync($"{account}/web/b.txt", [1]);
        await Host.FileAsync($"{account}/web2/c.txt", [1]);
        var layout = Layout.Small(account, "v1");
        await Host.FileAsync($"{account}/web/index.json", layout.Files["index.json"]);
        await AskAsync(token, 4);

        foreach (
            var (query, count) in new[]
            {
                ("", 4),
                ($"?namespace={account}", 4),
                ($"?namespace={account}/web", 3),
                ($"?namespace={account}/web2", 1),
                ($"?namespace={account}/none", 0),
                ("?namespace=official", 0),
                ("?namespace=bob", 0),
                ("?kind=refused", 3),
                ("?kind=waiting", 1),
                ("?kind=not_image", 0),
                ($"?kind=refused&namespace={account}/web", 2),
                ("?limit=2", 2),
                ($"?limit=1&kind=refused&namespace={account}/web", 1),
            }
        )
        {
            var reply = await Host.AskAsync("/v1/images/problems" + query, token);
            AssertSuccess(reply.Answer, "problems");
            Assert.True(Of(reply).Count == count, $"{query}: {reply.Text}");
        }
    }

    [Fact]
    public async Task A_dropped_image_that_was_deleted_does_not_wait_and_says_so()
    {
        var (account, token) = await AccountAsync();
        var layout = Layout.Small(account, "v1");
        await Host.LayoutAsync($"{account}/web", layout);
        await Host.ListedAsync(token, account, $"{account}/web@{layout.FirstImage}");
        var client = await Registry.RegistryClient.ForAsync(Host, account);

        await client.SendAsync("DELETE", $"/v2/{account}/web/manifests/{layout.FirstImage}");

        var deleted = Assert.Single(await AskAsync(token, 1));
        Assert.Equal("deleted", deleted["kind"]!.GetValue<string>());
        Assert.Equal(layout.FirstImage, deleted["manifest"]!.GetValue<string>());
        Assert.Empty((await Host.StatusAsync(account)).Waiting);
        // Known all the same, and listed again when it is dropped again.
        var tags = await client.GetAsync($"/v2/{account}/web/tags/list");
        Assert.Equal($$"""{"name":"{{account}}/web","tags":[]}""", tags.Text);
        await Host.LayoutAsync($"{account}/web", layout);
        await Host.ListedAsync(token, account, $"{account}/web@{layout.FirstImage}");
        await AskAsync(token, 0);
    }

    [Theory]
    [InlineData("x=1")]
    [InlineData("namespace=")]
    [InlineData("namespace=Alice")]
    [InlineData("kind=other")]
    [InlineData("limit=0")]
    [InlineData("limit=1001")]
    [InlineData("limit=1&limit=1")]
    [InlineData("details=1")]
    public async Task A_parameter_that_is_unknown_or_malformed_is_400_and_named(string query)
    {
        var token = await Host.TokenForAsync(Drop.Fresh("alice"));

        var reply = await Host.AskAsync($"/v1/images/problems?{query}", token);

        AssertError(System.Net.HttpStatusCode.BadRequest, reply.Answer);
        Assert.Contains(
            $"'{query.Split('=')[0]}'",
            reply.Json["message"]!.GetValue<string>(),
            StringComparison.Ordinal
        );
    }

    private static IReadOnlyList<JsonObject> Of(Reply reply) =>
        [.. reply.Json["data"]!["problems"]!.AsArray().Select(p => p!.AsObject())];

    private async Task<(string Account, string Token)> AccountAsync()
    {
        var account = Drop.Fresh("alice");
        return (account, await Host.TokenForAsync(account));
    }

    private async Task<IReadOnlyList<JsonObject>> AskAsync(string token, int count)
    {
        Reply? last = null;
        await Until.TrueAsync(
            async () =>
            {
                last = await Host.AskAsync("/v1/images/problems", token);
                AssertSuccess(last.Answer, "problems");
                return Of(last).Count == count;
            },
            () => Task.FromResult(last!.Text)
        );
        return Of(last!);
    }
}
