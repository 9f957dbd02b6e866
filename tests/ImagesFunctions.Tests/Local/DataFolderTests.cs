using System.Text.RegularExpressions;
using CliWrap;
using CliWrap.Buffered;
using ImagesFunctions.Local;

namespace ImagesFunctions.Tests.Local;

/// <summary><c>--data</c>: which store a command uses, and that it says so.</summary>
public sealed class DataFolderTests : IDisposable
{
    private readonly TemporaryFolder _data = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _data.Dispose();

    [Theory]
    [InlineData("ImagesStorage", "UseDevelopmentStorage=true")]
    [InlineData("imagesstorage", "UseDevelopmentStorage=true")]
    [InlineData("ImagesStorage__blobServiceUri", "https://images.blob.core.windows.net")]
    [InlineData("ImagesStorage__clientId", "1")]
    public async Task Beside_a_store_that_the_environment_names_it_is_refused(string variable, string value)
    {
        var folder = _data.File("none");

        var result = await Cli.Wrap(Places.Program("dotnet")!)
            .WithArguments([typeof(Commands).Assembly.Location, "gc", "--data", folder])
            .WithEnvironmentVariables(environment => environment.Set(variable, value))
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(Stop);

        Assert.Equal((2, ""), (result.ExitCode, result.StandardOutput));
        var line = Assert.Single(result.StandardError.TrimEnd().Split('\n'));
        Assert.Contains($"--data {folder}", line, StringComparison.Ordinal);
        Assert.Contains(variable, line, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task Each_command_says_which_store_it_used_and_the_next_one_finds_it_on_the_same_ports()
    {
        var created = await RunAsync(_data.Path, "token", "create", "demo", "--new-account");
        var listed = await RunAsync(_data.Path, "token", "list", "demo", "--output", "quiet");

        Assert.Single(created.Output.TrimEnd().Split('\n'));
        Assert.Single(listed.Output.TrimEnd().Split('\n'));
        Assert.EndsWith($"the Azurite of {_data.Path}", created.Store, StringComparison.Ordinal);
        Assert.Equal(created.Store, listed.Store);
        var port = int.Parse(Regex.Match(created.Store, @"127\.0\.0\.1:(\d+)/").Groups[1].Value);
        Assert.NotInRange(port, 10_000, 10_002);
    }

    [Fact]
    public async Task Two_of_them_started_at_once_never_meet()
    {
        using var other = new TemporaryFolder();
        await using var one = await Azurite.StartAsync(data: _data.Path, cancellationToken: Stop);
        var both = await Task.WhenAll(
            RunAsync(_data.Path, "token", "create", "alice", "--new-account"),
            RunAsync(other.Path, "token", "create", "bob", "--new-account")
        );

        Assert.NotEqual(both[0].Store, both[1].Store);
        Assert.Equal("", (await RunAsync(_data.Path, "token", "list", "bob")).Output);
        Assert.NotEqual("", (await RunAsync(_data.Path, "token", "list", "alice")).Output);
    }

    [Fact]
    public async Task A_folder_that_was_made_before_folders_had_ports_is_opened_with_all_that_it_holds()
    {
        // As it was made, and is made where no folder is named.
        var before = AzuritePorts.Free();
        await using (var azurite = await Azurite.StartSharedAsync(_data.Path, before, TextWriter.Null, Stop))
        {
            Assert.Equal(before, azurite.Ports);
            await MarkAsync(azurite);
        }

        Assert.False(File.Exists(_data.File("ports.json")));
        await using var opened = await Azurite.StartAsync(data: _data.Path, cancellationToken: Stop);
        Assert.NotEqual(before, opened.Ports);
        Assert.True(await IsMarkedAsync(opened));
    }

    [Fact]
    public async Task A_copy_of_a_folder_in_use_is_a_store_of_its_own()
    {
        await using var azurite = await Azurite.StartAsync(data: _data.Path, cancellationToken: Stop);
        using var copy = new TemporaryFolder();
        foreach (var file in new[] { "azurite.json", "azurite.log", "ports.json" })
        {
            File.Copy(_data.File(file), copy.File(file));
        }

        await using var copied = await Azurite.StartAsync(data: copy.Path, cancellationToken: Stop);
        await MarkAsync(copied);

        Assert.NotEqual(azurite.ProcessId, copied.ProcessId);
        Assert.False(await IsMarkedAsync(azurite));
    }

    [Fact]
    public async Task A_link_to_a_folder_in_use_leads_to_the_same_store()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Making a link needs a right there");
        using var links = new TemporaryFolder();
        Directory.CreateSymbolicLink(links.File("link"), _data.Path);
        await using var azurite = await Azurite.StartAsync(data: _data.Path, cancellationToken: Stop);

        await using var linked = await Azurite.StartAsync(data: links.File("link"), cancellationToken: Stop);

        Assert.Equal(azurite.ProcessId, linked.ProcessId);
    }

    [Theory]
    [InlineData("{file}", "is a file")]
    [InlineData("{file}/below", "cannot be made")]
    // Not even root makes anything in these two.
    [InlineData("/proc/none", "cannot be made")]
    [InlineData("/sys/kernel", "cannot be written to")]
    [InlineData(" ", "needs a folder")]
    public async Task A_folder_that_cannot_be_used_is_one_line_and_exit_code_2(string folder, string what)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || folder[0] != '/', "There is no such folder here");
        await File.WriteAllTextAsync(_data.File("file"), "", Stop);
        folder = folder.Replace("{file}", _data.File("file"), StringComparison.Ordinal);
        var (output, errors) = (new StringWriter(), new StringWriter());

        var exitCode = await Commands.RunAsync(["token", "list", "demo", "--data", folder], output, errors, Stop);

        Assert.Equal((2, ""), (exitCode, output.ToString()));
        Assert.Contains(what, Assert.Single(errors.ToString().TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    private static async Task<(string Output, string Store)> RunAsync(string folder, params string[] arguments)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        var exitCode = await Commands.RunAsync([.. arguments, "--data", folder], output, errors, Stop);
        Assert.True(exitCode == 0, errors.ToString());
        var store = Assert.Single(
            errors.ToString().Split('\n'),
            line => line.StartsWith("Store: ", StringComparison.Ordinal)
        );
        return (output.ToString(), store.TrimEnd());
    }

    private static Azure.Storage.Blobs.BlobContainerClient Marks(Azurite azurite) =>
        new(azurite.ConnectionString, "marks", new(Azure.Storage.Blobs.BlobClientOptions.ServiceVersion.V2026_06_06));

    private static async Task MarkAsync(Azurite azurite) => await Marks(azurite).CreateAsync(cancellationToken: Stop);

    private static async Task<bool> IsMarkedAsync(Azurite azurite) => await Marks(azurite).ExistsAsync(Stop);
}
