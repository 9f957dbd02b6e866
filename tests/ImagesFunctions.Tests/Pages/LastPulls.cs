using System.Net;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Pages;

/// <summary>When images were pulled last, on their pages.</summary>
public sealed class LastPulls(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private readonly string _account = Drop.Fresh("alice");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Of an official image nobody else is told.</summary>
    [Fact]
    public async Task The_day_of_the_last_pull_is_shown_to_the_account_where_its_rules_count_pulls()
    {
        const string Counts = """{"retention":[{"repositories":["none"],"remove":{"not_pulled_for":"900d"}}]}""";
        var (app, today) = (_account[^8..], $"<time datetime=\"{DateTime.UtcNow:yyyy-MM-dd}\">");
        using var own = await PageClient.SignedInAsync(Host, await Host.TokenForAsync(_account));
        using var operators = await PageClient.SignedInAsync(Host, await Host.TokenForAsync("official"));
        var (alice, official) = (
            await RegistryClient.ForAsync(Host, _account),
            await RegistryClient.ForAsync(Host, "official")
        );
        await alice.PushAsync($"{_account}/{app}", Layout.Small("one" + _account, "v1"));
        await official.PushAsync($"official/{app}", Layout.Small("one" + _account, "v1"));
        await alice.GetAsync($"/v2/{_account}/{app}/manifests/v1");
        Assert.False(await IsShownAsync(own, $"{_account}/{app}"));
        await Host.Rules.SetAsync(_account, AccountRules.Parse(Counts), by: null, Stop);
        await Host.Rules.SetAsync("official", AccountRules.Parse(Counts), by: null, Stop);
        Assert.False(await IsShownAsync(own, $"{_account}/{app}"));

        Assert.Equal(HttpStatusCode.OK, (await alice.GetAsync($"/v2/{_account}/{app}/manifests/v1")).Status);
        Assert.Equal(HttpStatusCode.OK, (await alice.GetAsync($"/v2/{app}/manifests/v1")).Status);

        Assert.True(await IsShownAsync(own, $"{_account}/{app}"));
        Assert.True(await IsShownAsync(operators, app));
        Assert.False(await IsShownAsync(own, app));
        await Host.Rules.SetAsync("official", AccountRules.None, by: null, Stop);
        Assert.False(await IsShownAsync(operators, app));

        async Task<bool> IsShownAsync(PageClient client, string name)
        {
            var image = await client.PageAsync($"/browse/image/{name}:v1");
            var repository = await client.PageAsync($"/browse/repository/{name}");
            var isShown = image.Contains("Last pulled", StringComparison.Ordinal);
            Assert.Equal(isShown, image.Contains(today, StringComparison.Ordinal));
            Assert.Equal(isShown, repository.Contains("last pulled", StringComparison.Ordinal));
            Assert.Equal(isShown, repository.Contains(today, StringComparison.Ordinal));
            return isShown;
        }
    }
}
