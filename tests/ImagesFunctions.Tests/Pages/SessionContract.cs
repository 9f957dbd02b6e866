using System.Net;
using ImagesFunctions.Pages;
using ImagesFunctions.Tests.Faults;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Pages;

/// <summary>Signing in to the pages and out, what a session is, and what no other site can do with it.</summary>
public sealed class SessionContract(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private readonly string _account = Drop.Fresh("alice");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_token_is_kept_in_a_cookie_that_no_script_and_no_other_site_gets()
    {
        using var client = new PageClient(Host);

        var reply = await client.SignInAsync(await Host.TokenForAsync(_account));

        Assert.Equal((HttpStatusCode.SeeOther, "/browse"), (reply.Status, reply["Location"]));
        var said = reply["Set-Cookie"]!.Split("; ");
        Assert.StartsWith("images-session=", said[0], StringComparison.Ordinal);
        Assert.Equal(["httponly", "path=/browse", "samesite=strict"], said.Skip(1).Order(StringComparer.Ordinal));
        Assert.Contains(_account, await client.PageAsync("/browse"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Under_a_public_name_the_cookie_goes_over_TLS_alone()
    {
        await using var node = new Node(
            ImagesFunctions.Storage.StorageAccount.From(await ConfigurationAsync()),
            ("PublicHost", "images.example.com")
        );
        var (_, token) = await node.Services.GetRequiredService<ImagesApp>().Tokens.CreateAsync(_account, null, Stop);
        var context = new DefaultHttpContext { RequestServices = node.Services };
        context.Request.Method = "POST";
        context.Request.Scheme = "http";
        context.Request.Host = new HostString("127.0.0.1:8080");
        context.Request.Path = "/browse/sign-in";
        context.Request.ContentType = "application/x-www-form-urlencoded";
        context.Request.Headers["Sec-Fetch-Site"] = "same-origin";
        context.Request.Body = new MemoryStream(
            System.Text.Encoding.UTF8.GetBytes($"token={Uri.EscapeDataString(token)}")
        );

        await node.Services.GetRequiredService<ImagesApp>().HandleAsync(context);

        Assert.Equal(StatusCodes.Status303SeeOther, context.Response.StatusCode);
        Assert.Contains("; secure;", context.Response.Headers.SetCookie.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_is_not_taken_where_it_can_be_read_on_the_way()
    {
        using var client = new PageClient(Host);
        var token = await Host.TokenForAsync(_account);

        var reply = await client.SendAsync(
            "/browse/sign-in",
            [("token", token)],
            ("Host", "images.example.com"),
            ("Origin", "http://images.example.com")
        );

        Assert.Equal(HttpStatusCode.UnprocessableEntity, reply.Status);
        Assert.Null(reply["Set-Cookie"]);
        Assert.Contains("TLS", reply.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "Enter a token")]
    [InlineData("nonsense", "not valid here")]
    [InlineData("not a token", "no token")]
    public async Task What_is_no_valid_token_begins_no_session(string token, string says)
    {
        using var client = new PageClient(Host);

        var reply = await client.SignInAsync(token);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, reply.Status);
        Assert.Null(reply["Set-Cookie"]);
        Assert.Contains(says, reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_no_browser_would_keep_is_refused()
    {
        using var client = new PageClient(Host);

        var reply = await client.SignInAsync(new string('a', (3 * 1024) + 1));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, reply.Status);
        Assert.Contains("too long", reply.Text, StringComparison.Ordinal);
        var most = await client.SignInAsync(new string('a', 3 * 1024));
        Assert.Contains("not valid here", most.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/browse")]
    [InlineData("/browse/problems")]
    [InlineData("/browse/repository/official/hello")]
    [InlineData("/browse/no/such/page")]
    public async Task Without_a_session_every_page_leads_to_the_one_to_sign_in_and_back(string path)
    {
        using var client = new PageClient(Host);

        var reply = await client.GetAsync(path + "?q=a%20b");

        Assert.Equal(HttpStatusCode.SeeOther, reply.Status);
        var signIn = reply["Location"]!;
        Assert.StartsWith("/browse/sign-in", signIn, StringComparison.Ordinal);
        Assert.Contains("Sign in", await client.PageAsync(signIn), StringComparison.Ordinal);
        var then = path == "/browse" ? "" : path + "?q=a%20b";
        Assert.Equal(
            then.Length > 0 ? then : "/browse",
            (await client.SignInAsync(await Host.TokenForAsync(_account), then: then))["Location"]
        );
    }

    [Theory]
    [InlineData("https://example.com/")]
    [InlineData("//example.com")]
    [InlineData("/browse.example.com")]
    [InlineData("/browse/\\example.com")]
    [InlineData("/v1/images")]
    public async Task No_link_leads_from_signing_in_to_anywhere_else(string then)
    {
        using var client = new PageClient(Host);

        var reply = await client.SignInAsync(await Host.TokenForAsync(_account), then: then);

        Assert.Equal((HttpStatusCode.SeeOther, "/browse"), (reply.Status, reply["Location"]));
    }

    [Fact]
    public async Task Signing_out_takes_the_cookie_away()
    {
        using var client = await PageClient.SignedInAsync(Host, await Host.TokenForAsync(_account));

        var reply = await client.SubmitAsync("/browse", "/browse/sign-out");

        Assert.Equal((HttpStatusCode.SeeOther, "/browse/sign-in"), (reply.Status, reply["Location"]));
        Assert.StartsWith("images-session=; expires=Thu, 01 Jan 1970", reply["Set-Cookie"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_revoked_token_ends_its_session_at_the_next_request()
    {
        var (token, text) = await Host.Tokens.CreateAsync(_account, lifetime: null, Stop);
        using var client = await PageClient.SignedInAsync(Host, text);
        await client.PageAsync("/browse");

        Assert.True(await Host.Tokens.RevokeAsync(_account, token.Id, Stop));

        var reply = await client.GetAsync("/browse");
        Assert.Equal((HttpStatusCode.SeeOther, "/browse/sign-in"), (reply.Status, reply["Location"]));
        Assert.StartsWith("images-session=;", reply["Set-Cookie"], StringComparison.Ordinal);
    }

    /// <summary>A proof that is right does not help where the browser says that another site asks.</summary>
    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Sec-Fetch-Site", "none")]
    [InlineData("Origin", "https://example.com")]
    [InlineData("Origin", "null")]
    [InlineData("X-Nothing", "said")]
    public async Task A_form_of_another_site_changes_nothing(string header, string value)
    {
        var (token, text) = await Host.Tokens.CreateAsync(_account, lifetime: null, Stop);
        using var client = await PageClient.SignedInAsync(Host, text);
        var proof = PageClient.ProofIn(await client.PageAsync("/browse/tokens"), "/browse/tokens/revoke");
        (string, string)[] fields = [("proof", proof), ("id", token.Id)];

        var reply = await client.SendAsync("/browse/tokens/revoke", fields, (header, value));

        Assert.Equal(HttpStatusCode.Forbidden, reply.Status);
        Assert.Contains(token.Id, await client.PageAsync("/browse/tokens"), StringComparison.Ordinal);
        // A browser that says no more than the origin is believed where it is this site's.
        var own = await client.SendAsync(
            "/browse/tokens/revoke",
            fields,
            ("Origin", Host.Http.BaseAddress!.GetLeftPart(UriPartial.Authority))
        );
        Assert.Equal(HttpStatusCode.SeeOther, own.Status);
    }

    [Fact]
    public async Task A_form_without_the_proof_of_its_own_session_and_address_changes_nothing()
    {
        var (token, text) = await Host.Tokens.CreateAsync(_account, lifetime: null, Stop);
        using var client = await PageClient.SignedInAsync(Host, text);
        using var other = await PageClient.SignedInAsync(Host, await Host.TokenForAsync(_account));
        const string revoke = "/browse/tokens/revoke";
        var page = await client.PageAsync("/browse/tokens");
        foreach (
            var proof in new[]
            {
                "",
                new string('0', 64),
                PageClient.ProofIn(page, "/browse/tokens"),
                PageClient.ProofIn(await other.PageAsync("/browse/tokens"), revoke),
            }
        )
        {
            var reply = await client.SendAsync(revoke, [("proof", proof), ("id", token.Id)], PageClient.SameSite);
            Assert.Equal(HttpStatusCode.Forbidden, reply.Status);
        }

        Assert.Contains(token.Id, await client.PageAsync("/browse/tokens"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/browse/tokens/revoke")]
    [InlineData("/browse/sign-out")]
    public async Task Nothing_changes_by_GET(string path)
    {
        using var client = await PageClient.SignedInAsync(Host, await Host.TokenForAsync(_account));

        var reply = await client.GetAsync(path);

        Assert.Equal((HttpStatusCode.MethodNotAllowed, "POST"), (reply.Status, reply["Allow"]));
        await client.PageAsync("/browse");
    }

    [Fact]
    public async Task Every_page_loads_its_own_files_alone_and_is_kept_nowhere()
    {
        using var client = new PageClient(Host);

        var reply = await client.GetAsync("/browse/sign-in");

        Assert.Equal(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            reply["Content-Security-Policy"]
        );
        Assert.Equal(("no-store", "no-referrer"), (reply["Cache-Control"], reply["Referrer-Policy"]));
        Assert.DoesNotMatch("(?i)https?:|[\"'(]//|\\sstyle=|\\son[a-z]+=", reply.Text);
        foreach (var file in (string[])[PageFiles.Style, PageFiles.Script, PageFiles.Icon])
        {
            Assert.Contains($"\"{file}\"", reply.Text, StringComparison.Ordinal);
            var asset = await client.GetAsync(file);
            Assert.Equal(
                (HttpStatusCode.OK, "public, max-age=31536000, immutable"),
                (asset.Status, asset["Cache-Control"])
            );
            Assert.NotEmpty(asset.Bytes);
        }

        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/browse/assets/browse.css")).Status);
    }

    private static async Task<Microsoft.Extensions.Configuration.IConfiguration> ConfigurationAsync()
    {
        var connection = await Storages.NewWithTablesAsync();
        return new Microsoft.Extensions.Configuration.ConfigurationManager { ["ImagesStorage"] = connection };
    }
}
