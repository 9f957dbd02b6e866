using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using CliWrap;
using CliWrap.Buffered;
using ImagesFunctions.Local;

namespace ImagesFunctions.Tests.Local;

/// <summary>The program as a newcomer runs it, on an Azurite of its own.</summary>
[TakesLong(seconds: 40)]
public sealed partial class ServeTests : IAsyncLifetime
{
    private Azurite _azurite = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        _azurite = await Azurite.StartAsync(inMemory: true, cancellationToken: Cancellation);

    public ValueTask DisposeAsync() => _azurite.DisposeAsync();

    [Fact]
    public async Task A_fresh_store_gets_an_account_and_an_image_and_the_printed_lines_work()
    {
        await using var server = await Server.StartAsync(_azurite);

        Assert.Contains("account \"demo\"", server.Output, StringComparison.Ordinal);
        var lines = Curl().Matches(server.Output);
        Assert.Equal(2, lines.Count);
        foreach (Match line in lines)
        {
            await ListsAsync(line.Groups["url"].Value, line.Groups["token"].Value, "hello");
        }
    }

    [Fact]
    public async Task A_second_start_finds_the_account_and_says_how_to_make_another_token()
    {
        await using (await Server.StartAsync(_azurite)) { }

        await using var server = await Server.StartAsync(_azurite);

        Assert.DoesNotContain("Bearer", server.Output, StringComparison.Ordinal);
        Assert.Contains("token create demo", server.Output, StringComparison.Ordinal);
        var made = await RunAsync("token", "create", "demo", "--expires", "1h");
        Assert.Equal(0, made.ExitCode);
        var token = Assert.Single(made.StandardOutput.TrimEnd().Split('\n'));
        await ListsAsync($"{server.Address}v1/images/list", token, "hello");
    }

    [Fact]
    public async Task A_store_that_somebody_uses_is_neither_called_empty_nor_changed()
    {
        Assert.Equal(0, (await RunAsync("token", "create", "alice", "--new-account")).ExitCode);

        await using (var server = await Server.StartAsync(_azurite))
        {
            Assert.DoesNotContain("empty", server.Output, StringComparison.Ordinal);
            Assert.Contains("A token: ", server.Output, StringComparison.Ordinal);
        }

        Assert.Equal("", (await RunAsync("token", "list", "demo")).StandardOutput);
        Assert.Contains(
            "Listed: none",
            (await RunAsync("status", "official")).StandardOutput,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_revoked_token_ends_at_once()
    {
        await using var server = await Server.StartAsync(_azurite);
        var token = (await RunAsync("token", "create", "alice", "--new-account")).StandardOutput.Trim();
        var id = (await RunAsync("token", "list", "alice", "--output", "quiet")).StandardOutput.Trim();

        Assert.Equal(0, (await RunAsync("token", "revoke", "alice", id)).ExitCode);

        using var response = await GetAsync($"{server.Address}v1/images/list", token);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal(1, (await RunAsync("token", "revoke", "alice", id)).ExitCode);
    }

    [Fact]
    public async Task A_malformed_account_is_one_line_and_exit_code_2()
    {
        var result = await RunAsync("token", "create", "no/account!");

        Assert.Equal((2, ""), (result.ExitCode, result.StandardOutput));
        Assert.Single(result.StandardError.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_taken_port_is_one_line_that_names_the_option()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();

        var result = await RunAsync("serve", "--urls", $"http://{other.LocalEndpoint}");

        Assert.Equal((1, ""), (result.ExitCode, result.StandardOutput));
        var lines = result.StandardError.TrimEnd().Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.StartsWith($"Store: {_azurite.BlobEndpoint}/, ", lines[0], StringComparison.Ordinal);
        Assert.Contains("--urls", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_status_of_the_sample_lists_it()
    {
        await using var server = await Server.StartAsync(_azurite);
        await ListsAsync($"{server.Address}v1/images/list", Curl().Match(server.Output).Groups["token"].Value, "hello");

        var result = await RunAsync("status", "official/hello");

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("Listed: 1", result.StandardOutput, StringComparison.Ordinal);
        Assert.Contains("Waiting: none", result.StandardOutput, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"Bearer (?<token>[^""]+)"" ""(?<url>[^""]+)""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Curl();

    private static Task ListsAsync(string url, string token, string expected)
    {
        var body = "";
        return Until.TrueAsync(
            async () =>
            {
                using var response = await GetAsync(url, token);
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                body = await response.Content.ReadAsStringAsync(Cancellation);
                return body.Contains(expected, StringComparison.Ordinal);
            },
            () => Task.FromResult(body)
        );
    }

    private static async Task<HttpResponseMessage> GetAsync(string url, string token)
    {
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await client.GetAsync(new Uri(url), Cancellation);
    }

    private async Task<BufferedCommandResult> RunAsync(params string[] arguments) =>
        await Server.Program(_azurite, arguments).ExecuteBufferedAsync(Cancellation);

    /// <summary>The program in a process of its own, ended by what Ctrl+C sends.</summary>
    private sealed class Server : IAsyncDisposable
    {
        private readonly CancellationTokenSource _interrupt = new();
        private readonly CancellationTokenSource _kill = new();
        private readonly ConcurrentQueue<string> _lines = [];
        private CommandTask<CommandResult>? _run;

        public string Output => string.Join('\n', _lines);

        public Uri Address =>
            new(Regex.Match(Output, @"(?<=serves )http://127\.0\.0\.1:\d+", RegexOptions.None, Second).Value);

        private static TimeSpan Second => TimeSpan.FromSeconds(1);

        public static Command Program(Azurite azurite, params string[] arguments) =>
            Cli.Wrap(Places.Program("dotnet")!)
                .WithArguments([typeof(Commands).Assembly.Location, .. arguments])
                .WithEnvironmentVariables(environment => environment.Set("ImagesStorage", azurite.ConnectionString))
                .WithValidation(CommandResultValidation.None);

        public static async Task<Server> StartAsync(Azurite azurite)
        {
            var server = new Server();
            server._run = Program(azurite, "serve", "--urls", "http://127.0.0.1:0")
                .WithStandardOutputPipe(PipeTarget.ToDelegate(server._lines.Enqueue))
                .WithStandardErrorPipe(PipeTarget.ToDelegate(server._lines.Enqueue))
                .ExecuteAsync(server._kill.Token, server._interrupt.Token);
            await Until.TrueAsync(
                () => server._run.Task.IsCompleted || server.Output.Contains("Ctrl+C", StringComparison.Ordinal),
                "the server is up"
            );
            Assert.False(server._run.Task.IsCompleted, server.Output);
            return server;
        }

        public async ValueTask DisposeAsync()
        {
            await _interrupt.CancelAsync();
            // What a script starts in the background is started with Ctrl+C ignored, and so is all that it starts.
            using var patience = Deadline.In(TimeSpan.FromSeconds(10));
            await using var kill = patience.Token.Register(_kill.Cancel);
            // An interrupted command is a cancelled one to CliWrap, however orderly it ended.
            await ((Task)_run!.Task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _run.Dispose();
            _interrupt.Dispose();
            _kill.Dispose();
        }
    }
}
