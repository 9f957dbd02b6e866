using System.Net;

namespace ImagesFunctions.Tests.Registry;

/// <summary>Names of repositories in paths, and paths and methods that are no route.</summary>
public sealed class RouteContract(KestrelFixture fixture) : AgainstARegistry(fixture)
{
    [Theory]
    [InlineData("/v2/Alice/app/tags/list")]
    [InlineData("/v2/alice/-app/tags/list")]
    [InlineData("/v2/alice//app/tags/list")]
    [InlineData("/v2/official/a/b/tags/list")]
    [InlineData("/v2/alice/a%20b/tags/list")]
    [InlineData("/v2/alice/a%252Fb/tags/list")]
    public async Task A_malformed_name_is_400(string path)
    {
        var client = await RegistryClient.ForAsync(Host, "alice");

        Is(HttpStatusCode.BadRequest, "NAME_INVALID", await client.GetAsync(path));
    }

    [Fact]
    public async Task A_name_that_with_the_host_is_longer_than_255_characters_is_400()
    {
        var client = await RegistryClient.ForAsync(Host, "alice");
        var host = Host.Http.BaseAddress!.Authority.Length;
        var longest = "alice/" + new string('a', 255 - host - 1 - 6);

        Is(HttpStatusCode.NotFound, "NAME_UNKNOWN", await client.GetAsync($"/v2/{longest}/tags/list"));
        Is(HttpStatusCode.BadRequest, "NAME_INVALID", await client.GetAsync($"/v2/{longest}a/tags/list"));
    }

    [Fact]
    public async Task Names_may_hold_the_words_of_the_routes_and_come_percent_encoded()
    {
        var account = Drop.Fresh("alice");
        foreach (
            var app in new[] { "blobs", "manifests", "tags/list", "blobs/uploads", "a/referrers/b", "uploads/blobs" }
        )
        {
            var repository = $"{account}/{app}";
            var client = await RegistryClient.ForAsync(Host, account);
            var layout = Layout.Small(app, "list");
            await client.PushAsync(repository, layout);

            var tags = await client.GetAsync(
                $"/v2/{repository.Replace("/", "%2F", StringComparison.Ordinal)}/tags/list"
            );

            Assert.Equal("list", tags.Json["tags"]![0]!.GetValue<string>());
            Assert.Equal(
                HttpStatusCode.OK,
                (
                    await client.GetAsync(
                        $"/v2/{repository}/manifests/{layout.FirstImage.Replace(":", "%3A", StringComparison.Ordinal)}"
                    )
                ).Status
            );
        }
    }

    [Fact]
    public async Task What_is_no_route_is_404_and_a_method_that_a_route_lacks_405_with_those_that_it_has()
    {
        var client = await RegistryClient.ForAsync(Host, "alice");
        foreach (var path in new[] { "/v2/x", "/v2/alice/app/tags", "/v2/alice/app/tags/list/", "/v2/_catalog/x" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(path)).Status);
        }

        var reply = await client.SendAsync("PUT", "/v2/alice/app/tags/list", []);
        Is(HttpStatusCode.MethodNotAllowed, "UNSUPPORTED", reply);
        Assert.Equal("GET, HEAD", reply["Allow"]);
    }
}
