using System.Net;
using ImagesFunctions.Accounts;
using ImagesFunctions.Tests.Accounts;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Pages;

/// <summary>The page of tokens and trust rules, and what its forms do.</summary>
public sealed class TokensAndTrust(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private const string Page = "/browse/tokens";
    private const string Trust = "/browse/tokens/trust";
    private const string Remove = "/browse/tokens/trust/remove";

    private readonly string _account = Drop.Fresh("alice");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_is_made_shown_once_and_revoked()
    {
        using var client = await SignedInAsync();

        var made = await client.SubmitAsync(
            Page,
            Page,
            ("allow", "pull"),
            ("repositories", "web team/**"),
            ("label", "CI of web"),
            ("days", "7")
        );

        Assert.Equal(HttpStatusCode.OK, made.Status);
        var page = WebUtility.HtmlDecode(made.Text);
        var text = page.Split("It is shown only this once")[1].Split("<code>")[1].Split("</code>")[0];
        var tokens = await Host.Tokens.ListAsync(_account, Stop).ToListAsync(Stop);
        var token = Assert.Single(tokens, t => t.Grant?.Repositories.Count > 0);
        Assert.Equal(("pull", "web team/**"), (token.Grant!.Allow, token.Grant.RepositoriesText));
        Assert.Equal("CI of web", token.Label);
        Assert.Equal(7, (token.Expires!.Value - token.Created).TotalDays, tolerance: 0.01);
        var listed = await client.PageAsync(Page);
        Assert.DoesNotContain(text, listed, StringComparison.Ordinal);
        Assert.Contains("CI of web", listed, StringComparison.Ordinal);
        using var scoped = await PageClient.SignedInAsync(Host, text);
        Assert.DoesNotContain("/browse/tokens", await scoped.PageAsync("/browse"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await scoped.GetAsync("/browse/tokens")).Status);

        var revoked = await client.SubmitAsync("/browse/tokens", "/browse/tokens/revoke", ("id", token.Id));
        Assert.Equal(HttpStatusCode.SeeOther, revoked.Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await scoped.GetAsync("/browse")).Status);
    }

    [Theory]
    [InlineData("", "7")]
    [InlineData("everything", "7")]
    [InlineData("pull", "soon")]
    public async Task A_token_that_cannot_be_is_not_made(string allow, string days)
    {
        using var client = await SignedInAsync();

        var reply = await client.SubmitAsync(Page, Page, ("allow", allow), ("days", days));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, reply.Status);
        Assert.Contains("No token was made", reply.Text, StringComparison.Ordinal);
        Assert.Single(await Host.Tokens.ListAsync(_account, Stop).ToListAsync(Stop));
    }

    [Fact]
    public async Task Rules_are_listed_made_for_issuers_that_are_trusted_already_and_removed()
    {
        await using var issuer = await TestIssuer.StartAsync();
        using var client = await SignedInAsync();
        Assert.Contains("trusts no issuer", await client.PageAsync(Page), StringComparison.Ordinal);
        var rule = await TrustAsync(issuer);

        var made = await client.SubmitAsync(
            Page,
            Trust,
            ("issuer", issuer.Issuer),
            ("audience", "images"),
            ("subject", "repo:acme/web:ref:refs/heads/*"),
            ("claims", "oid=1\r\n\r\ngroups=a=b\n"),
            ("allow", "push"),
            ("allow", "pull"),
            ("repositories", "web")
        );

        Assert.Equal((HttpStatusCode.SeeOther, Page), (made.Status, made["Location"]));
        var added = Assert.Single(await Host.Trust.ListAsync(_account, Stop), r => r.Id != rule.Id);
        Assert.Equal(
            (issuer.Issuer, "images", "repo:acme/web:ref:refs/heads/*", "groups=a=b oid=1", "pull,push", "web"),
            (
                added.Condition.Issuer,
                added.Condition.Audience,
                added.Condition.Subject,
                string.Join(
                    ' ',
                    added.Condition.Claims.Select(c => $"{c.Key}={c.Value}").Order(StringComparer.Ordinal)
                ),
                added.Grant.Allow,
                added.Grant.RepositoriesText
            )
        );
        var page = await client.PageAsync(Page);
        Assert.Contains(">groups=a=b<", page, StringComparison.Ordinal);
        Assert.Contains(">sub=repo:acme/web:ref:refs/heads/*<", page, StringComparison.Ordinal);

        var removed = await client.SubmitAsync(Page, Remove, ("id", rule.Id));
        Assert.Equal(HttpStatusCode.SeeOther, removed.Status);
        Assert.Equal([added.Id], (await Host.Trust.ListAsync(_account, Stop)).Select(r => r.Id));
        Assert.Equal(HttpStatusCode.NotFound, (await client.SubmitAsync(Page, Remove, ("id", rule.Id))).Status);
    }

    /// <summary>An issuer is asked for its keys: whom, is the operator's to say.</summary>
    [Theory]
    [InlineData("https://issuer.example.com", "images", "a", "", "pull", "no rule of the account names yet")]
    [InlineData("", "", "a", "", "pull", "1 to 1024 characters")]
    [InlineData("", "images", "", "", "pull", "a rule needs a subject or a claim")]
    [InlineData("", "images", "", "oid", "pull", "is no claim")]
    [InlineData("", "images", "", "oid=1\noid=2", "pull", "named twice")]
    [InlineData("", "images", "a", "", "", "choose at least one right")]
    public async Task A_rule_that_cannot_be_is_not_made(
        string other,
        string audience,
        string subject,
        string claims,
        string allow,
        string says
    )
    {
        await using var issuer = await TestIssuer.StartAsync();
        using var client = await SignedInAsync();
        var rule = await TrustAsync(issuer);

        var reply = await client.SubmitAsync(
            Page,
            Trust,
            ("issuer", other.Length > 0 ? other : issuer.Issuer),
            ("audience", audience),
            ("subject", subject),
            ("claims", claims),
            ("allow", allow)
        );

        Assert.Equal(HttpStatusCode.UnprocessableEntity, reply.Status);
        Assert.Contains(says, WebUtility.HtmlDecode(reply.Text), StringComparison.Ordinal);
        Assert.Equal([rule.Id], (await Host.Trust.ListAsync(_account, Stop)).Select(r => r.Id));
    }

    [Fact]
    public async Task Rules_of_another_account_are_neither_shown_nor_removed_nor_lend_their_issuer()
    {
        await using var issuer = await TestIssuer.StartAsync();
        var rule = await TrustAsync(issuer);
        var bob = Drop.Fresh("bob");
        using var client = await PageClient.SignedInAsync(Host, await Host.TokenForAsync(bob));
        // A form of a page that has such forms: bob trusts another issuer.
        await Host.Trust.AddAsync(bob, Condition("http://127.0.0.1:9/bob"), Grant.Pull, Stop);

        var page = await client.PageAsync(Page);
        Assert.DoesNotContain(rule.Id, page, StringComparison.Ordinal);
        Assert.DoesNotContain(issuer.Issuer, page, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await client.SubmitAsync(Page, Remove, ("id", rule.Id))).Status);
        var made = await client.SubmitAsync(
            Page,
            Trust,
            ("issuer", issuer.Issuer),
            ("audience", "images"),
            ("subject", "a"),
            ("allow", "pull")
        );
        Assert.Equal(HttpStatusCode.UnprocessableEntity, made.Status);
        Assert.Equal([rule.Id], (await Host.Trust.ListAsync(_account, Stop)).Select(r => r.Id));
        Assert.Single(await Host.Trust.ListAsync(bob, Stop));
    }

    [Fact]
    public async Task Who_may_not_do_everything_changes_no_rule()
    {
        var grant = Grant.Parse("pull,push,delete,admin", ["web"]);
        var (_, text) = await Host.Tokens.CreateAsync(_account, lifetime: null, grant, Stop);
        using var client = await PageClient.SignedInAsync(Host, text);
        var rule = await Host.Trust.AddAsync(_account, Condition("http://127.0.0.1:9/alice"), Grant.Pull, Stop);

        foreach (var path in (string[])[Trust, Remove])
        {
            var reply = await client.SendAsync(path, [("id", rule.Id)], PageClient.SameSite);
            Assert.Equal(HttpStatusCode.Forbidden, reply.Status);
            Assert.Equal(HttpStatusCode.MethodNotAllowed, (await client.GetAsync(path)).Status);
        }

        Assert.Single(await Host.Trust.ListAsync(_account, Stop));
    }

    /// <summary>Accounts share what is read for an issuer's tokens: none may make that long, not by many requests at once either.</summary>
    [Fact]
    public async Task An_account_cannot_make_very_many_rules()
    {
        var rules = Host.Trust;
        const string issuer = "http://127.0.0.1:9/many";
        for (var i = 0; i < TrustRules.MaxOfHolders - 2; i++)
        {
            await rules.AddAsync(_account, Condition(issuer), Grant.Pull, Stop);
        }

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => TryAsync()));

        Assert.InRange((await rules.ListAsync(_account, Stop)).Count, 90, TrustRules.MaxOfHolders);
        while (await TryAsync()) { }

        Assert.Equal(TrustRules.MaxOfHolders, (await rules.ListAsync(_account, Stop)).Count);

        async Task<bool> TryAsync()
        {
            try
            {
                await rules.AddOfHolderAsync(_account, Condition(issuer), Grant.Pull, Stop);
                return true;
            }
            catch (FormatException error)
            {
                Assert.Contains("which is the maximum", error.Message, StringComparison.Ordinal);
                return false;
            }
        }
    }

    private Task<TrustRule> TrustAsync(TestIssuer issuer) =>
        Host.Trust.AddAsync(_account, Condition(issuer.Issuer), Grant.Pull, Stop);

    private static TrustCondition Condition(string issuer) =>
        new(issuer, "images", "repo:acme/*", new Dictionary<string, string>(StringComparer.Ordinal));

    private async Task<PageClient> SignedInAsync() =>
        await PageClient.SignedInAsync(Host, await Host.TokenForAsync(_account));
}
