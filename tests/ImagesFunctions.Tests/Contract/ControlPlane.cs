using System.Net;
using System.Text.Json.Nodes;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>What the vendor's clients of today ask a control plane for. One test a sentence.</summary>
public sealed class ControlPlane(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private string Authority => Host.Http.BaseAddress!.Authority;

    [Theory]
    [InlineData("/controlplane/v1/images?details=true&namespace={alice}")]
    [InlineData("/controlplane/v1/images?details&namespace={alice}&namespace={alice}/web&metro=fra0")]
    [InlineData("/v1/images?details=true&namespace={alice}")]
    [InlineData("/v1/images?namespace={alice}&namespace={nobody}&details=1")]
    public async Task With_details_each_repository_has_its_tags_with_digest_size_and_time(string target)
    {
        var world = await World.OfAsync(Host);

        var reply = await Host.AskAsync(world.Named(target), world.AliceToken);

        AssertSuccess(reply.Answer);
        string[] names = ["{alice}/long", "{alice}/multi", "{alice}/web", "{alice}/web/child", "{alice}/web2"];
        Assert.Equal(names.Select(n => world.Named($"{Authority}/{n}")), Names(reply));
        var web = reply.Images[2];
        Assert.Equal("name tags", MembersOf(web));
        Assert.Equal(["1", "latest"], TagsOf(web));
        Assert.Equal(["arm", "latest"], TagsOf(reply.Images[1]));
        var listed = Assert.Single(
            (await Host.AskAsync(world.Named("/v1/images?tag={alice}/web:1"), world.AliceToken)).Images
        );
        foreach (var tag in web["tags"]!.AsArray().Select(t => t!.AsObject()))
        {
            Assert.Equal("digest name push_time size", MembersOf(tag));
            Assert.Equal(world["one"], tag["digest"]!.GetValue<string>());
            Assert.Equal(listed["size_in_bytes"]!.GetValue<long>(), tag["size"]!.GetValue<long>());
            var pushed = DateTimeOffset.Parse(tag["push_time"]!.GetValue<string>());
            Assert.InRange(pushed, DateTimeOffset.UtcNow.AddHours(-2), DateTimeOffset.UtcNow.AddMinutes(1));
        }
    }

    [Theory]
    [InlineData("/controlplane/v1/images?namespace={alice}/web", "{alice}/web")]
    [InlineData("/controlplane/v1/images?details=false&namespace={alice}/web", "{alice}/web")]
    [InlineData("/v1/images?details=0&namespace={alice}/web", "{alice}/web")]
    [InlineData("/v1/images?namespace=official/{hello}&namespace={alice}/web2", "{alice}/web2 official/{hello}")]
    [InlineData("/controlplane/v1/images?namespace={bob}", "")]
    [InlineData("/controlplane/v1/images?namespace={nobody}&namespace={bob}/web", "")]
    public async Task Without_details_there_are_names_of_what_the_caller_may_see(string target, string expected)
    {
        var world = await World.OfAsync(Host);

        var reply = await Host.AskAsync(world.Named(target), world.AliceToken);

        AssertSuccess(reply.Answer);
        Assert.All(reply.Images, image => Assert.Equal("name", MembersOf(image)));
        Assert.Equal(
            expected.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(n => world.Named($"{Authority}/{n}")),
            Names(reply)
        );
    }

    [Fact]
    public async Task Without_a_namespace_there_are_the_own_and_the_official_repositories_in_one_order()
    {
        var world = await World.OfAsync(Host);

        var names = Names(await Host.AskAsync("/controlplane/v1/images", world.AliceToken));

        Assert.Equal(names.Order(StringComparer.Ordinal), names);
        Assert.Contains(world.Named($"{Authority}/{{alice}}/web"), names);
        Assert.Contains(world.Named($"{Authority}/official/{{hello}}"), names);
        Assert.DoesNotContain(names, name => name.Contains(world["bob"], StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_answer_that_has_not_changed_is_304()
    {
        var world = await World.OfAsync(Host);
        var target = world.Named("/controlplane/v1/images?details&namespace={alice}");
        var first = await Host.AskAsync(target, world.AliceToken);

        var second = await Host.AskAsync(target, world.AliceToken, null, ("If-None-Match", first["ETag"]!));
        var other = await Host.AskAsync(
            target.Replace("details&", "", StringComparison.Ordinal),
            world.AliceToken,
            null,
            ("If-None-Match", first["ETag"]!)
        );

        Assert.Equal((304, 200), (second.Status, other.Status));
    }

    [Theory]
    [InlineData("/controlplane/v1/images?namespace=", "'namespace' is malformed")]
    [InlineData("/controlplane/v1/images?namespace={alice}&namespace=A", "'namespace' is malformed")]
    [InlineData("/v1/images?namespace={alice}&namespace=", "'namespace' is malformed")]
    [InlineData("/controlplane/v1/images?details=maybe", "'details' is a flag")]
    [InlineData("/v1/images?details&details", "'details' is given more than once")]
    [InlineData("/controlplane/v1/images?tagged", "'tagged' is unknown")]
    [InlineData("/v1/images?details&limit=1", "'limit' is unknown")]
    [InlineData("/v1/metros?namespace={alice}", "'namespace' is unknown")]
    [InlineData("/controlplane/v1/auth?x", "'x' is unknown")]
    public async Task What_is_unknown_or_malformed_is_400_and_named(string target, string reason)
    {
        var world = await World.OfAsync(Host);

        var reply = await Host.AskAsync(world.Named(target), world.AliceToken);

        AssertError(HttpStatusCode.BadRequest, reply.Answer);
        Assert.Contains(reason, reply.Json["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/metros")]
    [InlineData("/controlplane/v1/metros")]
    public async Task This_installation_is_one_metro_with_the_address_that_was_asked(string target)
    {
        var world = await World.OfAsync(Host);

        var reply = await Host.AskAsync(target, world.AliceToken);

        AssertSuccess(reply.Answer, "metros");
        var metro = Assert.Single(reply.Json["data"]!["metros"]!.AsArray())!.AsObject();
        Assert.Equal("country endpoint iata_code name uuid", MembersOf(metro));
        Assert.Equal($"http://{Authority}", metro["endpoint"]!.GetValue<string>());
        Assert.Equal("img0", metro["iata_code"]!.GetValue<string>());
        var again = await Host.AskAsync(target, world.BobToken);
        Assert.Equal(metro.ToJsonString(), again.Json["data"]!["metros"]![0]!.ToJsonString());
    }

    [Theory]
    [InlineData("/v1/auth")]
    [InlineData("/controlplane/v1/auth")]
    public async Task The_tokens_account_is_its_organization(string target)
    {
        var world = await World.OfAsync(Host);
        async Task<JsonObject> DataAsync(string token) => (await Host.AskAsync(target, token)).Json["data"]!.AsObject();

        var alice = await DataAsync(world.AliceToken);

        Assert.Equal("organization_display_name organization_name organization_uuid registry", MembersOf(alice));
        Assert.Equal(world.Alice, alice["organization_name"]!.GetValue<string>());
        Assert.Equal(Authority, alice["registry"]!.GetValue<string>());
        Assert.Equal(alice.ToJsonString(), (await DataAsync(world.AliceToken)).ToJsonString());
        Assert.NotEqual(
            alice["organization_uuid"]!.GetValue<string>(),
            (await DataAsync(world.BobToken))["organization_uuid"]!.GetValue<string>()
        );
    }

    [Theory]
    [InlineData("/v1/auth/signin")]
    [InlineData("/controlplane/v1/auth/signin")]
    [InlineData("/controlplane/v1/auth/check")]
    public async Task There_is_no_browser_sign_in_with_or_without_a_token(string target)
    {
        var world = await World.OfAsync(Host);
        foreach (var token in (string?[])[null, world.AliceToken])
        {
            AssertError(HttpStatusCode.NotFound, (await Host.SendAsync("POST", target, token, "{}")).Answer, 8);
        }
    }

    [Theory]
    [InlineData("/controlplane/v1/images")]
    [InlineData("/controlplane/v1/metros")]
    [InlineData("/v1/auth")]
    [InlineData("/controlplane/v1/nothing")]
    public async Task Without_a_token_all_else_is_401(string target) =>
        AssertError(HttpStatusCode.Unauthorized, (await Host.SendAsync("GET", target, null)).Answer);

    private static string[] Names(Reply reply) => [.. reply.Images.Select(i => i["name"]!.GetValue<string>())];

    private static IEnumerable<string> TagsOf(JsonObject repository) =>
        repository["tags"]!.AsArray().Select(t => t!["name"]!.GetValue<string>());
}
