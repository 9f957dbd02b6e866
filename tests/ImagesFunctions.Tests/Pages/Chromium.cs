using ImagesFunctions.Tests.RealImages;
using Microsoft.Playwright;

namespace ImagesFunctions.Tests.Pages;

/// <summary>A real browser, that of the machine, which the tests of a class share.</summary>
public sealed class Chromium : IAsyncDisposable
{
    private const string Name = "chromium";

    private readonly Lazy<Task<(IPlaywright Driver, IBrowser Browser)>> _started = new(StartAsync);

    /// <summary>A window of its own, without cookies, that loads nothing but the pages.</summary>
    /// <param name="colors">Light or dark.</param>
    /// <param name="javaScript">Whether scripts run.</param>
    /// <param name="width">In pixels.</param>
    public async Task<IBrowserContext> OpenAsync(
        ColorScheme colors = ColorScheme.Light,
        bool javaScript = true,
        int width = 1280
    )
    {
        var context = await (await _started.Value).Browser.NewContextAsync(
            new BrowserNewContextOptions
            {
                ColorScheme = colors,
                JavaScriptEnabled = javaScript,
                ViewportSize = new ViewportSize { Width = width, Height = 900 },
            }
        );
        context.SetDefaultTimeout((float)TimeSpan.FromMinutes(2).TotalMilliseconds);
        return context;
    }

    public async ValueTask DisposeAsync()
    {
        if (_started.IsValueCreated && _started.Value.IsCompletedSuccessfully)
        {
            var (driver, browser) = await _started.Value;
            await browser.DisposeAsync();
            driver.Dispose();
        }
    }

    private static async Task<(IPlaywright Driver, IBrowser Browser)> StartAsync()
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, Name))
            .FirstOrDefault(File.Exists);
        if (path is null)
        {
            throw Tool.Missing(Name, $"sudo apt-get install -y {Name}");
        }

        var driver = await Playwright.CreateAsync();
        // In a container its own sandbox does not start; it opens nothing but the pages under test.
        var options = new BrowserTypeLaunchOptions
        {
            ExecutablePath = path,
            Args = ["--no-sandbox"],
            Timeout = 120_000,
        };
        return (driver, await driver.Chromium.LaunchAsync(options));
    }
}
