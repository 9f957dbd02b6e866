using System.ComponentModel;
using CliWrap;
using CliWrap.Buffered;

namespace ImagesFunctions.Tests.RealImages;

/// <summary>Runs a command-line tool of the machine: what it says is the truth that our list is held against.</summary>
public static class Tool
{
    private const string Install = "sudo apt-get install -y skopeo umoci jq curl";
    private static readonly TimeSpan s_allowed = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Returns what the tool wrote to standard output. A tool that is not installed skips the test on a laptop and fails it in CI,
    /// where a skipped test would go unseen.
    /// </summary>
    public static Task<string> RunAsync(string tool, params string[] arguments) => RunAsync(s_allowed, tool, arguments);

    /// <summary>As the other one, with a time of its own.</summary>
    public static async Task<string> RunAsync(TimeSpan time, string tool, params string[] arguments)
    {
        using var deadline = Deadline.In(time);
        try
        {
            var done = await Cli.Wrap(tool)
                .WithArguments(arguments)
                .WithEnvironmentVariables(environment => environment.Set("LC_ALL", "C"))
                .WithValidation(CommandResultValidation.None)
                .ExecuteBufferedAsync(deadline.Token);
            Assert.True(
                done.ExitCode == 0,
                $"{tool} {string.Join(' ', arguments)} ended with {done.ExitCode}: {done.StandardError}"
            );
            return done.StandardOutput;
        }
        catch (Win32Exception)
        {
            throw Missing(tool, Install);
        }
    }

    /// <summary>Fails the test in CI, and skips it elsewhere.</summary>
    /// <param name="what">What is not there.</param>
    /// <param name="install">How to get it.</param>
    public static InvalidOperationException Missing(string what, string install)
    {
        var message = $"{what} is not installed: {install}";
        if (Environment.GetEnvironmentVariable("CI") == "true")
        {
            Assert.Fail(message);
        }

        Assert.Skip(message);
        return new InvalidOperationException("Fail and Skip throw.");
    }

    /// <summary>The lines of the output, without the empty one at the end.</summary>
    public static async Task<string[]> LinesAsync(string tool, params string[] arguments) =>
        (await RunAsync(tool, arguments)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
