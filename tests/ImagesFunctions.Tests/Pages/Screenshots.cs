using ImagesFunctions.Local;
using ImagesFunctions.Tests.Infra;
using ImagesFunctions.Tests.Registry;
using Microsoft.Playwright;

namespace ImagesFunctions.Tests.Pages;

/// <summary>Makes the screenshots of the documentation: tests/screenshots.</summary>
public sealed class Screenshots(KestrelFixture fixture, Chromium chromium)
    : AgainstAHost(fixture),
        IClassFixture<Chromium>
{
    private const string Account = "demo";

    private static readonly string[] s_pages =
    [
        "/browse",
        $"/browse/repository/{Account}/web/shop",
        "/browse/image/hello:latest",
        $"/browse/delete/{Account}/web/shop@",
        "/browse/problems",
        "/browse/activity",
        "/browse/usage",
        "/browse/tokens",
    ];

    [Fact(Explicit = true)]
    public async Task Those_of_the_documentation()
    {
        await FillAsync();
        await using var context = await chromium.OpenAsync();
        var page = await SignedInAsync(context);
        await page.SetViewportSizeAsync(1280, 560);
        await page.ScreenshotAsync(new() { Path = Repo.Path("docs/browse.png") });
        await page.GotoAsync($"{Root}/browse/image/hello:latest");
        await page.SetViewportSizeAsync(1280, 860);
        await page.ScreenshotAsync(new() { Path = Repo.Path("docs/browse-image.png") });
    }

    /// <summary>All pages in three widths, light and dark, to be looked at before a release: into TestResults/pages.</summary>
    [Fact(Explicit = true)]
    public async Task All_of_them()
    {
        await FillAsync();
        var folder = Directory.CreateDirectory(Repo.Path("TestResults/pages")).FullName;
        foreach (var colors in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            foreach (var width in new[] { 360, 1280, 2560 })
            {
                await using var context = await chromium.OpenAsync(colors, width: width);
                var page = await context.NewPageAsync();
                await page.GotoAsync($"{Root}/browse/sign-in");
                await ShootAsync(page, "sign-in");
                page = await SignedInAsync(context);
                foreach (var path in s_pages)
                {
                    await page.GotoAsync(Root + (path.EndsWith('@') ? path + await DigestAsync() : path));
                    await ShootAsync(page, path.Split('/')[^1] is "browse" ? "repositories" : path.Split('/')[2]);
                }

                Task ShootAsync(IPage page, string name) =>
                    page.ScreenshotAsync(
                        new() { Path = Path.Combine(folder, $"{name}-{width}-{colors}.png"), FullPage = true }
                    );
            }
        }
    }

    private string Root => Host.Http.BaseAddress!.GetLeftPart(UriPartial.Authority);

    private static Task<string> DigestAsync() => Task.FromResult(Layout.Small("shop 2", "v2", "latest").FirstImage);

    private async Task<IPage> SignedInAsync(IBrowserContext context)
    {
        var page = await context.NewPageAsync();
        await page.GotoAsync($"{Root}/browse");
        await page.GetByLabel("Token", new() { Exact = true }).FillAsync(await Host.TokenForAsync(Account));
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "Repositories" }).WaitForAsync();
        return page;
    }

    private async Task FillAsync()
    {
        await SampleImage.ImportAsync(Host.Storage.Images, TestContext.Current.CancellationToken);
        var registry = await RegistryClient.ForAsync(Host, Account);
        foreach (var name in (string[])["api", "web/assets", "web/search", "worker"])
        {
            await registry.PushAsync($"{Account}/{name}", Layout.Small(name, "v1", "latest"));
        }

        await registry.PushAsync($"{Account}/web/shop", Layout.Small("shop 1", "v1"));
        await registry.PushAsync($"{Account}/web/shop", Layout.Small("shop 2", "v2", "latest"));
        await registry.PushAsync($"{Account}/web/shop", Layout.Small("shop 3"));
        var multi = new Layout();
        var index = multi.AddIndex(
            Layout.OciIndex,
            Layout.For(multi.AddImage("one"), "linux", "amd64"),
            Layout.For(multi.AddImage("two"), "linux", "arm64")
        );
        await registry.PushAsync($"{Account}/tools", multi.Index(Layout.Tagged(index, "2026.11")));
        var waits = Layout.Small("waits", "v3");
        await Host.LayoutAsync($"{Account}/late", waits, waits.Files.Keys.Where(path => path != waits.FirstLayer));
        var wrong = $"{Account}/late/{Layout.PathOf(Layout.DigestOf([1, 2, 3]))}";
        await Host.FileAsync(wrong, [4]);
        await Host.RefusedAsync(wrong);
    }
}
