using System.Text.Json.Nodes;
using Azure;
using Azure.Core;
using CliWrap;
using CliWrap.Buffered;
using ImagesFunctions.Local;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Tests.Local;

/// <summary>Single looks of <c>images doctor</c>: rights, a test drop, the program itself, and what signs mean.</summary>
[TakesLong(seconds: 20)]
public sealed class DoctorLooksTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("AuthorizationPermissionMismatch", "az role assignment create --role 'Storage Blob Data Contributor'")]
    [InlineData("AuthorizationFailure", "network-rule add")]
    public async Task A_right_that_is_missing_is_named_with_its_role(string code, string mend)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        node.Calls.Before = (_, message) =>
            message.Request.Method == RequestMethod.Put || message.Request.Method == RequestMethod.Post
                ? throw new RequestFailedException(StatusCodes.Status403Forbidden, "No.", code, innerException: null)
                : ValueTask.CompletedTask;
        var rights = new RightsChecks(InstallationUnderTest.Of(node));

        var (blobs, rows) = (await rights.BlobsAsync(Stop), await rights.RowsAsync(Stop));

        Assert.Equal((Check.Failed, Check.Failed), (blobs.State, rows.State));
        Assert.StartsWith($"to write: refused ({code})", blobs.Detail, StringComparison.Ordinal);
        Assert.Contains(mend, blobs.Mend, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_drop_is_listed_and_removed_with_all_that_it_was()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var node = new Node(connection);
        var server = LocalHost.Build(connection, "http://127.0.0.1:0");
        await server.StartAsync(Stop);
        var before = await node.PathsAsync();

        var check = await new DropCheck(InstallationUnderTest.Of(node), "doctor")
        {
            Patience = TimeSpan.FromMinutes(2),
        }.RunAsync(Stop);
        await server.StopAsync(Stop);
        await server.DisposeAsync();

        Assert.True(check.State == Check.Ok, check.ToString());
        Assert.StartsWith("listed after", check.Detail, StringComparison.Ordinal);
        Assert.Empty(await node.ListedAsync("doctor"));
        Assert.DoesNotContain(await node.PathsAsync(), path => path.StartsWith("doctor/", StringComparison.Ordinal));
        Assert.Subset((await node.PathsAsync()).ToHashSet(), before.ToHashSet());
    }

    [Fact]
    public async Task A_test_drop_that_nobody_takes_in_is_told_and_leaves_nothing()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());

        var check = await new DropCheck(InstallationUnderTest.Of(node), "alice")
        {
            Patience = TimeSpan.FromSeconds(2),
        }.RunAsync(Stop);

        Assert.Equal(Check.Failed, check.State);
        Assert.StartsWith("not listed", check.Detail, StringComparison.Ordinal);
        Assert.Contains(Mends.Subscribe, check.Mend, StringComparison.Ordinal);
        Assert.Empty(await node.PathsAsync());
        Assert.Empty(await node.ListedAsync("alice"));
    }

    [Fact]
    public async Task The_program_asks_with_the_identity_of_az_and_says_what_it_was_not_told()
    {
        await using var azurite = await SecureAzurite.StartAsync();
        await azurite.Storage.DeadLetters.CreateIfNotExistsAsync(cancellationToken: Stop);
        using var az = new FakeAz();

        var result = await Cli.Wrap(Places.Program("dotnet")!)
            .WithArguments([typeof(Commands).Assembly.Location, "doctor", "-o", "json"])
            .WithEnvironmentVariables(environment =>
                environment
                    .Set(StorageAccount.Section, "")
                    .Set($"{StorageAccount.Section}__blobServiceUri", azurite.BlobService.ToString())
                    .Set($"{StorageAccount.Section}__tableServiceUri", azurite.TableService.ToString())
                    .Set($"{StorageAccount.Section}__queueServiceUri", azurite.QueueService.ToString())
                    .Set("AZURE_SUBSCRIPTION_ID", "")
                    .Set("PATH", az.Path)
                    .Set("SSL_CERT_FILE", azurite.CertificateFile)
            )
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(Stop);

        Assert.True(
            result.ExitCode == ExitCode.NotAsked,
            $"{result.ExitCode}: {result.StandardOutput}{result.StandardError}"
        );
        var checks = JsonNode.Parse(result.StandardOutput)!.AsArray();
        var nameless = checks.Single(c => (string?)c!["check"] == "function app and events")!;
        Assert.Equal("unknown", (string?)nameless["state"]);
        Assert.Contains("AZURE_SUBSCRIPTION_ID", (string?)nameless["detail"], StringComparison.Ordinal);
        Assert.Contains("azd env get-values", (string?)nameless["mend"], StringComparison.Ordinal);
        Assert.Contains(checks, c => (string?)c!["check"] == "right to blobs" && (string?)c["state"] == "ok");
        Assert.NotEmpty(az.Calls);
    }

    [Theory]
    [InlineData(1, null, Check.Ok)]
    [InlineData(28, null, Check.Failed)]
    [InlineData(1, 2, Check.Ok)]
    [InlineData(1, 5, Check.Failed)]
    [InlineData(null, null, Check.Warning)]
    public void A_sweeper_that_does_not_come_is_told(int? walked, int? due, string state)
    {
        var now = new DateTimeOffset(2026, 1, 2, 0, 0, 0, TimeSpan.Zero);
        var signs = new SweepSigns(now, Ago(walked), "1.0.0", Ago(due), due is null ? null : "alice");

        var check = SweepChecks.OfTime(signs, TimeSpan.FromHours(24), new Mends("account", ResourceManager.Names));

        Assert.Equal((state, state == Check.Ok), (check.State, check.Mend.Length == 0));

        DateTimeOffset? Ago(int? hours) => hours is { } h ? now.AddHours(-h) : null;
    }

    [Theory]
    [InlineData("1.0.0+a", Check.Ok)]
    [InlineData("0.9.0+b", Check.Warning)]
    [InlineData(null, Check.Unknown)]
    public void Versions_that_differ_are_told(string? app, string state) =>
        Assert.Equal(state, SweepChecks.OfVersion(app, "1.0.0+a").State);

    [Theory]
    [InlineData("""{"BlobName":"alice/web/index.json"}""", "alice/web/index.json")]
    [InlineData("eyJCbG9iTmFtZSI6ImEvYiJ9", "a/b")]
    [InlineData("not base64!", null)]
    [InlineData("""["a"]""", null)]
    public void A_message_of_the_host_is_read_in_both_its_forms(string message, string? path) =>
        Assert.Equal(path, EventChecks.PathOf(message));

    [Fact]
    public void A_token_goes_to_Azure_and_to_no_other_machine() =>
        Assert.Throws<ArgumentException>(() =>
            new Management(new SecureAzurite.Identity(), new Uri("https://management.example.com"))
        );
}
