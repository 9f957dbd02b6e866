using System.Collections.Concurrent;
using System.Collections.Immutable;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using ImagesFunctions.Accounts;
using ImagesFunctions.Tests.Registry;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ImagesFunctions.Tests.Pages;

/// <summary>The pages as people see them, in a real browser: every page, with and without scripts, in light and in dark.</summary>
[TakesLong(seconds: 60)]
public sealed class InChromium(KestrelFixture fixture, Chromium chromium)
    : AgainstAHost(fixture),
        IClassFixture<Chromium>
{
    private readonly string _account = Drop.Fresh("alice");
    private readonly ConcurrentQueue<string> _errors = new();

    private string Root => Host.Http.BaseAddress!.GetLeftPart(UriPartial.Authority);

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 360)]
    public async Task Every_page_is_shown_without_an_error_and_for_everybody(ColorScheme colors, int width)
    {
        await using var context = await chromium.OpenAsync(colors, width: width);
        var page = await PageAsync(context);
        var index = await FillAsync();
        await Host.Trust.AddAsync(
            _account,
            new TrustCondition(
                "http://127.0.0.1:9/issuer",
                "images",
                "repo:acme/*",
                ImmutableDictionary<string, string>.Empty
            ),
            Grant.Pull,
            TestContext.Current.CancellationToken
        );

        await page.GotoAsync($"{Root}/browse/sign-in");
        await IsForEverybodyAsync(page);
        await SignInAsync(page);
        foreach (
            var path in new[]
            {
                "/browse",
                "/browse?q=nothing-like-it",
                $"/browse/repository/{_account}/hello",
                $"/browse/image/{_account}/hello:latest",
                $"/browse/image/{_account}/web:v1",
                $"/browse/delete/{_account}/hello@{index}",
                $"/browse/delete/{_account}/web:v1",
                "/browse/problems",
                "/browse/activity",
                "/browse/usage",
                "/browse/tokens",
            }
        )
        {
            await page.GotoAsync(Root + path);
            await IsForEverybodyAsync(page);
        }

        Assert.Empty(_errors);
    }

    [Fact]
    public async Task A_search_answers_as_it_is_typed_and_buttons_copy()
    {
        await using var context = await chromium.OpenAsync();
        await context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        var page = await PageAsync(context);
        await FillAsync();
        await SignInAsync(page);

        await page.GetByPlaceholder("Search in names").PressSequentiallyAsync("web");

        await Expect(page.GetByRole(AriaRole.Link, new() { Name = $"{_account}/hello" })).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Link, new() { Name = $"{_account}/web" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Copy: Pull with docker" }).ClickAsync();
        await Expect(page.Locator(".said")).ToHaveTextAsync("Copied");
        Assert.Equal(
            $"docker pull {Host.Http.BaseAddress!.Authority}/{_account}/web:v1",
            await page.EvaluateAsync<string>("navigator.clipboard.readText()")
        );
        Assert.Empty(_errors);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_image_is_deleted_and_the_session_ended_with_and_without_scripts(bool javaScript)
    {
        await using var context = await chromium.OpenAsync(javaScript: javaScript);
        var page = await PageAsync(context);
        await FillAsync();
        await SignInAsync(page);

        await page.GetByPlaceholder("Search in names").FillAsync("web");
        await page.GetByRole(AriaRole.Button, new() { Name = "Search" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = $"{_account}/hello" })).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Link, new() { Name = $"{_account}/web" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "v1", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Delete the image…" }).ClickAsync();
        await Expect(page.GetByText("cannot be undone")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Expect(page).ToHaveURLAsync($"{Root}/browse");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = $"{_account}/web" })).ToHaveCountAsync(0);

        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
        await page.GotoAsync($"{Root}/browse/problems");
        await Expect(page.GetByLabel("Token", new() { Exact = true })).ToBeVisibleAsync();
        Assert.Empty(await context.CookiesAsync());
        Assert.Empty(_errors);
    }

    [Fact]
    public async Task The_keyboard_alone_suffices()
    {
        await using var context = await chromium.OpenAsync();
        var page = await PageAsync(context);
        await FillAsync();
        await page.GotoAsync($"{Root}/browse/sign-in");
        await page.Keyboard.TypeAsync(await Host.TokenForAsync(_account));
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Repositories" })).ToBeVisibleAsync();

        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "To the content" })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByPlaceholder("Search in names")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("hello");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = $"{_account}/web" })).ToHaveCountAsync(0);
        var link = page.GetByRole(AriaRole.Link, new() { Name = $"{_account}/hello" });
        for (var i = 0; i < 6 && !await link.EvaluateAsync<bool>("e => e === document.activeElement"); i++)
        {
            await page.Keyboard.PressAsync("Tab");
        }

        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = $"{_account}/hello" })).ToBeVisibleAsync();
        Assert.Empty(_errors);
    }

    private async Task SignInAsync(IPage page)
    {
        await page.GotoAsync($"{Root}/browse");
        await page.GetByLabel("Token", new() { Exact = true }).FillAsync(await Host.TokenForAsync(_account));
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Repositories" })).ToBeVisibleAsync();
    }

    // A page that remembers what goes wrong on it, and what it asks of other hosts.
    private async Task<IPage> PageAsync(IBrowserContext context)
    {
        var page = await context.NewPageAsync();
        page.Console += (_, message) => Note(message.Type is "error" or "warning", message.Text);
        page.PageError += (_, error) => Note(isWrong: true, error);
        page.Request += (_, request) =>
            Note(!request.Url.StartsWith($"{Root}/browse", StringComparison.Ordinal), request.Url);
        return page;

        void Note(bool isWrong, string what)
        {
            if (isWrong)
            {
                _errors.Enqueue(what);
            }
        }
    }

    private static async Task IsForEverybodyAsync(IPage page)
    {
        AxeResult found = await page.RunAxe();
        Assert.Equal(
            "",
            string.Join(
                '\n',
                found.Violations.Select(v =>
                    $"{page.Url}: {v.Id}: {v.Help}: {string.Join(", ", v.Nodes.Select(n => n.Html))}"
                )
            )
        );
        // Nothing is wider than the window.
        Assert.True(
            await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= window.innerWidth"),
            $"{page.Url} scrolls sideways"
        );
    }

    // A unikernel for two platforms, an ordinary image with a tag, and something that waits.
    private async Task<string> FillAsync()
    {
        var index = await Host.HelloAsync(_account);
        var registry = await RegistryClient.ForAsync(Host, _account);
        await registry.PushAsync($"{_account}/web", Layout.Small("seen" + _account, "v1"));
        var waits = Layout.Small("waits" + _account, "v2");
        await Host.LayoutAsync($"{_account}/waits", waits, waits.Files.Keys.Where(path => path != waits.FirstLayer));
        return index;
    }
}
