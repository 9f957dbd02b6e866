using System.Diagnostics;
using ImagesFunctions.Local;

namespace ImagesFunctions.Tests.Local;

/// <summary>With npm itself, but an "azurite" that is a folder beside, so that nothing is downloaded.</summary>
public sealed class AzuriteInstallTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _notes = new();

    public AzuriteInstallTests()
    {
        Directory.CreateDirectory(_folder.File("stand-in/dist/src"));
        File.WriteAllText(_folder.File("stand-in/dist/src/azurite.js"), "");
        File.WriteAllText(_folder.File("stand-in/package.json"), """{"name":"azurite","version":"1.0.0"}""");
        File.WriteAllText(
            _folder.File("package.json"),
            """{"private":true,"dependencies":{"azurite":"file:stand-in"}}"""
        );
        File.WriteAllText(
            _folder.File("package-lock.json"),
            """
            {"lockfileVersion":3,"requires":true,"packages":{
              "":{"dependencies":{"azurite":"file:stand-in"}},
              "node_modules/azurite":{"resolved":"stand-in","link":true},
              "stand-in":{"name":"azurite","version":"1.0.0"}}}
            """
        );
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private int Installations => _notes.ToString().Split("Installing", StringSplitOptions.None).Length - 1;

    public void Dispose()
    {
        _notes.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Starts_at_once_install_once()
    {
        var scripts = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => EnsureAsync()));

        Assert.All(scripts, script => Assert.True(File.Exists(script)));
        Assert.Equal(1, Installations);
    }

    [Fact]
    public async Task What_is_installed_stays()
    {
        await EnsureAsync();
        await EnsureAsync();

        Assert.Equal(1, Installations);
    }

    [Fact]
    public async Task A_half_installation_is_repaired()
    {
        // npm was killed before its end: the script is there already, other files are not.
        var script = await EnsureAsync();
        AzuriteInstall.Forget(_folder.Path);

        Assert.Equal(script, await EnsureAsync());
        Assert.Equal(2, Installations);
    }

    [Fact]
    public async Task A_missing_script_is_repaired()
    {
        var script = await EnsureAsync();
        Directory.Delete(_folder.File("node_modules/azurite"));

        await EnsureAsync();

        Assert.True(File.Exists(script));
    }

    [Fact]
    public async Task A_changed_lock_file_installs_again()
    {
        await EnsureAsync();
        await File.AppendAllTextAsync(_folder.File("package-lock.json"), "\n", Cancellation);

        await EnsureAsync();

        Assert.Equal(2, Installations);
    }

    [Fact]
    public async Task What_npm_says_is_told_in_one_line()
    {
        await File.WriteAllTextAsync(_folder.File("package-lock.json"), "{", Cancellation);

        var error = await Assert.ThrowsAsync<LocalException>(EnsureAsync);

        Assert.Contains("npm ci failed", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void The_committed_lock_names_the_pinned_version_and_no_registry()
    {
        var @lock = File.ReadAllText(Path.Combine(Places.AzuritePackage, "package-lock.json"));

        Assert.Contains("\"azurite\": \"3.37.0\"", @lock, StringComparison.Ordinal);
        Assert.DoesNotContain("\"resolved\"", @lock, StringComparison.Ordinal);
    }

    private Task<string> EnsureAsync() =>
        AzuriteInstall.EnsureAsync(_folder.Path, TextWriter.Synchronized(_notes), Cancellation);
}
