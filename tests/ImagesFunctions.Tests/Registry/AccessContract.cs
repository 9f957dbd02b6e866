using System.Net;
using System.Text;

namespace ImagesFunctions.Tests.Registry;

/// <summary>Who may do what in the registry, and what everybody else is told.</summary>
public sealed class AccessContract(KestrelFixture fixture) : AgainstARegistry(fixture)
{
    private static readonly byte[] s_body = new byte[2048];

    [Theory]
    [InlineData("GET", "/v2/")]
    [InlineData("GET", "/v2")]
    [InlineData("GET", "/v2/_catalog")]
    [InlineData("GET", "/v2/alice/app/tags/list")]
    [InlineData("GET", $"/v2/alice/app/blobs/{Unknown}")]
    [InlineData("POST", "/v2/alice/app/blobs/uploads/")]
    [InlineData("PUT", "/v2/alice/app/manifests/latest")]
    [InlineData("DELETE", "/v2/alice/app/manifests/latest")]
    [InlineData("GET", "/v2/NOT/a/route")]
    public async Task Without_credentials_every_request_is_challenged_for_basic_ones(string method, string path)
    {
        var reply = await new RegistryClient(Host.Http, null).SendAsync(method, path);

        Is(HttpStatusCode.Unauthorized, "UNAUTHORIZED", reply);
        Assert.StartsWith("Basic realm=\"", reply["WWW-Authenticate"], StringComparison.Ordinal);
        Assert.DoesNotContain("bearer", reply["WWW-Authenticate"], StringComparison.OrdinalIgnoreCase);
        Assert.Equal("registry/2.0", reply["Docker-Distribution-API-Version"]);
    }

    [Fact]
    public async Task The_base_is_200_in_every_form_of_the_credentials_and_401_with_a_wrong_password()
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var secret = Encoding.UTF8.GetString(Convert.FromBase64String(token)).Split(':')[1];
        string[] good =
        [
            RegistryClient.Basic(account, secret),
            RegistryClient.Basic($"robot${account}.users.kraftcloud", secret),
            RegistryClient.Basic(account, token),
            RegistryClient.Basic($"robot${account}.users.kraftcloud", token),
            $"Bearer {token}",
        ];
        string[] bad =
        [
            RegistryClient.Basic(account, secret[..^1]),
            RegistryClient.Basic(account, ""),
            RegistryClient.Basic("", token),
            RegistryClient.Basic(account + "x", secret),
            RegistryClient.Basic(account + "x", token),
            "Basic",
            "Basic %%%",
            "Basic " + new string('A', 20_000),
        ];

        foreach (var header in good)
        {
            var reply = await new RegistryClient(Host.Http, header).GetAsync("/v2/");
            Assert.Equal(HttpStatusCode.OK, reply.Status);
            Assert.Equal("registry/2.0", reply["Docker-Distribution-API-Version"]);
        }

        foreach (var header in bad)
        {
            Is(
                HttpStatusCode.Unauthorized,
                "UNAUTHORIZED",
                await new RegistryClient(Host.Http, header).GetAsync("/v2/")
            );
        }
    }

    [Fact]
    public async Task A_name_of_one_part_is_an_official_repository_which_everybody_reads_and_only_official_writes()
    {
        var app = Drop.Fresh("nginx");
        var official = await RegistryClient.ForAsync(Host, "official");
        var alice = await RegistryClient.ForAsync(Host, "alice");
        var layout = Layout.Small(app, "v1");
        await official.PushAsync(app, layout);

        foreach (var name in new[] { app, $"official/{app}" })
        {
            Assert.Equal(HttpStatusCode.OK, (await alice.GetAsync($"/v2/{name}/manifests/v1")).Status);
            Assert.Equal(
                HttpStatusCode.OK,
                (await alice.GetAsync($"/v2/{name}/blobs/{DigestOfPath(layout.FirstLayer)}")).Status
            );
            Is(HttpStatusCode.Forbidden, "DENIED", await alice.SendAsync("POST", $"/v2/{name}/blobs/uploads/"));
            Is(HttpStatusCode.Forbidden, "DENIED", await alice.SendAsync("DELETE", $"/v2/{name}/manifests/v1"));
            Is(HttpStatusCode.Forbidden, "DENIED", await alice.PutManifestAsync(name, "v2", "{}"u8.ToArray()));
        }
    }

    [Fact]
    public async Task What_is_anothers_answers_in_every_byte_like_what_is_not_there()
    {
        var (bob, nobody) = (Drop.Fresh("bob"), Drop.Fresh("bob"));
        var layout = Layout.Small("secret", "latest");
        await (await RegistryClient.ForAsync(Host, bob)).PushAsync($"{bob}/app", layout);
        var session = await (await RegistryClient.ForAsync(Host, bob)).BeginAsync($"{bob}/app");
        var alice = await RegistryClient.ForAsync(Host, Drop.Fresh("alice"));
        string[] paths =
        [
            "/manifests/latest",
            $"/manifests/{layout.FirstImage}",
            $"/blobs/{DigestOfPath(layout.FirstLayer)}",
            "/tags/list",
            "/tags/list?n=x",
            $"/referrers/{layout.FirstImage}",
            "/blobs/sha256:x",
            "/blobs/uploads/" + session.Split('/')[^1],
        ];
        foreach (var path in paths)
        {
            foreach (var method in new[] { "GET", "HEAD", "PUT", "DELETE", "PATCH", "POST" })
            {
                var theirs = await alice.SendAsync(method, $"/v2/{bob}/app{path}", method[0] == 'P' ? s_body : null);
                var none = await alice.SendAsync(method, $"/v2/{nobody}/app{path}", method[0] == 'P' ? s_body : null);

                Assert.Equal(none.Whole.Replace(nobody, bob, StringComparison.Ordinal), theirs.Whole);
                // Referrers of what is not known are an empty list.
                Assert.True(
                    (int)theirs.Status >= 400
                        || theirs.Text.Contains("\"manifests\":[]", StringComparison.Ordinal)
                        || (method == "HEAD" && path.StartsWith("/referrers", StringComparison.Ordinal)),
                    theirs.Whole
                );
            }
        }
    }

    [Fact]
    public async Task A_token_that_may_only_read_pulls_and_a_push_with_it_is_denied()
    {
        var account = Drop.Fresh("alice");
        var layout = Layout.Small("read", "v1");
        await (await RegistryClient.ForAsync(Host, account)).PushAsync($"{account}/app", layout);
        var (_, token) = await Host.Tokens.CreateAsync(
            account,
            null,
            TestContext.Current.CancellationToken,
            readOnly: true
        );
        var client = new RegistryClient(Host.Http, RegistryClient.Basic(account, token));

        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"/v2/{account}/app/manifests/v1")).Status);
        Is(HttpStatusCode.Forbidden, "DENIED", await client.SendAsync("POST", $"/v2/{account}/app/blobs/uploads/"));
        Is(
            HttpStatusCode.Forbidden,
            "DENIED",
            await client.PutManifestAsync($"{account}/app", "v2", layout.Files[Layout.PathOf(layout.FirstImage)])
        );
        Is(HttpStatusCode.Forbidden, "DENIED", await client.SendAsync("DELETE", $"/v2/{account}/app/manifests/v1"));
    }

    private static string DigestOfPath(string path) => path["blobs/".Length..].Replace('/', ':');
}
