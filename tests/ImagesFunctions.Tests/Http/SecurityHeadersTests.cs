using ImagesFunctions.Local;
using ImagesFunctions.Tests.Operation;
using ImagesFunctions.Tests.Registry;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Http;

/// <summary>What every answer tells a browser.</summary>
public sealed class SecurityHeadersTests(KestrelFixture fixture) : AgainstAHost(fixture)
{
    [Theory]
    [InlineData("GET", "/v1/images/list")]
    [InlineData("HEAD", "/v1/images/list")]
    [InlineData("PUT", "/v1/images/list")]
    [InlineData("GET", "/v1/none")]
    [InlineData("GET", "/")]
    [InlineData("GET", "/v2/")]
    [InlineData("GET", "/v2/{account}/app/manifests/latest")]
    [InlineData("POST", "/v2/{account}/app/blobs/uploads/")]
    [InlineData("GET", "/healthz")]
    [InlineData("GET", "/openapi.json")]
    public async Task No_answer_may_be_run_framed_or_guessed_at(string method, string path)
    {
        var account = Drop.Fresh("headers");
        var known = await RegistryClient.ForAsync(Host, account);
        var nobody = new RegistryClient(Host.Http, null);
        foreach (var client in (RegistryClient[])[known, nobody])
        {
            var reply = await client.SendAsync(method, path.Replace("{account}", account));

            Assert.Equal("nosniff", reply["X-Content-Type-Options"]);
            Assert.Equal("default-src 'none'; frame-ancestors 'none'", reply["Content-Security-Policy"]);
            Assert.Equal("no-referrer", reply["Referrer-Policy"]);
            Assert.Null(reply["Strict-Transport-Security"]);
            Assert.Null(reply["Server"]);
        }
    }

    [Fact]
    public async Task A_blob_that_is_pulled_may_not_be_run_either()
    {
        var account = Drop.Fresh("headers");
        var client = await RegistryClient.ForAsync(Host, account);
        var digest = await client.PushBlobAsync($"{account}/page", "<script>alert(1)</script>"u8.ToArray());

        var reply = await client.GetAsync($"/v2/{account}/page/blobs/{digest}");

        Assert.Equal("nosniff", reply["X-Content-Type-Options"]);
        Assert.StartsWith("default-src 'none'", reply["Content-Security-Policy"]);
    }

    [Fact]
    public async Task The_page_has_a_policy_of_its_own()
    {
        var reply = await new RegistryClient(Host.Http, null).GetAsync("/docs");

        Assert.Contains("script-src 'self' 'nonce-", reply["Content-Security-Policy"]);
        Assert.Equal("nosniff", reply["X-Content-Type-Options"]);
        Assert.Equal("no-referrer", reply["Referrer-Policy"]);
    }

    [Theory]
    [InlineData("/v2/")]
    [InlineData("/v1/images/list")]
    [InlineData("/docs")]
    public async Task Where_it_came_by_https_it_is_to_come_so_always(string path)
    {
        using var certificate = SelfSigned.Certificate();
        await using var app = await PipelineAlone.StartAsync(
            PipelineAlone.NoStorage,
            "https",
            services =>
                services.Configure<KestrelServerOptions>(kestrel =>
                    kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = certificate)
                )
        );
        using var http = new HttpClient(SelfSigned.Trusting(certificate)) { BaseAddress = app.Address() };

        var reply = await new RegistryClient(http, null).GetAsync(path);

        Assert.Equal("max-age=31536000", reply["Strict-Transport-Security"]);
    }
}
