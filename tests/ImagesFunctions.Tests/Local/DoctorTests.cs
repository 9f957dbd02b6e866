using System.Text;
using System.Text.Json.Nodes;
using Azure;
using Azure.Core;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using CliWrap;
using CliWrap.Buffered;
using ImagesFunctions.Local;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Local;

/// <summary>
/// <c>images doctor</c> on an installation in Azure: an Azurite that knows identities only stands for its storage account, a server of
/// the tests for Azure Resource Manager.
/// </summary>
[TakesLong(seconds: 30)]
public sealed class DoctorTests
{
    // Other tests may have all processors.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_installation_as_the_Bicep_makes_it_is_well()
    {
        await using var azurite = await SecureAzurite.StartAsync();
        await using var azure = await ResourceManager.StartAsync(azurite);
        await using var node = new Node(azurite.Storage);
        var examined = await ExaminedAsync(azurite, azure, node);
        await node.PassAsync(TimeSpan.Zero, walk: 100);

        var checks = await DoctorCommand.LookAsync(examined, drop: null, Stop);

        Assert.All(checks, c => Assert.True(c.State == Check.Ok, c.ToString()));
        Assert.Distinct(checks.Select(c => c.Name));
        Assert.Superset(
            [
                "container deadletters",
                "table accounts",
                "right to blobs",
                "right to rows",
                "clock",
                "dead letters",
                "poison queue",
                "last sweep",
                "version of the app",
                "version of the store",
                "function app",
                "functions",
                "rights of the app",
                "trigger BlobLanded",
                "trigger Sweep",
                "event subscription",
                "event filter",
                "event delivery",
            ],
            checks.Select(c => c.Name).ToHashSet()
        );
        Assert.Equal(ExitCode.Done, DoctorCommand.ExitCodeOf([.. checks]));
        Assert.All(
            azure.Asked,
            asked => Assert.DoesNotContain("getFullUrl", asked, StringComparison.OrdinalIgnoreCase)
        );
        // What it has tried is gone again.
        Assert.Empty(await node.RowsAsync(RightsChecks.Partition));
        Assert.Equal(0, await azurite.Storage.Uploads.GetBlobsAsync(cancellationToken: Stop).CountAsync(Stop));
    }

    [Fact]
    public async Task Each_of_what_is_broken_is_named_with_what_mends_it()
    {
        await using var azurite = await SecureAzurite.StartAsync();
        await using var azure = await ResourceManager.StartAsync(azurite);
        await using var node = new Node(azurite.Storage);
        var examined = await ExaminedAsync(azurite, azure, node);
        await azurite.Storage.Derived.DeleteAsync(cancellationToken: Stop);
        await azurite.Storage.Accounts.DeleteAsync(Stop);
        await azurite.Storage.DeadLetters.UploadBlobAsync("images-landed/2026/dead.json", DeadEvent(), Stop);
        var poison = """{"Type":"BlobTrigger","ContainerName":"images","BlobName":"alice/web/index.json"}""";
        await examined.Poison!.SendMessageAsync(Convert.ToBase64String(Encoding.UTF8.GetBytes(poison)), Stop);
        azure.Settings["AzureWebJobs.BlobLandedPolling.Disabled"] = "false";
        azure.Settings["AzureWebJobs.Sweep.Disabled"] = "true";
        azure.Subscription["filter"]!["subjectBeginsWith"] = "/blobServices/default/containers/pictures/";
        azure.Roles.RemoveAt(0);

        var checks = await DoctorCommand.LookAsync(
            examined with
            {
                Clock = new Shifted(TimeSpan.FromHours(-1)),
            },
            drop: null,
            Stop
        );

        var app = $"--resource-group rg-images --name {ResourceManager.Names.App}";
        (string Name, string State, string Mend)[] expected =
        [
            ("clock", Check.Failed, Mends.Clock),
            (
                "container derived",
                Check.Failed,
                "az storage container create --account-name devstoreaccount1 --auth-mode login --name derived"
            ),
            ("table accounts", Check.Failed, Mends.Rebuild),
            ("dead letters", Check.Warning, Mends.Collect()),
            (
                "poison queue",
                Check.Failed,
                $"{Mends.Collect(["alice"])} && az storage message clear --account-name devstoreaccount1 --auth-mode login --queue-name webjobs-blobtrigger-poison"
            ),
            (
                "trigger BlobLanded",
                Check.Failed,
                $"az functionapp config appsettings set {app} --settings AzureWebJobs.BlobLandedPolling.Disabled=true --output none"
            ),
            (
                "trigger Sweep",
                Check.Failed,
                $"az functionapp config appsettings delete {app} --setting-names AzureWebJobs.Sweep.Disabled --output none"
            ),
            ("event filter", Check.Failed, Mends.Subscribe),
            (
                "rights of the app",
                Check.Failed,
                $"az role assignment create --role 'Storage Blob Data Contributor' --assignee {ResourceManager.Principal} --scope \"$(az storage account show --name devstoreaccount1 --query id --output tsv)\""
            ),
        ];
        Assert.Equal(
            expected.Order(),
            // The app has never swept here.
            checks
                .Where(c => c.State != Check.Ok && c.Name is not ("last sweep" or "version of the app"))
                .Select(c => (c.Name, c.State, c.Mend))
                .Order()
        );
        Assert.Equal(ExitCode.NotWell, DoctorCommand.ExitCodeOf([.. checks]));
        Assert.Contains(
            "MaxDeliveryAttemptsExceeded",
            checks.Single(c => c.Name == "dead letters").Detail,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "such as alice/web/index.json",
            checks.Single(c => c.Name == "poison queue").Detail,
            StringComparison.Ordinal
        );
        // It has only looked.
        Assert.Single((await examined.Poison.PeekMessagesAsync(32, Stop)).Value);
    }

    [Fact]
    public async Task What_could_not_be_asked_says_why_and_nothing_is_thrown()
    {
        await using var azurite = await SecureAzurite.StartAsync();
        await using var azure = await ResourceManager.StartAsync(azurite);
        await using var node = new Node(azurite.Storage);
        var examined = await ExaminedAsync(azurite, azure, node);
        string[] ofAzure = ["app settings", "event subscription", "function app", "functions", "rights of the app"];

        azure.Answer = context =>
            ResourceManager.RefuseAsync(context, StatusCodes.Status403Forbidden, "AuthorizationFailed");
        var refused = await DoctorCommand.LookAsync(examined, drop: null, Stop);
        Assert.Equal(ofAzure, UnknownOf(refused));
        Assert.All(
            refused.Where(c => ofAzure.Contains(c.Name) && c.Name != "rights of the app"),
            c =>
            {
                Assert.Contains("403 AuthorizationFailed", c.Detail, StringComparison.Ordinal);
                Assert.Contains("az role assignment create --role", c.Mend, StringComparison.Ordinal);
            }
        );

        // A gateway that wants a login, and one that never answers.
        azure.Answer = context => context.Response.WriteAsync("<html>", context.RequestAborted);
        Assert.Equal(ofAzure, UnknownOf(await DoctorCommand.LookAsync(examined, drop: null, Stop)));
        azure.Answer = context => Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
        var late = await new SubscriptionChecks(
            examined with
            {
                Deadline = TimeSpan.FromSeconds(1),
            },
            examined.Management!,
            ResourceManager.Names
        ).RunAsync(Stop);
        Assert.Equal("no answer within 1 s", Assert.Single(late).Detail);

        var nameless = await DoctorCommand.LookAsync(
            examined with
            {
                Installation = null,
                Management = null,
            },
            drop: null,
            Stop
        );
        Assert.Equal(["function app and events"], UnknownOf(nameless));
        Assert.Equal(ExitCode.NotAsked, DoctorCommand.ExitCodeOf([.. nameless]));

        // There is no subscription, and no app.
        azure.Answer = context =>
            ResourceManager.RefuseAsync(context, StatusCodes.Status404NotFound, "ResourceNotFound");
        var nothing = await DoctorCommand.LookAsync(examined, drop: null, Stop);
        Assert.Equal(Mends.Provision, nothing.Single(c => c.Name == "event subscription").Mend);
        Assert.Equal(Mends.Provision, nothing.Single(c => c.Name == "function app").Mend);

        // "version of the app" is unknown as long as nothing has swept.
        static IEnumerable<string> UnknownOf(IEnumerable<Check> checks) =>
            checks
                .Where(c => c.State == Check.Unknown && c.Name != "version of the app")
                .Select(c => c.Name)
                .Order(StringComparer.Ordinal);
    }

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
        var rights = new RightsChecks(Of(node));

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

        var check = await new DropCheck(Of(node), "doctor") { Patience = s_patience }.RunAsync(Stop);
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

        var check = await new DropCheck(Of(node), "alice") { Patience = TimeSpan.FromSeconds(2) }.RunAsync(Stop);

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

    private static Examined Of(Node node) =>
        new(
            node.Storage,
            node.Services.GetRequiredService<ImagesApp>(),
            new Mends(node.Storage.Images.AccountName, ResourceManager.Names)
        )
        {
            Deadline = s_patience,
        };

    // With what only a deployment makes.
    private static async Task<Examined> ExaminedAsync(SecureAzurite azurite, ResourceManager azure, Node node)
    {
        await azurite.Storage.DeadLetters.CreateIfNotExistsAsync(cancellationToken: Stop);
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([
                new($"{StorageAccount.Section}:blobServiceUri", azurite.BlobService.ToString()),
                new($"{StorageAccount.Section}:queueServiceUri", azurite.QueueService.ToString()),
            ])
            .Build();
        var poison = PoisonQueue.Of(configuration, azurite.Storage.Credential, azurite.Network())!;
        await poison.CreateAsync(cancellationToken: Stop);
        return Of(node) with { Poison = poison, Management = azure.Client(), Installation = ResourceManager.Names };
    }

    private static BinaryData DeadEvent() =>
        BinaryData.FromString(
            """
            [{"id":"1","eventType":"Microsoft.Storage.BlobCreated","subject":"/blobServices/default/containers/images/blobs/alice/web/index.json",
              "deadLetterReason":"MaxDeliveryAttemptsExceeded","deliveryAttempts":30}]
            """
        );

    private sealed class Shifted(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + by;
    }
}
