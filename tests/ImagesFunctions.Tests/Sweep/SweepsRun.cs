using ImagesFunctions.Local;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>What starts a sweep: the local host's timer, and a command; the function app's timer is tried in its own process.</summary>
public sealed class SweepsRun
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_local_host_sweeps_in_its_interval()
    {
        await using var node = await WithStrayAsync();
        await using var app = LocalHost.Build(
            node.Connection,
            "http://127.0.0.1:0",
            services =>
            {
                services.AddSingleton(new SweepOptions { AfterDrop = TimeSpan.Zero });
                services.AddSingleton<IConfiguration>(
                    new ConfigurationBuilder().AddInMemoryCollection([new(SweepTimer.IntervalSetting, "1s")]).Build()
                );
            }
        );
        await app.StartAsync(Stop);

        await Until.TrueAsync(
            async () => (await node.PathsAsync()).Count == 0,
            () => Task.FromResult("The blob that nobody needs is still there.")
        );
        await app.StopAsync(Stop);
    }

    [Fact]
    public async Task The_command_says_a_line_a_kind()
    {
        await using var node = await WithStrayAsync();

        Assert.Equal((0, "nothing to do\n"), await GcAsync(node));
        Assert.Equal(
            (0, "would: blobs removed that nobody needs: 1\nwould: bytes of those: 5\n"),
            await GcAsync(node, "--dry-run", "--grace", "0m")
        );
        Assert.Single(await node.PathsAsync());
        Assert.Equal(
            (0, "blobs removed that nobody needs: 1\nbytes of those: 5\n"),
            await GcAsync(node, "--grace", "0m")
        );
        Assert.Empty(await node.PathsAsync());
    }

    [Fact]
    public async Task The_command_sweeps_the_namespace_that_it_is_given()
    {
        await using var node = await WithStrayAsync();

        Assert.Equal((0, "nothing to do\n"), await GcAsync(node, "bob", "--grace", "0m"));
        Assert.Single(await node.PathsAsync());
        Assert.Equal(
            (0, "blobs removed that nobody needs: 1\nbytes of those: 5\n"),
            await GcAsync(node, "alice", "--grace", "0m")
        );
        Assert.Empty(await node.PathsAsync());
        Assert.NotEqual(0, (await GcAsync(node, "alice/web")).ExitCode);
    }

    [Theory]
    [InlineData(null, null, "1.00:00:00", "30.00:00:00")]
    [InlineData("15m", "", "00:15:00", "30.00:00:00")]
    [InlineData("48h", "0d", "2.00:00:00", "00:00:00")]
    public void Settings_say_how_long_things_are_left_alone(
        string? push,
        string? drop,
        string afterPush,
        string afterDrop
    )
    {
        var options = SweepOptions.From(Configuration(push, drop));

        Assert.Equal(afterPush, options.AfterPush.ToString("c"));
        Assert.Equal(afterDrop, options.AfterDrop.ToString("c"));
    }

    [Theory]
    [InlineData("24:00:00")]
    [InlineData("-1d")]
    [InlineData("99999d")]
    [InlineData("soon")]
    public void A_setting_that_is_no_duration_is_named(string text)
    {
        var error = Assert.Throws<InvalidSettingException>(() => SweepOptions.From(Configuration(text, null)));

        Assert.StartsWith($"SweepAfterPush is '{text}'", error.Message, StringComparison.Ordinal);
    }

    private static IConfiguration Configuration(string? push, string? drop) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection([new(SweepOptions.AfterPushSetting, push), new(SweepOptions.AfterDropSetting, drop)])
            .Build();

    private static async Task<Node> WithStrayAsync()
    {
        var node = new Node(await Storages.NewWithTablesAsync());
        var path = $"alice/web/{Layout.PathOf(Layout.DigestOf("stray"u8.ToArray()))}";
        await node.PutAsync(path, "stray"u8.ToArray());
        await node.LandAsync([path]);
        return node;
    }

    // In a process of its own, which has an environment of its own.
    private static async Task<(int ExitCode, string Output)> GcAsync(Node node, params string[] arguments)
    {
        var result = await CliWrap.Buffered.BufferedCommandExtensions.ExecuteBufferedAsync(
            CliWrap
                .Cli.Wrap("dotnet")
                .WithArguments([typeof(Commands).Assembly.Location, "gc", .. arguments])
                .WithEnvironmentVariables(e => e.Set(StorageAccount.Section, node.Connection))
                .WithValidation(CliWrap.CommandResultValidation.None),
            Stop
        );
        return (result.ExitCode, result.StandardOutput.ReplaceLineEndings("\n"));
    }
}
