using System.Net;
using ImagesFunctions.Accounts;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using ImagesFunctions.Policy;
using ImagesFunctions.Repositories;
using ImagesFunctions.Tests.Registry;
using Reply = ImagesFunctions.Tests.Registry.Reply;

namespace ImagesFunctions.Tests.Pages;

/// <summary>The page of what an account takes and of its rules, and what its form does.</summary>
public sealed class UsageAndRules(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private const string Page = "/browse/usage";
    private const string Immutable = """{"immutable":[{"repositories":["web"],"tags":["v*"]}]}""";

    private readonly string _account = Drop.Fresh("alice");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_shows_what_the_last_collection_has_left_the_largest_first()
    {
        using var client = await SignedInAsync();
        Assert.Contains("added up by the first collection", await client.PageAsync(Page), StringComparison.Ordinal);
        await new UsageReports(Host.Storage).WriteAsync(
            _account,
            new AccountUsage(
                DateTimeOffset.UtcNow.AddHours(-2),
                [new RepositoryUsage("api", 1_024, 2, 1, 1), new RepositoryUsage("web/shop", 3 * 1_048_576, 9, 3, 1)]
            ),
            Stop
        );

        var page = await client.PageAsync(Page);

        Assert.Contains("3.00 MiB in 11 blobs", page, StringComparison.Ordinal);
        Assert.Contains("4 images and 2 tags", Words(page), StringComparison.Ordinal);
        Assert.Contains("2 h ago", page, StringComparison.Ordinal);
        var (large, small) = (
            page.IndexOf($">{_account}/web/shop<", StringComparison.Ordinal),
            page.IndexOf($">{_account}/api<", StringComparison.Ordinal)
        );
        Assert.InRange(large, 0, small);
        Assert.Contains("""width="1000" """, page, StringComparison.Ordinal);
        Assert.Contains("""width="0.3" """, page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_shows_the_quota_and_what_the_account_takes_now()
    {
        using var client = await SignedInAsync();
        Assert.DoesNotContain("may store", await client.PageAsync(Page), StringComparison.Ordinal);
        await new Quotas(new RowStore(Host.Storage), Host.Storage).SetAsync(_account, 5 * 1_048_576, Stop);

        Assert.Contains(
            "The account may store 5.00 MiB, and stores 0 bytes now: the operator has set that.",
            Words(await client.PageAsync(Page)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Rules_are_tried_and_then_set()
    {
        var registry = await RegistryClient.ForAsync(Host, _account);
        await registry.PushAsync($"{_account}/web", Layout.Small("one", "v1"));
        using var client = await SignedInAsync();
        Assert.Contains("/browse/usage", await client.PageAsync("/browse"), StringComparison.Ordinal);

        var tried = await SubmitAsync(client, "try", Immutable);

        Assert.Equal(HttpStatusCode.OK, tried.Status);
        Assert.Contains("1 tag could not be moved or deleted any more", Words(tried.Text), StringComparison.Ordinal);
        Assert.Contains("No image would go", tried.Text, StringComparison.Ordinal);
        Assert.Contains("<code class=\"word\">web:v1</code>", tried.Text, StringComparison.Ordinal);
        Assert.Contains(Immutable, WebUtility.HtmlDecode(tried.Text), StringComparison.Ordinal);
        Assert.Contains(">{}</textarea>", await client.PageAsync(Page), StringComparison.Ordinal);

        var set = await SubmitAsync(client, "set", Immutable);

        Assert.Equal((HttpStatusCode.SeeOther, Page), (set.Status, set["Location"]));
        var page = await client.PageAsync(Page);
        Assert.Contains("\"v*\"", RulesOf(page), StringComparison.Ordinal);
        Assert.Contains("Set <time", Words(page), StringComparison.Ordinal);
        Assert.Equal(
            HttpStatusCode.Forbidden,
            (await registry.SendAsync("DELETE", $"/v2/{_account}/web/manifests/v1")).Status
        );
        Assert.Equal(HttpStatusCode.SeeOther, (await SubmitAsync(client, "set", "")).Status);
        Assert.EndsWith(">{}", RulesOf(await client.PageAsync(Page)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_example_is_one()
    {
        using var client = await SignedInAsync();
        var example = (await client.PageAsync(Page)).Split("An example of rules\">")[1].Split("</pre>")[0];

        var tried = await SubmitAsync(client, "try", example);

        Assert.Equal(HttpStatusCode.OK, tried.Status);
        Assert.Equal(2, AccountRules.Parse(example) is { Immutable.Count: var i, Retention.Count: var r } ? i + r : 0);
    }

    [Theory]
    [InlineData("not JSON", "the rules are no JSON")]
    [InlineData("""{"immutable":[{"repositories":["web"],"tag":["v*"]}]}""", "tag")]
    [InlineData("""{"retention":[{"repositories":["web"],"remove":{"not_pulled_for":"1"}}]}""", "not_pulled_for")]
    public async Task What_is_no_rule_is_neither_tried_nor_set_and_stays_in_the_form(string rules, string says)
    {
        using var client = await SignedInAsync();
        foreach (var what in (string[])["try", "set"])
        {
            var reply = await SubmitAsync(client, what, rules);
            var text = WebUtility.HtmlDecode(reply.Text);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, reply.Status);
            Assert.Contains(says, text.Split("role=\"alert\"")[1].Split("</p>")[0], StringComparison.Ordinal);
            Assert.Contains($">{rules}</textarea>", text, StringComparison.Ordinal);
        }

        Assert.Null(await Host.Rules.GetAsync(_account, Stop));
    }

    [Fact]
    public async Task Rules_that_somebody_else_has_set_meanwhile_stay()
    {
        using var client = await SignedInAsync();
        var before = await client.PageAsync(Page);
        await Host.Rules.SetAsync(_account, AccountRules.Parse(Immutable), by: null, Stop);

        var reply = await client.SendAsync(
            Page,
            [("proof", PageClient.ProofIn(before, Page)), ("version", "none"), ("what", "set"), ("rules", "{}")],
            PageClient.SameSite
        );

        Assert.Equal(HttpStatusCode.UnprocessableEntity, reply.Status);
        Assert.Contains("by somebody else", reply.Text, StringComparison.Ordinal);
        Assert.False((await Host.Rules.GetAsync(_account, Stop))!.Rules.IsEmpty);
        Assert.Contains("by the operator", Words(await client.PageAsync(Page)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pull,push,delete", "")]
    [InlineData("admin", "web")]
    public async Task Who_has_no_admin_on_all_repositories_sees_and_changes_nothing(string allow, string repositories)
    {
        string[] patterns = repositories.Length > 0 ? [repositories] : [];
        var (_, token) = await Host.Tokens.CreateAsync(_account, null, Grant.Parse(allow, patterns), Stop);
        using var client = await PageClient.SignedInAsync(Host, token);

        Assert.DoesNotContain("/browse/usage", await client.PageAsync("/browse"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await client.GetAsync(Page)).Status);
        var sent = await client.SendAsync(Page, [("what", "set"), ("rules", Immutable)], PageClient.SameSite);
        Assert.Equal(HttpStatusCode.Forbidden, sent.Status);
        Assert.Null(await Host.Rules.GetAsync(_account, Stop));
    }

    private static async Task<Reply> SubmitAsync(PageClient client, string what, string rules)
    {
        var version = (await client.PageAsync(Page)).Split("name=\"version\" value=\"")[1].Split('"')[0];
        return await client.SubmitAsync(Page, Page, ("version", version), ("rules", rules), ("what", what));
    }

    private static string RulesOf(string page) => page.Split("<textarea")[1].Split("</textarea>")[0];

    // With one blank for each run of them.
    private static string Words(string page) =>
        string.Join(' ', page.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private async Task<PageClient> SignedInAsync() =>
        await PageClient.SignedInAsync(Host, await Host.TokenForAsync(_account));
}
