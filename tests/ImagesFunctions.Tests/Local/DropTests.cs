using CliWrap;
using CliWrap.Buffered;
using ImagesFunctions.Local;

namespace ImagesFunctions.Tests.Local;

/// <summary><c>drop</c> and <c>status</c> as somebody types them, with paths of where he stands.</summary>
public sealed class DropTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_layout_is_dropped_by_a_relative_path_and_status_tells_what_becomes_of_it()
    {
        using var folder = new TemporaryFolder();
        var layout = Layout.Small("text", "latest");
        layout.WriteTo(Path.Combine(folder.Path, "image"));
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "image", "notes.txt"), "not of a layout", Stop);
        var connection = await Storages.NewAsync();

        var dropped = await RunAsync("drop", "./image", "alice/team/web");

        Assert.Equal(0, dropped.ExitCode);
        Assert.Contains("Dropped at alice/team/web: 6 files", dropped.StandardOutput, StringComparison.Ordinal);
        Assert.Contains("notes.txt", dropped.StandardError, StringComparison.Ordinal);
        // Nobody has looked at them: no server runs.
        var status = await RunAsync("status", "alice/team/web");
        Assert.Contains("Not looked at yet", status.StandardOutput, StringComparison.Ordinal);
        Assert.Contains(layout.FirstLayer, status.StandardOutput, StringComparison.Ordinal);

        await using var node = new Faults.Node(connection);
        await node.StartAsync();

        status = await RunAsync("status", "alice/team/web");
        Assert.DoesNotContain("Not looked at yet", status.StandardOutput, StringComparison.Ordinal);
        Assert.Contains($"alice/team/web@{layout.FirstImage}", status.StandardOutput, StringComparison.Ordinal);
        Assert.Contains("tagged latest", status.StandardOutput, StringComparison.Ordinal);

        async Task<BufferedCommandResult> RunAsync(params string[] arguments) =>
            await Cli.Wrap(Places.Program("dotnet")!)
                .WithArguments([typeof(Commands).Assembly.Location, .. arguments])
                .WithWorkingDirectory(folder.Path)
                .WithEnvironmentVariables(environment => environment.Set("ImagesStorage", connection))
                .WithValidation(CommandResultValidation.None)
                .ExecuteBufferedAsync(Stop);
    }

    [Theory]
    [InlineData("status", "DEMO")]
    [InlineData("status", "a b")]
    [InlineData("drop", "nowhere", "alice/web")]
    [InlineData("drop", ".", "Alice/Web")]
    public async Task A_name_or_folder_that_cannot_be_is_wrong_usage(params string[] arguments)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());

        Assert.Equal(2, await Commands.RunAsync(arguments, output, errors, Stop));
        Assert.Single(errors.ToString().TrimEnd().Split('\n'));
    }
}
