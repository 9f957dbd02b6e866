using System.Net;
using System.Text.Json.Nodes;
using ImagesFunctions.Tests.Registry;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>Images that stay until they are unpinned. One test a sentence.</summary>
public sealed class PinContract(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private string Authority => Host.Http.BaseAddress!.Authority;

    [Fact]
    public async Task A_pinned_image_says_so_cannot_be_removed_and_can_once_it_is_unpinned()
    {
        var (account, token, digest) = await ImageAsync();

        var pinned = await PinAsync(token, $$"""[{"url":"{{account}}/web:v1","timeout_s":-1}]""");

        AssertSuccess(pinned.Answer);
        var pin = Assert.Single(pinned.Images);
        Assert.Equal("created_at name persistent state status tags url uuid", MembersOf(pin));
        Assert.Equal("success", pin["status"]!.GetValue<string>());
        Assert.Equal($"{account}/web", pin["name"]!.GetValue<string>());
        Assert.Equal("ready", pin["state"]!.GetValue<string>());
        Assert.Equal($"{Authority}/{account}/web@{digest}", pin["url"]!.GetValue<string>());
        Assert.Equal(["latest", "v1"], pin["tags"]!.AsArray().Select(t => t!.GetValue<string>()));
        var uuid = pin["uuid"]!.GetValue<string>();
        Assert.True((await ShownAsync(token, account))["persistent"]!.GetValue<bool>());

        var removed = await Host.SendAsync("DELETE", $"/v1/images/digest/{account}/web@{digest}", token);
        AssertError(HttpStatusCode.Conflict, removed.Answer);
        Assert.Contains(uuid, removed.Json["message"]!.GetValue<string>(), StringComparison.Ordinal);
        var registry = new RegistryClient(Host.Http, RegistryClient.Basic(account, token));
        var byV2 = await registry.SendAsync("DELETE", $"/v2/{account}/web/manifests/{digest}");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, byV2.Status);
        Assert.Contains("UNSUPPORTED", byV2.Text, StringComparison.Ordinal);
        Assert.Contains(uuid, byV2.Text, StringComparison.Ordinal);

        var unpinned = await Host.SendAsync("DELETE", "/v1/images", token, $$"""[{"uuid":"{{uuid}}"}]""");
        AssertSuccess(unpinned.Answer);
        Assert.Equal("name status uuid", MembersOf(Assert.Single(unpinned.Images)));
        Assert.Null((await ShownAsync(token, account))["persistent"]);
        Assert.Equal(200, (await Host.SendAsync("DELETE", $"/v1/images/digest/{account}/web@{digest}", token)).Status);
    }

    [Fact]
    public async Task A_tag_of_a_pinned_image_may_go_and_the_image_stays()
    {
        var (account, token, digest) = await ImageAsync();
        AssertSuccess((await PinAsync(token, $$"""[{"url":"{{account}}/web:v1","timeout_s":30}]""")).Answer);

        Assert.Equal(200, (await Host.SendAsync("DELETE", $"/v1/images/tag/{account}/web:v1", token)).Status);

        var shown = await ShownAsync(token, account);
        Assert.True(shown["persistent"]!.GetValue<bool>());
        Assert.Equal(digest, shown["digest"]!.GetValue<string>());
    }

    [Fact]
    public async Task Pinned_again_it_has_the_same_uuid_in_every_form_of_its_name()
    {
        var (account, token, digest) = await ImageAsync();
        string[] urls =
        [
            $"{account}/web:latest",
            $"{account}/web@{digest}",
            $"{Authority}/{account}/web:v1",
            $"https://{Authority}/{account}/web@{digest}",
            $"oci://{Authority}/{account}/web:latest",
        ];

        var items = string.Join(',', urls.Select(url => $$"""{"url":"{{url}}","timeout_s":1}"""));
        var pinned = await PinAsync(token, $"[{items}]");

        AssertSuccess(pinned.Answer);
        Assert.Equal(urls.Length, pinned.Images.Count);
        Assert.Single(pinned.Images.Select(i => i["uuid"]!.GetValue<string>()).Distinct());
    }

    [Fact]
    public async Task With_autokill_it_holds_for_that_long()
    {
        var (account, token, digest) = await ImageAsync();
        async Task<Reply> PinForAsync(long milliseconds) =>
            await PinAsync(
                token,
                $$$"""[{"url":"{{{account}}}/web:v1","timeout_s":1,"autokill":{"time_ms":{{{milliseconds}}} } }]"""
            );

        AssertSuccess((await PinForAsync(3_600_000)).Answer);
        var held = await Host.SendAsync("DELETE", $"/v1/images/digest/{account}/web@{digest}", token);
        AssertError(HttpStatusCode.Conflict, held.Answer);
        var before = (await Host.AskAsync($"/v1/images?namespace={account}", token))["ETag"];

        AssertSuccess((await PinForAsync(1)).Answer);
        await Until.TrueAsync(
            async () => (await ShownAsync(token, account))["persistent"] is null,
            () => Task.FromResult("the pin does not end")
        );

        Assert.NotEqual(before, (await Host.AskAsync($"/v1/images?namespace={account}", token))["ETag"]);
        Assert.Equal(200, (await Host.SendAsync("DELETE", $"/v1/images/digest/{account}/web@{digest}", token)).Status);
    }

    [Fact]
    public async Task What_cannot_be_pinned_is_an_item_error_that_says_why_beside_those_that_are()
    {
        var (account, token, _) = await ImageAsync();
        var (other, _, _) = await ImageAsync();
        (string Url, int Number)[] urls =
        [
            ($"{account}/web:v1", 0),
            ($"{account}/web:none", 8),
            ($"{account}/none:v1", 8),
            ($"{account}/web@sha256:{new string('0', 64)}", 8),
            ($"{account}/web", 7),
            ("", 7),
            ("A/b:c", 7),
            ($"{other}/web:v1", 14),
            ($"{other}/none:v1", 14),
            ("hello:latest", 14),
            ("official/hello:latest", 14),
            ("docker.io/library/alpine:3.20", 4),
            ("https://example.com/image.tar", 4),
            ($"localhost:1/{account}/web:v1", 4),
        ];

        var items = string.Join(',', urls.Select(u => $$"""{"url":"{{u.Url}}","timeout_s":1}"""));
        var reply = await PinAsync(token, $"[{items}]");

        AssertFailures("partial_success", reply.Answer);
        Assert.Equal(urls.Select(u => u.Number), reply.Images.Select(i => i["error"]?.GetValue<int>() ?? 0));
        Assert.All(reply.Images.Skip(1), image => Assert.Equal("error message status", MembersOf(image)));
        // Nothing tells whether another's image is there.
        Assert.Equal(
            reply.Images[7]["message"]!.GetValue<string>().Replace("/web:", "/none:", StringComparison.Ordinal),
            reply.Images[8]["message"]!.GetValue<string>()
        );
    }

    [Fact]
    public async Task Unpinning_what_is_not_pinned_is_an_item_error_8_and_no_uuid_7()
    {
        var (_, token, _) = await ImageAsync();

        var reply = await Host.SendAsync(
            "DELETE",
            "/v1/images",
            token,
            """[{"uuid":"00000000-0000-8000-8000-000000000000"},{"uuid":"web"}]"""
        );

        AssertFailures("error", reply.Answer);
        Assert.Equal([8, 7], reply.Images.Select(i => i["error"]!.GetValue<int>()));
        Assert.Equal("error message status uuid", MembersOf(reply.Images[0]));
    }

    [Theory]
    [InlineData("POST", "", "has to be an array")]
    [InlineData("POST", "{}", "has to be an array")]
    [InlineData("POST", "[7]", "Item 0 of the body has to be an object")]
    [InlineData("POST", "[{}]", "'url' is missing")]
    [InlineData("POST", """[{"url":"a/b:c"}]""", "'timeout_s' is missing")]
    [InlineData("POST", """[{"url":"a/b:c","timeout_s":0}]""", "'timeout_s' has to be")]
    [InlineData("POST", """[{"url":"a/b:c","timeout_s":-2}]""", "'timeout_s' has to be")]
    [InlineData("POST", """[{"url":"a/b:c","timeout_s":1.5}]""", "'timeout_s' has to be")]
    [InlineData("POST", """[{"url":"a/b:c","timeout_s":"1"}]""", "'timeout_s' has to be")]
    [InlineData("POST", """[{"url":7,"timeout_s":1}]""", "'url' has to be a string")]
    [InlineData("POST", """[{"url":"a/b:c","timeout_s":1,"pull_policy":"often"}]""", "'pull_policy' has to be one of")]
    [InlineData("POST", """[{"url":"a/b:c","timeout_s":1,"merge_requests":1}]""", "'merge_requests' has to be")]
    [InlineData("POST", """[{"url":"a/b:c","timeout_s":1,"headers":{"a":1}}]""", "'headers' has to be")]
    [InlineData("POST", """[{"url":"a/b:c","timeout_s":1,"credentials":null}]""", "'credentials' has to be")]
    [InlineData("POST", """[{"url":"a/b:c","timeout_s":1,"autokill":5}]""", "'autokill' has to be")]
    [InlineData("POST", """[{"url":"a/b:c","timeout_s":1,"autokill":{"time_ms":-1}}]""", "'autokill' has to be")]
    [InlineData("POST", """[{"url":"a/b:c","timeout_s":1,"autokil":{}}]""", "'autokil' is unknown")]
    [InlineData("POST", """[{"url":"a/b:c","timeout_s":1},{"x":1}]""", "Item 1 of the body: the member 'x' is unknown")]
    [InlineData("DELETE", """[{"name":"a/b"}]""", "'name' is unknown: an image is unpinned by its uuid only")]
    [InlineData("DELETE", """[{"uuid":7}]""", "'uuid' has to be a string")]
    [InlineData("DELETE", "[{}]", "'uuid' is missing")]
    public async Task What_is_unknown_or_ill_typed_is_400_and_named(string method, string body, string reason)
    {
        var world = await World.OfAsync(Host);

        var reply = await Host.SendAsync(method, "/v1/images", world.AliceToken, body);

        AssertError(HttpStatusCode.BadRequest, reply.Answer);
        Assert.Contains(reason, reply.Json["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    private async Task<(string Account, string Token, string Digest)> ImageAsync()
    {
        var account = Drop.Fresh("pins");
        var token = await Host.TokenForAsync(account);
        var layout = Layout.Small(account, "v1", "latest");
        await Host.LayoutAsync($"{account}/web", layout);
        await Host.ListedAsync(token, account, $"{account}/web@{layout.FirstImage}");
        await Until.TrueAsync(
            async () => (await ShownAsync(token, account))["tags"]?.AsArray().Count == 2,
            () => Host.ExplainAsync(account)
        );
        return (account, token, layout.FirstImage);
    }

    private Task<Reply> PinAsync(string token, string body) => Host.SendAsync("POST", "/v1/images", token, body);

    private async Task<JsonObject> ShownAsync(string token, string account) =>
        Assert.Single((await Host.AskAsync($"/v1/images?namespace={account}", token)).Images);
}
