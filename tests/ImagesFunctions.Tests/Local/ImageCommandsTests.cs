using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CliWrap;
using CliWrap.Buffered;
using ImagesFunctions.Local;
using ImagesFunctions.Tests.Faults;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Local;

/// <summary>The commands that look at and change images, in processes of their own on one store.</summary>
[TakesLong(seconds: 40)]
public sealed class ImageCommandsTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private string _connection = "";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _connection = await Storages.NewWithTablesAsync();

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task An_image_is_listed_shown_tagged_pinned_and_removed()
    {
        await using var node = new Node(_connection);
        var layout = Layout.Small("text", "v1");
        await node.PutAsync("alice/web", layout);
        await node.StartAsync();
        var image = $"alice/web@{layout.FirstImage}";
        var start = layout.FirstImage["sha256:".Length..][..12];

        Assert.Equal(image, (await DoneAsync("ls", "--output", "quiet")).Trim());
        var listed = await DoneAsync("ls", "alice/web");
        Assert.StartsWith("REPOSITORY", listed, StringComparison.Ordinal);
        Assert.Contains($"v1   sha256:{start}", listed, StringComparison.Ordinal);

        var shown = JsonNode.Parse(await DoneAsync("show", $"alice/web@{start}", "-o", "json"))!;
        Assert.Equal(layout.FirstImage, (string?)shown["digest"]);
        Assert.Equal(2, shown["layers"]!.AsArray().Count);
        Assert.Equal("/bin/run", (string?)shown["args"]![0]);
        Assert.True(JsonNode.DeepEquals(layout.Read(layout.Manifests[0]), shown["manifest"]));

        Assert.Contains(layout.FirstImage, await DoneAsync("tag", "alice/web:v1", "v2"), StringComparison.Ordinal);
        Assert.Equal("v1, v2", Line(await DoneAsync("show", "alice/web:v2"), "tags"));
        await DoneAsync("pin", "alice/web:v2");
        var pinned = await RunAsync("rm", $"alice/web@{start}", "--yes");
        Assert.Equal(1, pinned.ExitCode);
        Assert.Contains("is pinned: unpin it first", pinned.StandardError, StringComparison.Ordinal);
        await DoneAsync("unpin", "alice/web:v2");

        await DoneAsync("rm", "alice/web:v1", "--yes");
        Assert.Equal("v2", Line(await DoneAsync("show", $"alice/web@{start}"), "tags"));
        var nobody = await RunAsync("rm", $"alice/web@{start}");
        Assert.Equal(2, nobody.ExitCode);
        Assert.Contains("with its tags v2", nobody.StandardError, StringComparison.Ordinal);
        Assert.Equal(image, (await DoneAsync("rm", $"alice/web@{start}", "--yes")).Trim());

        Assert.Equal("", await DoneAsync("ls", "alice", "-o", "quiet"));
        var gone = await RunAsync("show", "alice/web:v2");
        Assert.Equal(1, gone.ExitCode);
        Assert.Contains("There is no image alice/web:v2.", gone.StandardError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_day_of_the_last_pull_is_shown_where_a_rule_counts_pulls()
    {
        await using var node = new Node(_connection);
        await node.PutAsync("alice/web", Layout.Small("text", "v1"));
        await node.StartAsync();
        var rules = AccountRules.Parse(
            """{"retention":[{"repositories":["web"],"remove":{"not_pulled_for":"90d"}}]}"""
        );
        await node.Services.GetRequiredService<RulesStore>().SetAsync("alice", rules, by: null, Stop);
        Assert.DoesNotContain("last pulled", await DoneAsync("show", "alice/web:v1"), StringComparison.Ordinal);
        var registry = new NodeRegistry(node, "alice", await NodeRegistry.TokenAsync(node, "alice"));
        await registry.SendAsync("GET", "/v2/alice/web/manifests/v1");
        var today = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

        Assert.Equal(today, Line(await DoneAsync("show", "alice/web:v1"), "last pulled"));
        var shown = JsonNode.Parse(await DoneAsync("show", "alice/web:v1", "-o", "json"))!;
        Assert.Equal(today, (string?)shown["last_pulled"]);
    }

    [Fact]
    public async Task An_index_is_shown_with_its_platforms_and_a_referrer_with_its_subject()
    {
        await using var node = new Node(_connection);
        var layout = new Layout();
        var image = layout.AddImage("amd");
        var index = layout.AddIndex(Layout.OciIndex, Layout.For(image, "linux", "amd64"));
        var subject = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = Layout.OciManifest,
            ["artifactType"] = "application/vnd.example.signature",
            ["config"] = layout.Add("application/vnd.oci.empty.v1+json", "{}"u8.ToArray()),
            ["layers"] = new JsonArray(),
            ["subject"] = index.DeepClone(),
        };
        var signature = layout.Add(Layout.OciManifest, subject);
        layout.Index(Layout.Tagged(index, "latest"), signature);
        await node.PutAsync("alice/web", layout);
        await node.StartAsync();

        var shown = JsonNode.Parse(await DoneAsync("show", "alice/web:latest", "-o", "json"))!;

        Assert.Equal("amd64", (string?)shown["platforms"]![0]!["architecture"]);
        Assert.Equal(Layout.Digest(signature), (string?)shown["referrers"]![0]!["digest"]);
        Assert.Equal("application/vnd.example.signature", (string?)shown["referrers"]![0]!["artifact_type"]);
        var child = JsonNode.Parse(await DoneAsync("show", $"alice/web@{Layout.Digest(image)}", "-o", "json"))!;
        Assert.Equal(Layout.Digest(index), (string?)child["needed_by"]![0]);
        var needed = await RunAsync("rm", $"alice/web@{Layout.Digest(image)}", "--yes");
        Assert.Equal(1, needed.ExitCode);
        Assert.Contains(
            $"is needed by alice/web@{Layout.Digest(index)}",
            needed.StandardError,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task An_account_with_nearly_the_name_of_another_is_made_only_where_that_is_asked_for()
    {
        Assert.Equal(0, (await RunAsync("token", "create", "demo", "--new-account", "--label", "CI of web")).ExitCode);

        var wrong = await RunAsync("token", "create", "dmeo");

        Assert.Equal((1, ""), (wrong.ExitCode, wrong.StandardOutput));
        Assert.Contains("There is no account dmeo. Did you mean demo?", wrong.StandardError, StringComparison.Ordinal);
        Assert.Contains("token create dmeo --new-account", wrong.StandardError, StringComparison.Ordinal);
        Assert.Equal("", await DoneAsync("token", "list", "dmeo"));
        var other = await RunAsync("token", "create", "newcomer");
        Assert.Equal(0, other.ExitCode);
        Assert.Contains("newcomer is a new account.", other.StandardError, StringComparison.Ordinal);
        await DoneAsync("token", "create", "demo");
        Assert.Matches(
            @"CI of web +pull, push, delete, admin +all +[\d :-]+ +never",
            await DoneAsync("token", "list", "demo")
        );
    }

    [Fact]
    public async Task Tokens_and_trust_rules_are_listed_for_programs_too()
    {
        await DoneAsync("token", "create", "demo", "--new-account", "--expires", "2100-01-01");
        await DoneAsync("token", "create", "demo", "--allow", "push", "--repository", "web/**", "--label", "b\u00a0x");
        string[] about = ["--issuer", "https://issuer.example.com", "--audience", "images"];
        var rule = await DoneAsync(["trust", "add", "demo", .. about, "--claim", "oid=1=2"]);

        var tokens = JsonNode.Parse(await DoneAsync("token", "list", "demo", "-o", "json", "--sort", "label"))!;
        var (first, second) = (tokens[0]!, tokens[1]!);
        Assert.Equal(
            "id label allow repositories created expires expired used",
            string.Join(' ', first.AsObject().Select(m => m.Key))
        );
        Assert.Equal("2100-01-01T00:00:00Z"[..10], ((string?)first["expires"])![..10]);
        Assert.Equal(
            "[\"push\"] [\"web/**\"]",
            $"{second["allow"]!.ToJsonString()} {second["repositories"]!.ToJsonString()}"
        );
        Assert.Equal(
            (string?)second["id"],
            (await DoneAsync("token", "list", "demo", "-o", "quiet", "--filter", "label=*x")).Trim()
        );
        Assert.Equal(rule.Trim(), (await DoneAsync("trust", "list", "demo", "-o", "quiet")).Trim());
        var rules = JsonNode.Parse(await DoneAsync("trust", "list", "demo", "-o", "json"))!;
        Assert.Equal("[\"oid=1=2\"]", rules[0]!["claims"]!.ToJsonString());
        Assert.Equal("https://issuer.example.com", (string?)rules[0]!["issuer"]);
        Assert.Contains("subject: ", await DoneAsync("trust", "list", "demo", "-o", "yaml"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_status_that_is_not_well_is_exit_code_3()
    {
        await using var node = new Node(_connection);
        var layout = Layout.Small("text", "v1");
        await node.PutAsync("alice/well", layout);
        await node.PutAsync("alice/waits", layout, [.. layout.Files.Keys.Where(f => f != layout.FirstLayer)]);
        await node.StartAsync();

        Assert.Equal(0, (await RunAsync("status", "alice/well")).ExitCode);
        Assert.Equal(3, (await RunAsync("status", "nobody")).ExitCode);
        var waits = await RunAsync("status", "alice", "-o", "json");
        Assert.Equal(3, waits.ExitCode);
        var json = JsonNode.Parse(waits.StandardOutput)!;
        Assert.Equal("alice/waits", (string?)json["waiting"]![0]!["repository"]);
        Assert.Single(json["listed"]!.AsArray());
    }

    [Fact]
    public async Task A_doctor_finds_a_store_well_and_says_what_a_store_lacks()
    {
        Assert.Contains("written and removed", await DoneAsync("doctor"), StringComparison.Ordinal);

        _connection = await Storages.NewAsync();
        var bare = JsonNode.Parse((await RunAsync("doctor", "-o", "json")).StandardOutput)!.AsArray();
        Assert.Contains(bare, c => (string?)c!["check"] == "table accounts" && (string?)c["state"] == "warning");
        _connection = Regex.Replace(_connection, @"127\.0\.0\.1:\d+", "127.0.0.1:1");
        var away = await RunAsync("doctor");
        Assert.Equal(3, away.ExitCode);
        Assert.Matches(@"storage +failed", away.StandardOutput);
    }

    [Theory]
    [InlineData(0, "ok")]
    [InlineData(-120, "warning")]
    [InlineData(3600, "failed")]
    public void A_clock_that_is_wrong_is_told(int seconds, string state) =>
        Assert.Equal(state, StoreChecks.ClockOf(TimeSpan.FromSeconds(seconds)).State);

    [Theory]
    [InlineData("v22.1.0", true, "ok")]
    [InlineData("v18.19.0", true, "failed")]
    [InlineData(null, true, "failed")]
    [InlineData(null, false, "warning")]
    public void A_node_that_is_old_or_missing_is_told(string? said, bool isNeeded, string state) =>
        Assert.Equal(state, MachineChecks.NodeOf(said, isNeeded).State);

    private static string Line(string shown, string name) =>
        shown.Split('\n').First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Trim();

    private async Task<string> DoneAsync(params string[] arguments)
    {
        var result = await RunAsync(arguments);
        Assert.True(
            result.ExitCode == 0,
            $"{string.Join(' ', arguments)}: {result.StandardError}{result.StandardOutput}"
        );
        return result.StandardOutput;
    }

    private async Task<BufferedCommandResult> RunAsync(params string[] arguments) =>
        await Cli.Wrap(Places.Program("dotnet")!)
            .WithArguments([typeof(Commands).Assembly.Location, .. arguments])
            .WithWorkingDirectory(_folder.Path)
            .WithEnvironmentVariables(environment => environment.Set("ImagesStorage", _connection))
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(Stop);
}
