using CliWrap;
using CliWrap.Buffered;
using ImagesFunctions.Tests.Local;

namespace ImagesFunctions.Tests.Infra;

/// <summary>The step after a deployment, with an <c>az</c> that answers as Azure does.</summary>
public sealed class SubscribeScript
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(
        "(AuthorizationFailed) The client 'x' does not have authorization",
        "Contributor on the resource group rg"
    )]
    [InlineData("{\"code\":\"LinkedAuthorizationFailed\"}", "Contributor on the resource group rg")]
    [InlineData("(RequestDisallowedByPolicy) Resource 'x' was disallowed", "a policy of the subscription")]
    [InlineData("(ScopeLocked) The scope cannot perform write", "a lock forbids it")]
    [InlineData("(MissingSubscriptionRegistration) The subscription is not registered", "az provider register")]
    [InlineData("(ResourceGroupNotFound) Resource group 'rg' could not be found", "azd provision")]
    [InlineData("(ExpiredAuthenticationToken) The access token expiry", "az login")]
    public async Task What_waiting_does_not_mend_is_told_at_once_with_what_to_do(string said, string remedy)
    {
        var (result, tries) = await RunAsync($"echo '{said.Replace("'", "")}' >&2; exit 1");

        Assert.Equal((1, 1), (result.ExitCode, tries));
        Assert.Contains(said.Replace("'", ""), result.StandardError);
        Assert.Contains(remedy, result.StandardError);
    }

    [Fact]
    public async Task An_app_that_is_not_ready_is_waited_for()
    {
        var (result, tries) = await RunAsync(
            "[ $(wc -l < \"$CALLS\") -gt 2 ] || { echo 'Webhook validation handshake failed' >&2; exit 1; }"
        );

        Assert.Equal((0, 3), (result.ExitCode, tries));
        Assert.Contains("blobs that land call app now", result.StandardOutput);
    }

    [Fact]
    public async Task Waiting_ends()
    {
        var (result, tries) = await RunAsync("echo 'Webhook validation handshake failed' >&2; exit 1");

        Assert.Equal((1, 12), (result.ExitCode, tries));
        Assert.Contains("given up", result.StandardError);
    }

    private static async Task<(BufferedCommandResult Result, int Tries)> RunAsync(string answer)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The programs on PATH are shell scripts");
        using var folder = new TemporaryFolder();
        var calls = folder.File("calls");
        await WriteAsync("curl", "exit 0");
        await WriteAsync("az", $"[ \"$1\" = account ] && exit 0\necho >> \"$CALLS\"\n{answer}");

        var result = await Cli.Wrap("sh")
            .WithArguments([Repo.Path("infra/subscribe.sh")])
            .WithEnvironmentVariables(e =>
                e.Set("PATH", $"{folder.Path}:{Environment.GetEnvironmentVariable("PATH")}")
                    .Set("CALLS", calls)
                    .Set("IMAGES_RETRY_SECONDS", "0")
                    .Set("AZURE_SUBSCRIPTION_ID", "subscription")
                    .Set("AZURE_RESOURCE_GROUP", "rg")
                    .Set("IMAGES_FUNCTION_APP", "app")
                    .Set("IMAGES_EVENT_TOPIC", "topic")
                    .Set("IMAGES_URL", "https://app.example.com")
            )
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(Stop);
        return (result, (await File.ReadAllLinesAsync(calls, Stop)).Length);

        async Task WriteAsync(string name, string script)
        {
            await File.WriteAllTextAsync(folder.File(name), $"#!/bin/sh\n{script}\n", Stop);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(folder.File(name), UnixFileMode.UserRead | UnixFileMode.UserExecute);
            }
        }
    }
}
