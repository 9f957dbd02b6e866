using System.Net;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>One image by its digest or tag. One test a sentence; what the lists take is in <see cref="InputSentences"/>.</summary>
public sealed class OneImage(KestrelFixture fixture) : AgainstAHost(fixture)
{
    [Theory]
    [InlineData("/v1/images/digest/{one}", "{alice}/web@{one}")]
    [InlineData("/v1/images/digest/{two}", "{alice}/web@{two}")]
    [InlineData("/v1/images/digest/{five}", "official/{hello}@{five}")]
    [InlineData("/v1/images/digest/{long}", "{alice}/long@{long}")]
    [InlineData("/v1/images/digest/{arm64}", "{alice}/multi@{arm64}")]
    [InlineData("/v1/images/digest/{alice}/web@{one}", "{alice}/web@{one}")]
    [InlineData("/v1/images/digest/{alice}/web/child@{three}", "{alice}/web/child@{three}")]
    [InlineData("/v1/images/digest/{alice}%2Fweb%2Fchild@{three}", "{alice}/web/child@{three}")]
    [InlineData("/v1/images/digest/{alice}%2fweb%40{one}", "{alice}/web@{one}")]
    [InlineData("/v1/images/digest/{alice}%252Fweb@{one}", "{alice}/web@{one}")]
    [InlineData("/v1/images/digest/{alice}%252fweb@{one}", "{alice}/web@{one}")]
    [InlineData("/v1/images/digest/{both}@{one}", "official/{both}@{one}")]
    [InlineData("/v1/images/digest/official/{both}@{one}", "official/{both}@{one}")]
    [InlineData("/v1/images/digest/official%2F{both}@{two}", "official/{both}@{two}")]
    [InlineData("/v1/images/digest/{one}?details=true&metro=fra0", "{alice}/web@{one}")]
    [InlineData("/v1/images/tag/{alice}/web:1", "{alice}/web@{one}")]
    [InlineData("/v1/images/tag/{alice}%2Fweb:latest", "{alice}/web@{one}")]
    [InlineData("/v1/images/tag/{alice}%2fweb%3Alatest", "{alice}/web@{one}")]
    [InlineData("/v1/images/tag/{alice}%252Fweb%2Fchild:latest", "{alice}/web/child@{three}")]
    [InlineData("/v1/images/tag/{alice}/multi:latest", "{alice}/multi@{multi}")]
    [InlineData("/v1/images/tag/{hello}:latest", "official/{hello}@{five}")]
    [InlineData("/v1/images/tag/official%2F{hello}:latest", "official/{hello}@{five}")]
    [InlineData("/v1/images/tag/{alice}/web:1?details&metro=", "{alice}/web@{one}")]
    public async Task One_image_by_its_digest_or_tag_is_an_array_of_one(string target, string expected)
    {
        var world = await World.OfAsync(Host);
        var reply = await Host.AskAsync(world.Named(target), world.AliceToken);

        AssertSuccess(reply.Answer);
        var image = Assert.Single(reply.Images);
        Assert.Equal(world.Named($"{Host.Http.BaseAddress!.Authority}/{expected}"), image["url"]!.GetValue<string>());
        var list = await Host.AskAsync("/v1/images", world.AliceToken);
        Assert.Contains(image.ToJsonString(), list.Images.Select(i => i.ToJsonString()));
        // A body says nothing here.
        Assert.Equal(
            reply.Answer.Timeless,
            (await Host.AskAsync(world.Named(target), world.AliceToken, "{\"tag\":7")).Answer.Timeless
        );
    }

    [Theory]
    [InlineData("/v1/images/digest/{none}", "{none}")]
    [InlineData("/v1/images/digest/{hidden}", "{hidden}")]
    [InlineData("/v1/images/digest/{amd64}", "{amd64}")]
    [InlineData("/v1/images/digest/{alice}/web@{none}", "{alice}/web@{none}")]
    [InlineData("/v1/images/digest/{alice}/web2@{one}", "{alice}/web2@{one}")]
    [InlineData("/v1/images/digest/{alice}%2Fmulti@{amd64}", "{alice}/multi@{amd64}")]
    [InlineData("/v1/images/digest/{bob}/hidden@{hidden}", "{bob}/hidden@{hidden}")]
    [InlineData("/v1/images/digest/{nobody}/web@{one}", "{nobody}/web@{one}")]
    [InlineData("/v1/images/digest/{hello}@{one}", "{hello}@{one}")]
    [InlineData("/v1/images/tag/{alice}/web:2", "{alice}/web:2")]
    [InlineData("/v1/images/tag/{alice}%2Fweb:LATEST", "{alice}/web:LATEST")]
    [InlineData("/v1/images/tag/{bob}/web:1", "{bob}/web:1")]
    [InlineData("/v1/images/tag/{nobody}/web:1", "{nobody}/web:1")]
    [InlineData("/v1/images/tag/{nobody}:latest", "{nobody}:latest")]
    public async Task What_is_not_there_or_another_accounts_is_404_with_error_8(string target, string name)
    {
        var world = await World.OfAsync(Host);
        foreach (var method in (string[])["GET", "DELETE"])
        {
            // An untagged child of an index is not listed, but there: it can be deleted, if nothing needs it.
            if (method == "DELETE" && target.Contains("@{amd64}", StringComparison.Ordinal))
            {
                continue;
            }

            var reply = await Host.SendAsync(method, world.Named(target), world.AliceToken);

            AssertError(HttpStatusCode.NotFound, reply.Answer, 8);
            Assert.Equal(world.Named($"No image with name '{name}'"), reply.Json["message"]!.GetValue<string>());
        }
    }

    [Theory]
    [InlineData("/v1/images/digest/")]
    [InlineData("/v1/images/digest")]
    [InlineData("/v1/images/digest/x")]
    [InlineData("/v1/images/digest/{alice}/web")]
    [InlineData("/v1/images/digest/{alice}/web:1")]
    [InlineData("/v1/images/digest/sha256:abc")]
    [InlineData("/v1/images/digest/{one}/")]
    [InlineData("/v1/images/digest/{one}x")]
    [InlineData("/v1/images/digest/{one},{two}")]
    [InlineData("/v1/images/digest//{alice}/web@{one}")]
    [InlineData("/v1/images/digest/%20{one}")]
    [InlineData("/v1/images/digest/{one}%0A")]
    [InlineData("/v1/images/digest/{alice}%5Cweb@{one}")]
    [InlineData("/v1/images/tag/")]
    [InlineData("/v1/images/tag")]
    [InlineData("/v1/images/tag/latest")]
    [InlineData("/v1/images/tag/{alice}/web")]
    [InlineData("/v1/images/tag/{alice}/web@{one}")]
    [InlineData("/v1/images/tag/{alice}/web:1/")]
    [InlineData("/v1/images/tag/{alice}/web:..")]
    [InlineData("/v1/images/tag/{alice}%2F..%2Fbob%2Fweb:1")]
    [InlineData("/v1/images/tag/ALICE/web:1")]
    public async Task A_malformed_name_in_the_path_is_400_with_error_7(string target)
    {
        var world = await World.OfAsync(Host);
        foreach (var method in (string[])["GET", "DELETE"])
        {
            var reply = await Host.SendAsync(method, world.Named(target), world.AliceToken);

            AssertError(HttpStatusCode.BadRequest, reply.Answer, 7);
        }
    }

    [Theory]
    [InlineData("namespace={alice}")]
    [InlineData("tagged")]
    [InlineData("limit=1")]
    [InlineData("x")]
    public async Task By_digest_and_by_tag_there_are_no_filters(string query)
    {
        var world = await World.OfAsync(Host);
        foreach (var target in (string[])["/v1/images/digest/{one}", "/v1/images/tag/{alice}/web:1"])
        {
            var reply = await Host.AskAsync(world.Named($"{target}?{query}"), world.AliceToken);

            AssertError(HttpStatusCode.BadRequest, reply.Answer);
            Assert.Contains(
                $"'{query.Split('=')[0]}'",
                reply.Json["message"]!.GetValue<string>(),
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public async Task A_bare_digest_in_several_places_shows_the_own_one_first_and_then_the_first_by_repository()
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var layout = Layout.Small(account, "latest");
        var digest = layout.FirstImage;
        var official = Drop.Fresh("aaa");
        async Task<string> ShownAsync()
        {
            var reply = await Host.AskAsync($"/v1/images/digest/{digest}", token);
            return reply.Status == 200
                ? Assert.Single(reply.Images)["url"]!.GetValue<string>().Split('/', 2)[1]
                : reply.Status.ToString();
        }

        Assert.Equal("404", await ShownAsync());
        foreach (var repository in (string[])[$"official/{official}", $"{account}/web", $"{account}/app"])
        {
            await Host.LayoutAsync(repository, layout);
            await Until.TrueAsync(
                async () => await ShownAsync() == $"{repository}@{digest}",
                async () => $"{repository}: {await ShownAsync()}"
            );
        }
    }
}
