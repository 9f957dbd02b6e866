using System.Net;
using System.Text.RegularExpressions;
using ImagesFunctions.Accounts;
using ImagesFunctions.Tests.Accounts;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Pages;

/// <summary>
/// The pages of a viewer who may not see everything: what it may not see is answered exactly like what does not exist. The account
/// has <c>web</c> and <c>secret</c>.
/// </summary>
public sealed partial class PagesOfTenants(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private const string Missing = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b800";

    private readonly string _account = Drop.Fresh("alice");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Another_accounts_addresses_are_as_if_nothing_were_there()
    {
        var hidden = await PushAsync();
        using var bob = await PageClient.SignedInAsync(Host, await Host.TokenForAsync(Drop.Fresh("bob")));

        await AsIfNothingWereThereAsync(bob, hidden);
        Assert.DoesNotContain(_account, await bob.PageAsync("/browse"), StringComparison.Ordinal);
        Assert.DoesNotContain(_account, await bob.PageAsync($"/browse?q={_account[..5]}"), StringComparison.Ordinal);
        Assert.DoesNotContain(_account, await bob.PageAsync("/browse/activity"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_of_some_repositories_shows_those_alone()
    {
        var hidden = await PushAsync();
        var grant = Grant.Parse("pull,push,delete,admin", ["web"]);
        var (_, token) = await Host.Tokens.CreateAsync(_account, lifetime: null, grant, Stop);
        using var client = await PageClient.SignedInAsync(Host, token);

        await SeesWebAloneAsync(client, hidden);
        // It may delete there, and there alone.
        Assert.Contains("Delete the image", await client.PageAsync($"/browse/image/{_account}/web:latest"));
    }

    [Fact]
    public async Task The_token_of_a_trusted_issuer_shows_what_its_rule_says()
    {
        var hidden = await PushAsync();
        await using var issuer = await TestIssuer.StartAsync();
        await Host.Trust.AddAsync(
            _account,
            new TrustCondition(
                issuer.Issuer,
                "images",
                "repo:acme/*:ref:refs/heads/main",
                new Dictionary<string, string>(StringComparer.Ordinal)
            ),
            Grant.Parse("pull", ["web"]),
            Stop
        );
        using var client = await PageClient.SignedInAsync(Host, issuer.Token(issuer.Claims()), _account);

        await SeesWebAloneAsync(client, hidden);
        Assert.DoesNotContain("Delete the image", await client.PageAsync($"/browse/image/{_account}/web:latest"));
        var delete = await client.GetAsync($"/browse/delete/{_account}/web:latest");
        Assert.Equal(HttpStatusCode.Forbidden, delete.Status);
    }

    private async Task SeesWebAloneAsync(PageClient client, string hidden)
    {
        await AsIfNothingWereThereAsync(client, hidden);
        foreach (var path in (string[])["/browse", "/browse?q=secret", "/browse/problems", "/browse/activity"])
        {
            var page = await client.PageAsync(path);
            Assert.DoesNotContain("/secret", page, StringComparison.Ordinal);
            Assert.DoesNotContain(hidden, page, StringComparison.Ordinal);
        }

        Assert.Contains($">{_account}/web<", await client.PageAsync("/browse"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await client.GetAsync("/browse/tokens")).Status);
    }

    private async Task AsIfNothingWereThereAsync(PageClient client, string hidden)
    {
        foreach (
            var path in new[]
            {
                "/browse/repository/{account}/{app}",
                "/browse/repository/{account}/{app}?deleted=1",
                "/browse/image/{account}/{app}:latest",
                "/browse/image/{account}/{app}@{digest}",
                "/browse/delete/{account}/{app}:latest",
                "/browse/delete/{account}/{app}@{digest}",
            }
        )
        {
            var theirs = await client.GetAsync(Named(path, "secret", hidden));
            var none = await client.GetAsync(Named(path, "nobody", Missing));
            Assert.Equal(HttpStatusCode.NotFound, theirs.Status);
            Assert.Equal(Plain(none.Text), Plain(theirs.Text));

            var posted = await client.SendAsync(Named(path, "secret", hidden), [], PageClient.SameSite);
            var nobody = await client.SendAsync(Named(path, "nobody", Missing), [], PageClient.SameSite);
            Assert.Equal((nobody.Status, Plain(nobody.Text)), (posted.Status, Plain(posted.Text)));
        }
    }

    private string Named(string path, string app, string digest) =>
        path.Replace("{account}", _account, StringComparison.Ordinal)
            .Replace("{app}", app, StringComparison.Ordinal)
            .Replace("{digest}", digest, StringComparison.Ordinal);

    // A proof is of its session, and the same on each page of it.
    private static string Plain(string page) => Proof().Replace(page, "");

    private async Task<string> PushAsync()
    {
        var registry = await RegistryClient.ForAsync(Host, _account);
        await registry.PushAsync($"{_account}/web", Layout.Small("shown" + _account, "latest"));
        var hidden = Layout.Small("hidden" + _account, "latest");
        await registry.PushAsync($"{_account}/secret", hidden);
        return hidden.FirstImage;
    }

    [GeneratedRegex("[0-9a-f]{64}", RegexOptions.NonBacktracking)]
    private static partial Regex Proof();
}
