using ImagesFunctions.Local;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Tests.Local;

/// <summary><c>images doctor</c> on an installation in Azure, well and broken.</summary>
[TakesLong(seconds: 20)]
public sealed class DoctorTests
{
    private static readonly string[] s_ofAzure =
    [
        "app settings",
        "event subscription",
        "function app",
        "functions",
        "rights of the app",
    ];

    private static readonly string[] s_names =
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
    ];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_installation_as_the_Bicep_makes_it_is_well()
    {
        await using var installation = await InstallationUnderTest.StartAsync();
        await installation.Node.PassAsync(TimeSpan.Zero, walk: 100);

        var checks = await installation.LookAsync();

        Assert.All(checks, c => Assert.True(c.State == Check.Ok, c.ToString()));
        Assert.Distinct(checks.Select(c => c.Name));
        Assert.Empty(s_names.Except(checks.Select(c => c.Name), StringComparer.Ordinal));
        Assert.Equal(ExitCode.Done, DoctorCommand.ExitCodeOf([.. checks]));
        Assert.All(
            installation.Azure.Asked,
            asked => Assert.DoesNotContain("getFullUrl", asked, StringComparison.OrdinalIgnoreCase)
        );
        // What it has tried is gone again.
        Assert.Empty(await installation.Node.RowsAsync(RightsChecks.Partition));
        Assert.Equal(0, await installation.Storage.Uploads.GetBlobsAsync(cancellationToken: Stop).CountAsync(Stop));
    }

    [Fact]
    public async Task Each_of_what_is_broken_is_named_with_what_mends_it()
    {
        await using var installation = await InstallationUnderTest.StartAsync();
        await installation.BreakAsync();

        var checks = await DoctorCommand.LookAsync(
            installation.Examined with
            {
                Clock = new Shifted(TimeSpan.FromHours(-1)),
            },
            drop: null,
            Stop
        );

        Assert.Equal(
            Broken().Order(),
            // The app has never swept here.
            checks
                .Where(c => c.State != Check.Ok && c.Name is not ("last sweep" or "version of the app"))
                .Select(c => (c.Name, c.State, c.Mend))
                .Order()
        );
        Assert.Equal(ExitCode.NotWell, DoctorCommand.ExitCodeOf([.. checks]));
        Assert.Contains(
            checks,
            c =>
                c.Name == "dead letters" && c.Detail.Contains("(MaxDeliveryAttemptsExceeded)", StringComparison.Ordinal)
        );
        Assert.Contains(
            checks,
            c => c.Name == "poison queue" && c.Detail.EndsWith("such as alice/web/index.json", StringComparison.Ordinal)
        );
        // It has only looked.
        Assert.Single((await installation.Examined.Poison!.PeekMessagesAsync(32, Stop)).Value);
    }

    [Fact]
    public async Task What_Azure_refuses_to_tell_is_unknown_and_says_which_right_is_missing()
    {
        await using var installation = await InstallationUnderTest.StartAsync();
        installation.Azure.Answer = context =>
            ResourceManager.RefuseAsync(context, StatusCodes.Status403Forbidden, "AuthorizationFailed");

        var checks = await installation.LookAsync();

        Assert.Equal(s_ofAzure, UnknownOf(checks));
        Assert.All(
            checks.Where(c => s_ofAzure.Contains(c.Name) && c.Name != "rights of the app"),
            c =>
            {
                Assert.Contains("403 AuthorizationFailed", c.Detail, StringComparison.Ordinal);
                Assert.Contains("az role assignment create --role", c.Mend, StringComparison.Ordinal);
            }
        );
        Assert.Equal(ExitCode.NotAsked, DoctorCommand.ExitCodeOf([.. checks]));
    }

    [Fact]
    public async Task What_is_no_answer_of_Azure_or_comes_too_late_is_unknown()
    {
        await using var installation = await InstallationUnderTest.StartAsync();
        // A gateway that wants a login.
        installation.Azure.Answer = context => context.Response.WriteAsync("<html>", context.RequestAborted);
        Assert.Equal(s_ofAzure, UnknownOf(await installation.LookAsync()));

        installation.Azure.Answer = context => Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
        var late = await new SubscriptionChecks(
            installation.Examined with
            {
                Deadline = TimeSpan.FromSeconds(1),
            },
            installation.Examined.Management!,
            ResourceManager.Names
        ).RunAsync(Stop);
        Assert.Equal("no answer within 1 s", Assert.Single(late).Detail);
    }

    [Fact]
    public async Task What_is_not_there_or_has_no_name_is_told()
    {
        await using var installation = await InstallationUnderTest.StartAsync();
        installation.Azure.Remove($"{ResourceManager.Names.TopicId}/eventSubscriptions/images-landed");
        installation.Azure.Remove(ResourceManager.Names.AppId);

        var checks = await installation.LookAsync();

        Assert.Equal(Mends.Subscribe, checks.Single(c => c.Name == "event subscription").Mend);
        Assert.Equal(Mends.Provision, checks.Single(c => c.Name == "function app").Mend);
        var nameless = await DoctorCommand.LookAsync(
            installation.Examined with
            {
                Installation = null,
                Management = null,
            },
            drop: null,
            Stop
        );
        Assert.Equal(["function app and events"], UnknownOf(nameless));
    }

    // The version of the app is not known as long as nothing has swept.
    private static IEnumerable<string> UnknownOf(IEnumerable<Check> checks) =>
        checks
            .Where(c => c.State == Check.Unknown && c.Name != "version of the app")
            .Select(c => c.Name)
            .Order(StringComparer.Ordinal);

    // Of what is broken there and of the clock, each with its command.
    private static (string Name, string State, string Mend)[] Broken()
    {
        var app = $"--resource-group rg-images --name {ResourceManager.Names.App}";
        return
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
    }

    private sealed class Shifted(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + by;
    }
}
