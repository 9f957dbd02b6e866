using System.Net;
using CliWrap;
using CliWrap.Buffered;
using ImagesFunctions.Ingest;
using ImagesFunctions.Local;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Local;

public sealed class CommandsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("bogus")]
    [InlineData("--bogus")]
    [InlineData("token")]
    [InlineData("token create")]
    [InlineData("token create demo extra")]
    [InlineData("token create x.users.kraftcloud")]
    [InlineData("token create robot$x")]
    [InlineData("token create demo --expires")]
    [InlineData("token create demo --expires 5y")]
    [InlineData("token create demo --allow")]
    [InlineData("token create demo --allow write")]
    [InlineData("token create demo --allow pull --read-only")]
    [InlineData("token create demo --repository /web")]
    [InlineData("token create demo --repository web**")]
    [InlineData("token revoke demo")]
    [InlineData("trust add demo --issuer https://issuer.example --subject me")]
    [InlineData("trust add demo --issuer https://issuer.example --audience images --claim oid")]
    [InlineData("trust add demo --issuer https://issuer.example --audience images --subject me --allow write")]
    [InlineData("trust remove demo")]
    [InlineData("status")]
    [InlineData("status /app")]
    [InlineData("status demo/")]
    [InlineData("status demo//app")]
    [InlineData("gc --grace soon")]
    [InlineData("gc --grace 24:00:00")]
    [InlineData("serve --urls")]
    [InlineData("serve --urls 7072")]
    [InlineData("serve --urls http://localhost:x")]
    [InlineData("--urls http://127.0.0.1:1;http://127.0.0.1:99999")]
    public async Task Wrong_usage_is_one_line_and_exit_code_2(string line)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());

        var exitCode = await Commands.RunAsync(line.Split(' '), output, errors, Cancellation);

        Assert.Equal(2, exitCode);
        Assert.Equal("", output.ToString());
        Assert.Single(errors.ToString().TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Help_is_no_error()
    {
        var (output, errors) = (new StringWriter(), new StringWriter());

        Assert.Equal(0, await Commands.RunAsync(["token", "create", "--help"], output, errors, Cancellation));
        Assert.Contains("--expires", output.ToString(), StringComparison.Ordinal);
        Assert.Equal("", errors.ToString());
    }

    [Fact]
    public async Task A_token_is_made_that_may_only_read_and_the_list_says_so()
    {
        var connection = await Storages.NewWithTablesAsync();
        Task<string> RunAsync(params string[] arguments) => RunOnAsync(connection, arguments);
        var token = (await RunAsync("token", "create", "demo", "--new-account", "--read-only")).Trim();
        await using var node = new Node(connection);
        var client = new NodeRegistry(node, "demo", token);

        Assert.Equal(HttpStatusCode.OK, (await client.SendAsync("GET", "/v2/")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await client.SendAsync("POST", "/v2/demo/app/blobs/uploads/")).Status);
        Assert.Matches(" pull +all ", await RunAsync("token", "list", "demo"));
    }

    [Fact]
    public async Task A_token_is_made_with_rights_on_repositories_and_the_list_says_so()
    {
        var connection = await Storages.NewWithTablesAsync();
        Task<string> RunAsync(params string[] arguments) => RunOnAsync(connection, arguments);
        string[] create = ["token", "create", "demo", "--new-account", "--allow", "pull,push"];
        var token = (await RunAsync([.. create, "--repository", "web/**", "--repository", "api"])).Trim();
        await using var node = new Node(connection);
        var client = new NodeRegistry(node, "demo", token);

        foreach (var (app, status) in new[] { ("web/x", 202), ("api", 202), ("other", 403) })
        {
            Assert.Equal(status, (int)(await client.SendAsync("POST", $"/v2/demo/{app}/blobs/uploads/")).Status);
        }

        Assert.Matches(@" pull, push +web/\*\* api ", await RunAsync("token", "list", "demo"));
    }

    [Fact]
    public async Task A_trust_rule_is_added_listed_and_removed()
    {
        var connection = await Storages.NewWithTablesAsync();
        Task<string> RunAsync(params string[] arguments) => RunOnAsync(connection, arguments);
        string[] add = ["trust", "add", "demo", "--issuer", "https://issuer.example", "--audience", "images"];
        string[] what = ["--subject", "repo:acme/*", "--claim", "oid=42", "--allow", "push", "--repository", "web/**"];

        var id = (await RunAsync([.. add, .. what])).Trim();

        Assert.Matches("^[0-9a-f]{8}$", id);
        var listed = await RunAsync("trust", "list", "demo");
        Assert.Matches($@"\n{id} +https://issuer\.example +images +repo:acme/\* +oid=42 +push +web/\*\* ", listed);
        await RunAsync("trust", "remove", "demo", id);
        Assert.Equal("", await RunAsync("trust", "list", "demo"));
    }

    private static async Task<string> RunOnAsync(string connection, string[] arguments)
    {
        var result = await Cli.Wrap(Places.Program("dotnet")!)
            .WithArguments([typeof(Commands).Assembly.Location, .. arguments])
            .WithEnvironmentVariables(environment => environment.Set("ImagesStorage", connection))
            .ExecuteBufferedAsync(Cancellation);
        return result.StandardOutput;
    }

    [Fact]
    public async Task Without_node_one_line_says_what_to_do()
    {
        using var data = new TemporaryFolder();
        var result = await Cli.Wrap(Places.Program("dotnet")!)
            .WithArguments([typeof(Commands).Assembly.Location, "token", "list", "demo", "--data", data.Path])
            // Where a real one listens on the standard ports, none is started and node is not missed.
            .WithEnvironmentVariables(environment => environment.Set("PATH", data.Path).Set("ImagesStorage", ""))
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(Cancellation);
        Assert.SkipWhen(
            result.ExitCode == 0 || await AzuritePorts.Standard.AnswerAsync(Cancellation) is not null,
            "An Azurite listens on the standard ports"
        );

        Assert.Equal(1, result.ExitCode);
        Assert.Equal("", result.StandardOutput);
        Assert.StartsWith("node was not found: install Node.js", result.StandardError, StringComparison.Ordinal);
        Assert.Single(result.StandardError.TrimEnd().Split('\n'));
    }

    [Fact]
    public void A_status_names_each_thing_once_and_says_what_is_empty()
    {
        var status = new IngestStatus(
            [new StatusImage("demo/web", "sha256:aa", ["latest", "v1"], 2_487_552)],
            [new WaitingManifest("demo/web", "sha256:bb", ["sha256:cc", "sha256:dd"])],
            [
                new RefusedBlob(
                    "demo/web/blobs/sha256/ee",
                    "the bytes hash to sha256:ff, not to sha256:ee",
                    "sha256:ff",
                    "refused",
                    DateTimeOffset.UnixEpoch
                ),
            ],
            [],
            ["demo/new/index.json"]
        );
        var output = new StringWriter { NewLine = "\n" };

        StatusCommand.Write(status, output);

        Assert.Equal(
            """
            Listed: 1
              demo/web@sha256:aa
                2487552 bytes (2.4 MiB), tagged latest, v1
            Waiting: 1
              demo/web@sha256:bb needs
                sha256:cc
                sha256:dd
            Refused: 1
              demo/web/blobs/sha256/ee
                refused: the bytes hash to sha256:ff, not to sha256:ee
                1970-01-01 00:00:00Z
            Pending tags: none
            Not looked at yet (does a server run, or the function app?): 1
              demo/new/index.json

            """,
            output.ToString()
        );
    }
}
