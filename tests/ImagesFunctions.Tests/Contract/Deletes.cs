using System.Net;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>`DELETE` by digest and by tag. One test a sentence; what is not there is in <see cref="OneImage"/>.</summary>
public sealed class Deletes(KestrelFixture fixture) : AgainstAHost(fixture)
{
    [Theory]
    [InlineData("{0}/web:v1")]
    [InlineData("{0}%2Fweb:v1")]
    [InlineData("{0}%252Fweb%3Av1")]
    public async Task A_tag_delete_removes_the_tag_and_the_image_stays(string name)
    {
        var (account, token) = await AccountAsync();
        var layout = Layout.Small(account, "v1", "v2");
        await DropAsync(token, account, "web", layout, tags: 2);

        var reply = await Host.SendAsync(
            "DELETE",
            $"/v1/images/tag/{name.Replace("{0}", account, StringComparison.Ordinal)}",
            token
        );

        AssertSuccess(reply.Answer);
        Assert.Equal($$"""{"tag":"{{account}}/web:v1"}""", Assert.Single(reply.Images).ToJsonString());
        // At once, with no waiting.
        var image = Assert.Single((await Host.ListAsync(token, $"namespace={account}")).Images);
        Assert.Equal($"{account}/web:v2", Assert.Single(image["tags"]!.AsArray())!.GetValue<string>());
        var again = await Host.SendAsync("DELETE", $"/v1/images/tag/{account}/web:v1", token);
        AssertError(HttpStatusCode.NotFound, again.Answer, 8);
    }

    [Theory]
    [InlineData("{0}/web@{1}")]
    [InlineData("{0}%2Fweb%40{1}")]
    [InlineData("{1}")]
    public async Task A_digest_delete_removes_the_image_and_its_tags_at_once(string name)
    {
        var (account, token) = await AccountAsync();
        var layout = Layout.Small(account, "v1", "v2");
        var digest = layout.FirstImage;
        await DropAsync(token, account, "web", layout, tags: 2);

        var reply = await Host.SendAsync(
            "DELETE",
            "/v1/images/digest/"
                + name.Replace("{0}", account, StringComparison.Ordinal)
                    .Replace("{1}", digest, StringComparison.Ordinal),
            token
        );

        AssertSuccess(reply.Answer);
        Assert.Equal($$"""{"digest":"{{account}}/web@{{digest}}"}""", Assert.Single(reply.Images).ToJsonString());
        Assert.Empty((await Host.ListAsync(token, $"namespace={account}")).Images);
        Assert.Empty((await Host.ListAsync(token, "", $$"""{"tag":"{{account}}/web:v1"}""")).Images);
        Assert.Equal(404, (await Host.AskAsync($"/v1/images/digest/{digest}", token)).Status);
        foreach (var gone in (string[])[$"digest/{account}/web@{digest}", $"tag/{account}/web:v2"])
        {
            AssertError(
                HttpStatusCode.NotFound,
                (await Host.SendAsync("DELETE", $"/v1/images/{gone}", token)).Answer,
                8
            );
        }

        // It can come back.
        await DropAsync(token, account, "web", layout, tags: 2);
    }

    [Fact]
    public async Task The_same_image_in_another_repository_stays()
    {
        var (account, token) = await AccountAsync();
        var layout = Layout.Small(account, "v1");
        await DropAsync(token, account, "app", layout, tags: 1);
        await DropAsync(token, account, "web", layout, tags: 2);

        var reply = await Host.SendAsync("DELETE", $"/v1/images/digest/{account}/web@{layout.FirstImage}", token);

        AssertSuccess(reply.Answer);
        Assert.Equal(
            [$"{account}/app@{layout.FirstImage}"],
            (await Host.ListAsync(token, $"namespace={account}")).Digests
        );
    }

    [Fact]
    public async Task A_bare_digest_in_several_repositories_is_409_that_names_them()
    {
        var (account, token) = await AccountAsync();
        var layout = Layout.Small(account, "v1");
        await DropAsync(token, account, "app", layout, tags: 1);
        await DropAsync(token, account, "web", layout, tags: 2);

        var reply = await Host.SendAsync("DELETE", $"/v1/images/digest/{layout.FirstImage}", token);

        AssertError(HttpStatusCode.Conflict, reply.Answer);
        var message = reply.Json["message"]!.GetValue<string>();
        Assert.Contains($"{account}/app@{layout.FirstImage}", message, StringComparison.Ordinal);
        Assert.Contains($"{account}/web@{layout.FirstImage}", message, StringComparison.Ordinal);
        Assert.Equal(2, (await Host.ListAsync(token, $"namespace={account}")).Images.Count);
    }

    [Fact]
    public async Task A_bare_digest_that_is_official_too_means_the_accounts_own()
    {
        var (account, token) = await AccountAsync();
        var app = Drop.Fresh("app");
        var layout = Layout.Small(account, "v1");
        await DropAsync(token, "official", app, layout, tags: 1);
        await DropAsync(token, account, "web", layout, tags: 1);

        var reply = await Host.SendAsync("DELETE", $"/v1/images/digest/{layout.FirstImage}", token);

        AssertSuccess(reply.Answer);
        Assert.Single((await Host.ListAsync(token, $"namespace=official/{app}")).Images);
        AssertError(
            HttpStatusCode.Forbidden,
            (await Host.SendAsync("DELETE", $"/v1/images/digest/{layout.FirstImage}", token)).Answer,
            14
        );
    }

    [Theory]
    [InlineData("/v1/images/digest/{five}")]
    [InlineData("/v1/images/digest/{hello}@{five}")]
    [InlineData("/v1/images/digest/official%2F{hello}@{five}")]
    [InlineData("/v1/images/tag/{hello}:latest")]
    [InlineData("/v1/images/tag/official/{hello}:latest")]
    public async Task An_official_image_is_403_with_error_14_to_all_but_the_account_official(string target)
    {
        var world = await World.OfAsync(Host);

        var reply = await Host.SendAsync("DELETE", world.Named(target), world.AliceToken);

        AssertError(HttpStatusCode.Forbidden, reply.Answer, 14);
        Assert.Equal(200, (await Host.AskAsync(world.Named(target), world.AliceToken)).Status);
    }

    [Fact]
    public async Task The_account_official_may_delete_official_images()
    {
        var token = await Host.TokenForAsync("official");
        var app = Drop.Fresh("app");
        var layout = Layout.Small(app, "v1", "v2");
        await DropAsync(token, "official", app, layout, tags: 2);

        var tag = await Host.SendAsync("DELETE", $"/v1/images/tag/{app}:v1", token);
        var digest = await Host.SendAsync("DELETE", $"/v1/images/digest/{app}@{layout.FirstImage}", token);

        Assert.Equal($$"""{"tag":"{{app}}:v1"}""", Assert.Single(tag.Images).ToJsonString());
        Assert.Equal($$"""{"digest":"{{app}}@{{layout.FirstImage}}"}""", Assert.Single(digest.Images).ToJsonString());
        Assert.Empty((await Host.ListAsync(token, $"namespace=official/{app}")).Images);
    }

    [Theory]
    [InlineData("/v1/images/digest/{0}/web@{one}")]
    [InlineData("/v1/images/digest/{0}/hidden@{hidden}")]
    [InlineData("/v1/images/tag/{0}/web:1")]
    [InlineData("/v1/images/tag/{0}%2Fhidden:latest")]
    public async Task Anothers_image_is_404_as_one_that_does_not_exist_and_is_still_there(string target)
    {
        var world = await World.OfAsync(Host);
        async Task<string> DeleteAsync(string account) =>
            (
                await Host.SendAsync(
                    "DELETE",
                    world.Named(target.Replace("{0}", account, StringComparison.Ordinal)),
                    world.AliceToken
                )
            ).Answer.Timeless.Replace(account, "", StringComparison.Ordinal);

        var anothers = await DeleteAsync(world["bob"]);

        Assert.Equal(await DeleteAsync(world["nobody"]), anothers);
        Assert.StartsWith("404 ", anothers, StringComparison.Ordinal);
        Assert.Equal(3, (await Host.ListAsync(world.BobToken, $"namespace={world["bob"]}")).Images.Count);
    }

    [Fact]
    public async Task What_an_index_needs_is_409_that_names_the_index_and_goes_when_that_has_gone()
    {
        var (account, token) = await AccountAsync();
        var layout = new Layout();
        var (amd64, arm64) = (layout.AddImage("amd64" + account), layout.AddImage("arm64" + account));
        var index = layout.AddIndex(
            Layout.OciIndex,
            Layout.For(amd64, "linux", "amd64"),
            Layout.For(arm64, "linux", "arm64")
        );
        layout.Index(Layout.Tagged(index, "latest"), Layout.Tagged(arm64, "arm"));
        await DropAsync(token, account, "web", layout, tags: 2);
        async Task<Reply> DeleteAsync(string digest) =>
            await Host.SendAsync("DELETE", $"/v1/images/digest/{account}/web@{digest}", token);

        foreach (var child in (string[])[Layout.Digest(amd64), Layout.Digest(arm64)])
        {
            var needed = await DeleteAsync(child);
            AssertError(HttpStatusCode.Conflict, needed.Answer);
            Assert.Contains(Layout.Digest(index), needed.Json["message"]!.GetValue<string>(), StringComparison.Ordinal);
        }

        Assert.Equal(2, (await Host.ListAsync(token, $"namespace={account}")).Images.Count);
        AssertSuccess((await DeleteAsync(Layout.Digest(index))).Answer);
        // A child without a tag is not an image of the list now either.
        Assert.Equal(
            [$"{account}/web@{Layout.Digest(arm64)}"],
            (await Host.ListAsync(token, $"namespace={account}")).Digests
        );
        AssertSuccess((await DeleteAsync(Layout.Digest(amd64))).Answer);
        AssertSuccess((await DeleteAsync(Layout.Digest(arm64))).Answer);
        Assert.Empty((await Host.ListAsync(token, $"namespace={account}")).Images);
    }

    private async Task<(string Account, string Token)> AccountAsync()
    {
        var account = Drop.Fresh("alice");
        return (account, await Host.TokenForAsync(account));
    }

    // Waits until the namespace, or the official app, has this many tags.
    private async Task DropAsync(string token, string ns, string app, Layout layout, int tags)
    {
        await Host.LayoutAsync($"{ns}/{app}", layout);
        var scope = ns == "official" ? $"{ns}/{app}" : ns;
        await Until.TrueAsync(
            async () =>
                (await Host.ListAsync(token, $"namespace={scope}")).Images.Sum(i => i["tags"]!.AsArray().Count) == tags,
            () => Host.ExplainAsync(ns)
        );
    }
}
