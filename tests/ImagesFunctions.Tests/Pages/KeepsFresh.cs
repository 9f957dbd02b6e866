using System.Collections.Concurrent;
using System.Net;
using ImagesFunctions.Tests.Registry;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ImagesFunctions.Tests.Pages;

/// <summary>A page that is looked at follows what changes. Time in the browser is the test's.</summary>
[TakesLong(seconds: 30)]
public sealed class KeepsFresh(KestrelFixture fixture, Chromium chromium)
    : AgainstAHost(fixture),
        IClassFixture<Chromium>
{
    private const int Minute = 60_000;

    private readonly string _account = Drop.Fresh("alice");
    private readonly ConcurrentQueue<int> _answers = new();

    private string Root => Host.Http.BaseAddress!.GetLeftPart(UriPartial.Authority);

    private string Repository => $"/browse/repository/{_account}/web";

    [Fact]
    public async Task A_page_that_the_client_has_is_not_sent_again()
    {
        using var client = await PageClient.SignedInAsync(Host, await Host.TokenForAsync(_account));
        var registry = await RegistryClient.ForAsync(Host, _account);
        await registry.PushAsync($"{_account}/web", Layout.Small("one" + _account, "v1"));
        // Pages say how long ago something was.
        var (etag, known) = ("", HttpStatusCode.OK);
        await Until.TrueAsync(
            async () =>
            {
                etag = (await client.GetAsync(Repository))["ETag"]!;
                known = (await client.GetAsync(Repository, ("If-None-Match", etag))).Status;
                return known == HttpStatusCode.NotModified;
            },
            () => Task.FromResult($"{etag}: {known}")
        );

        Assert.Matches("^W/\"[0-9a-f]{32}\"$", etag);
        await registry.PushAsync($"{_account}/web", Layout.Small("two" + _account, "v2"));
        var changed = await client.GetAsync(Repository, ("If-None-Match", etag));
        Assert.Equal(HttpStatusCode.OK, changed.Status);
        Assert.NotEqual(etag, changed["ETag"]);
        Assert.Equal("no-store", changed["Cache-Control"]);
        // A page that says what is wrong is not one that may be taken for known.
        Assert.Null((await client.GetAsync("/browse/no/such/page"))["ETag"]);
    }

    [Fact]
    public async Task What_is_pushed_meanwhile_appears_while_the_page_is_looked_at_and_nothing_that_is_typed_is_lost()
    {
        await using var context = await chromium.OpenAsync();
        var (page, registry) = await LooksAsync(context);
        await page.GotoAsync(Root + Repository);
        var search = page.GetByPlaceholder("Search in tags and digests");
        await search.FocusAsync();

        await registry.PushAsync($"{_account}/web", Layout.Small("two" + _account, "v2"));
        await page.Clock.FastForwardAsync(Minute);

        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "v2", Exact = true })).ToBeVisibleAsync();
        await Expect(search).ToBeFocusedAsync();
        // A search is what is asked for again from then on.
        await search.PressSequentiallyAsync("v1");
        await page.Clock.RunForAsync(1_000);
        await Expect(page).ToHaveURLAsync($"{Root}{Repository}?q=v1");
        await registry.PushAsync($"{_account}/web", Layout.Small("three" + _account, "v10", "v3"));
        await page.Clock.FastForwardAsync(Minute);
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "v10", Exact = true })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "v2", Exact = true })).ToHaveCountAsync(0);
        await Expect(search).ToHaveValueAsync("v1");
    }

    [Fact]
    public async Task What_is_open_or_has_the_focus_stays_so()
    {
        await using var context = await chromium.OpenAsync();
        var (page, registry) = await LooksAsync(context);
        await page.GotoAsync($"{Root}/browse/image/{_account}/web:v1");
        await page.GetByText("Manifest", new() { Exact = true }).ClickAsync();
        var link = page.Locator("dd.tags").GetByRole(AriaRole.Link, new() { Name = "v1", Exact = true });
        await link.FocusAsync();

        await TagAsync(registry, "v2");
        await page.Clock.FastForwardAsync(Minute);

        await Expect(page.Locator("dd.tags").GetByRole(AriaRole.Link, new() { Name = "v2" })).ToBeVisibleAsync();
        await Expect(link).ToBeFocusedAsync();
        await Expect(page.GetByText("\"schemaVersion\": 2")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Copy: Pull with docker" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_page_that_nobody_sees_asks_nothing_and_one_without_changes_is_not_sent()
    {
        await using var context = await chromium.OpenAsync();
        var (page, registry) = await LooksAsync(context);
        await page.GotoAsync(Root + Repository);
        await HideAsync(page, isHidden: true);
        _answers.Clear();

        await registry.PushAsync($"{_account}/web", Layout.Small("two" + _account, "v2"));
        await page.Clock.FastForwardAsync(60 * Minute);
        Assert.Empty(_answers);

        await HideAsync(page, isHidden: false);
        await page.Clock.FastForwardAsync(2_000);
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "v2", Exact = true })).ToBeVisibleAsync();
        await Until.TrueAsync(
            async () =>
            {
                await page.Clock.FastForwardAsync(Minute);
                return _answers.Contains(304);
            },
            () => Task.FromResult(string.Join(' ', _answers))
        );
    }

    [Fact]
    public async Task A_session_that_ends_leaves_what_is_shown_and_says_so()
    {
        await using var context = await chromium.OpenAsync();
        var (page, _) = await LooksAsync(context);
        await page.GotoAsync(Root + Repository);

        await context.ClearCookiesAsync();
        await page.Clock.FastForwardAsync(Minute);

        await Expect(page.Locator(".said")).ToHaveTextAsync("This page is no longer up to date: load it again");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "v1", Exact = true })).ToBeVisibleAsync();
    }

    private async Task<(IPage, RegistryClient)> LooksAsync(IBrowserContext context)
    {
        var registry = await RegistryClient.ForAsync(Host, _account);
        await registry.PushAsync($"{_account}/web", Layout.Small("one" + _account, "v1"));
        var page = await context.NewPageAsync();
        await page.Clock.InstallAsync();
        page.Response += (_, response) => _answers.Enqueue(response.Status);
        await page.GotoAsync($"{Root}/browse");
        await page.GetByLabel("Token", new() { Exact = true }).FillAsync(await Host.TokenForAsync(_account));
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Repositories" })).ToBeVisibleAsync();
        return (page, registry);
    }

    private async Task TagAsync(RegistryClient registry, string tag)
    {
        var layout = Layout.Small("one" + _account, "v1");
        var bytes = layout.Files[Layout.PathOf(layout.FirstImage)];
        var reply = await registry.PutManifestAsync($"{_account}/web", tag, bytes);
        Assert.Equal(HttpStatusCode.Created, reply.Status);
    }

    // A window that is covered does not say so in a browser without a screen.
    private static async Task HideAsync(IPage page, bool isHidden) =>
        await page.EvaluateAsync(
            "hidden => { Object.defineProperty(document, 'hidden', { configurable: true, value: hidden }); document.dispatchEvent(new Event('visibilitychange')); }",
            isHidden
        );
}
