using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CliWrap;
using CliWrap.Buffered;
using ImagesFunctions.Accounts;
using ImagesFunctions.Local;
using ImagesFunctions.Tests.Local;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Accounts;

/// <summary>Tokens of an issuer that an account trusts, by a real issuer on this machine.</summary>
public sealed class TrustContract(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private const string Anybody = "00000000-0000-0000-0000-000000000000";

    private readonly string _account = Drop.Fresh("alice");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_that_a_rule_is_about_pushes_pulls_and_lists_as_bearer_and_as_password_of_anybody()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await TrustAsync(issuer, "push", "web/**");
        var token = issuer.Token(issuer.Claims());
        var layout = Layout.Small($"trusted {_account}", "latest");
        await new RegistryClient(Host.Http, RegistryClient.Basic(Anybody, token)).PushAsync($"{_account}/web", layout);

        foreach (
            var header in new[]
            {
                $"Bearer {token}",
                RegistryClient.Basic(_account, token),
                RegistryClient.Basic("x", token),
            }
        )
        {
            var client = new RegistryClient(Host.Http, header);
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v2/")).Status);
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"/v2/{_account}/web/manifests/latest")).Status);
            var denied = await client.SendAsync("DELETE", $"/v2/{_account}/web/manifests/latest");
            Assert.Equal((HttpStatusCode.Forbidden, "DENIED"), (denied.Status, denied.Code));
        }

        Assert.Equal(
            [$"{_account}/web@{layout.FirstImage}"],
            (await Host.ListAsync(token, $"namespace={_account}")).Digests
        );
    }

    [Fact]
    public async Task Every_algorithm_of_RSA_and_elliptic_keys_is_accepted()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await TrustAsync(issuer, "pull");

        foreach (var algorithm in new[] { "RS256", "RS384", "RS512", "PS256", "PS384", "PS512" })
        {
            Assert.Equal(HttpStatusCode.OK, (await BaseAsync(issuer.Token(issuer.Claims(), algorithm))).Status);
        }

        var elliptic = TestIssuer.Token(
            issuer.Claims(),
            new JsonObject { ["alg"] = "ES256", ["kid"] = "elliptic" },
            bytes => issuer.Elliptic.SignData(bytes, HashAlgorithmName.SHA256)
        );
        Assert.Equal(HttpStatusCode.OK, (await BaseAsync(elliptic)).Status);
        // Some issuers do not say which key.
        var nameless = TestIssuer.Token(issuer.Claims(), new JsonObject { ["alg"] = "RS256" }, issuer.Rs("RS256"));
        Assert.Equal(HttpStatusCode.OK, (await BaseAsync(nameless)).Status);
    }

    [Fact]
    public async Task A_rule_that_is_removed_ends_at_the_next_request()
    {
        await using var issuer = await TestIssuer.StartAsync();
        var rule = await TrustAsync(issuer, "pull");
        var token = issuer.Token(issuer.Claims());
        Assert.Equal(HttpStatusCode.OK, (await BaseAsync(token)).Status);

        Assert.False(await Rules.RemoveAsync(Drop.Fresh("bob"), rule.Id, Stop));
        Assert.True(await Rules.RemoveAsync(_account, rule.Id, Stop));

        Assert.Equal(HttpStatusCode.Unauthorized, (await BaseAsync(token)).Status);
        Assert.Empty(await Rules.ListAsync(_account, Stop));
        Assert.False(await Rules.RemoveAsync(_account, rule.Id, Stop));
    }

    [Fact]
    public async Task Of_several_accounts_the_one_that_the_request_names_counts_and_without_a_name_it_is_400()
    {
        await using var issuer = await TestIssuer.StartAsync();
        var (bob, carol) = (Drop.Fresh("bob"), Drop.Fresh("carol"));
        await TrustAsync(issuer, "push");
        await TrustAsync(issuer, "pull", account: bob);
        await TrustAsync(issuer, "push", account: carol, subject: "somebody else");
        var token = issuer.Token(issuer.Claims());

        foreach (var account in new[] { _account, bob })
        {
            Assert.Equal(HttpStatusCode.OK, (await BaseAsync(token, account)).Status);
            var status = (await SendAsync("POST", $"/v2/{account}/web/blobs/uploads/")).Status;
            Assert.Equal(account == bob ? HttpStatusCode.Forbidden : HttpStatusCode.Accepted, status);
            Assert.Equal(HttpStatusCode.OK, (await Host.ListAsync(token, $"namespace={account}")).Status);
        }

        foreach (var nobody in new[] { Anybody, carol })
        {
            var several = await BaseAsync(token, nobody);
            Assert.Equal(HttpStatusCode.BadRequest, several.Status);
            Assert.Contains("namespace", several.Text, StringComparison.Ordinal);
        }

        Assert.Equal(HttpStatusCode.BadRequest, (await Host.ListAsync(token)).Status);
        // Whose rules are not met is nobody's business: of one account that is left, it is that one's token.
        var other = issuer.Token(issuer.Claims("somebody else"));
        Assert.Equal(HttpStatusCode.OK, (await BaseAsync(other, bob)).Status);
        Assert.Equal(
            HttpStatusCode.Forbidden,
            (
                await new RegistryClient(Host.Http, $"Bearer {other}").SendAsync(
                    "POST",
                    $"/v2/{bob}/web/blobs/uploads/"
                )
            ).Status
        );

        Task<Reply> SendAsync(string method, string path) =>
            new RegistryClient(Host.Http, $"Bearer {token}").SendAsync(method, path);
    }

    [Fact]
    public async Task Further_claims_have_to_be_there_and_rules_of_an_account_add_up()
    {
        await using var issuer = await TestIssuer.StartAsync();
        var claims = new Dictionary<string, string>(StringComparer.Ordinal) { ["oid"] = "42", ["groups"] = "builders" };
        await Rules.AddAsync(
            _account,
            new TrustCondition(issuer.Issuer, "images", null, claims),
            Grant.Parse("push", ["api"]),
            Stop
        );
        await TrustAsync(issuer, "pull");
        JsonObject Claims(params string[] groups) =>
            With(
                issuer,
                c => (c["oid"], c["groups"]) = (42, new JsonArray([.. groups.Select(g => JsonValue.Create(g))]))
            );

        Assert.Equal(HttpStatusCode.Accepted, await PushAsync(issuer.Token(Claims("readers", "builders")), "api"));
        Assert.Equal(HttpStatusCode.Forbidden, await PushAsync(issuer.Token(Claims("readers", "builders")), "web"));
        Assert.Equal(HttpStatusCode.Forbidden, await PushAsync(issuer.Token(Claims("readers")), "api"));

        async Task<HttpStatusCode> PushAsync(string token, string app) =>
            (
                await new RegistryClient(Host.Http, $"Bearer {token}").SendAsync(
                    "POST",
                    $"/v2/{_account}/{app}/blobs/uploads/"
                )
            ).Status;
    }

    [Fact]
    public async Task An_issuer_of_no_rule_is_never_asked()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var other = await TestIssuer.StartAsync();
        await TrustAsync(issuer, "pull");
        var asked = false;
        other.Instead = _ =>
        {
            asked = true;
            return Task.CompletedTask;
        };

        Assert.Equal(HttpStatusCode.Unauthorized, (await BaseAsync(other.Token(other.Claims()))).Status);

        Assert.False(asked);
    }

    [Fact]
    public async Task While_no_key_is_known_it_is_503_and_once_they_are_known_they_go_on_without_the_issuer()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var down = await TestIssuer.StartAsync();
        await TrustAsync(issuer, "pull");
        await TrustAsync(down, "pull");
        down.Instead = Answer(500);
        Assert.Equal(HttpStatusCode.OK, (await BaseAsync(issuer.Token(issuer.Claims()))).Status);
        issuer.Instead = Answer(500);

        var unavailable = await BaseAsync(down.Token(down.Claims()));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "UNAVAILABLE"), (unavailable.Status, unavailable.Code));
        Assert.NotNull(unavailable["Retry-After"]);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await Host.ListAsync(down.Token(down.Claims()))).Status);
        Assert.Equal(HttpStatusCode.OK, (await BaseAsync(issuer.Token(issuer.Claims()))).Status);
        issuer.Rotate();
        Assert.Equal(HttpStatusCode.Unauthorized, (await BaseAsync(issuer.Token(issuer.Claims()))).Status);

        static Func<Microsoft.AspNetCore.Http.HttpContext, Task> Answer(int status) =>
            context =>
            {
                context.Response.StatusCode = status;
                return Task.CompletedTask;
            };
    }

    [Theory]
    [InlineData("http://issuer.example")]
    [InlineData("https://issuer.example/?a=b")]
    [InlineData("https://me@issuer.example")]
    [InlineData("ftp://127.0.0.1/")]
    [InlineData("issuer.example")]
    public async Task What_may_not_be_asked_is_no_issuer(string issuer) =>
        await Assert.ThrowsAsync<FormatException>(() =>
            Rules.AddAsync(_account, new TrustCondition(issuer, "images", "me", Empty), Grant.Pull, Stop)
        );

    [Fact]
    public async Task A_rule_without_subject_and_claim_would_be_about_everybody_and_is_refused() =>
        await Assert.ThrowsAsync<FormatException>(() =>
            Rules.AddAsync(
                _account,
                new TrustCondition("https://issuer.example", "images", null, Empty),
                Grant.Pull,
                Stop
            )
        );

    [Fact]
    public async Task Skopeo_logs_in_with_a_token_as_its_password()
    {
        Assert.SkipWhen(Places.Program("skopeo") is null, "skopeo is not there");
        await using var issuer = await TestIssuer.StartAsync();
        await TrustAsync(issuer, "push", "web");
        using var folder = new TemporaryFolder();
        Layout.Small($"skopeo {_account}", "v1").WriteTo(Path.Combine(folder.Path, "layout"));
        var (registry, auth) = (Host.Http.BaseAddress!.Authority, Path.Combine(folder.Path, "auth.json"));
        string[] login =
        [
            "login",
            "--tls-verify=false",
            "--authfile",
            auth,
            "-u",
            Anybody,
            "--password-stdin",
            registry,
        ];

        await SkopeoAsync(login, issuer.Token(issuer.Claims()));
        string[] copy = ["copy", "--dest-tls-verify=false", "--authfile", auth, $"oci:{folder.Path}/layout:v1"];
        await SkopeoAsync([.. copy, $"docker://{registry}/{_account}/web:v1"], "");

        var token = await Host.TokenForAsync(_account);
        Assert.Single((await Host.ListAsync(token, $"namespace={_account}/web")).Images);

        static async Task SkopeoAsync(string[] arguments, string input)
        {
            await using var words = new MemoryStream(Encoding.ASCII.GetBytes(input));
            await Cli.Wrap(Places.Program("skopeo")!)
                .WithArguments(arguments)
                .WithStandardInputPipe(PipeSource.FromStream(words))
                .ExecuteBufferedAsync(Stop);
        }
    }

    private static Dictionary<string, string> Empty => new Dictionary<string, string>(StringComparer.Ordinal);

    private TrustRules Rules => Host.Trust;

    private Task<TrustRule> TrustAsync(
        TestIssuer issuer,
        string allow,
        string? repository = null,
        string? account = null,
        string subject = "repo:acme/*:ref:refs/heads/main"
    ) =>
        Rules.AddAsync(
            account ?? _account,
            new TrustCondition(issuer.Issuer, "images", subject, Empty),
            Grant.Parse(allow, repository is null ? [] : [repository]),
            Stop
        );

    private Task<Reply> BaseAsync(string password, string? user = null) =>
        new RegistryClient(Host.Http, RegistryClient.Basic(user ?? Anybody, password)).GetAsync("/v2/");

    private static JsonObject With(TestIssuer issuer, Action<JsonObject> change)
    {
        var claims = issuer.Claims();
        change(claims);
        return claims;
    }
}
