using System.Text.RegularExpressions;
using ImagesFunctions.Local;
using ImagesFunctions.Tests.Worker;

namespace ImagesFunctions.Tests.Infra;

/// <summary>What <c>images doctor</c> expects of an installation is what the Bicep makes.</summary>
public sealed class DoctorAgrees
{
    private static IReadOnlyDictionary<string, string> Settings => Snapshot.Main.AppSettings;

    private static Resource Subscription =>
        Snapshot.Subscription.One("Microsoft.EventGrid/systemTopics/eventSubscriptions");

    [Fact]
    public void Of_the_event_subscription()
    {
        Assert.Equal(Expected.EventSubscription, Snapshot.Last(Subscription.Name));
        Assert.Equal(Expected.EventSchema, Subscription["properties.eventDeliverySchema"]);
        Assert.Equal(Expected.Subject, Subscription["properties.filter.subjectBeginsWith"]);
        Assert.Equal(
            Expected.EventTypes,
            Subscription
                .Json.GetProperty("properties")
                .GetProperty("filter")
                .GetProperty("includedEventTypes")
                .EnumerateArray()
                .Select(type => type.GetString()!)
        );
        // The doctor takes any other filter for a fault.
        Assert.Equal(
            ["includedEventTypes", "subjectBeginsWith"],
            Subscription.Json.GetProperty("properties").GetProperty("filter").EnumerateObject().Select(f => f.Name)
        );
        Assert.Contains(
            $"{Expected.Webhook}&code=",
            Subscription["properties.destination.properties.endpointUrl"],
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Of_settings_that_have_one_right_value() =>
        Assert.All(Expected.Settings, setting => Assert.Equal(setting.Value, Settings[setting.Key]));

    [Fact]
    public void Of_every_setting_of_triggers_and_their_storage()
    {
        string[] known =
        [
            .. Expected.Settings.Keys,
            .. Expected.Needed.Except([Expected.Schedule]),
            .. Expected.Services.Keys,
        ];
        Assert.Equal(
            Settings
                .Keys.Where(name => Regex.IsMatch(name, "^(AzureWebJobs|ImagesStorage)"))
                .Order(StringComparer.Ordinal),
            known.Order(StringComparer.Ordinal)
        );
        Assert.Equal(Expected.UsualSchedule, Settings[Expected.Schedule]);
        Assert.Contains(Expected.WalkTime, Settings.Keys);
        Assert.Contains(Expected.WalkRequests, Settings.Keys);
    }

    [Fact]
    public void Of_functions()
    {
        Assert.Equal(
            BuiltFunctions.All.Select(f => f.Name).Order(StringComparer.Ordinal),
            Expected.Functions.Order(StringComparer.Ordinal)
        );
        Assert.Equal(Expected.EventFunction, BuiltFunctions.Landed.Name);
        Assert.Contains(
            BuiltFunctions.All,
            f => f.Name == Expected.TimerFunction && f.Of("schedule") == $"%{Expected.Schedule}%"
        );
    }

    [Fact]
    public void Of_roles_on_the_account_of_images() =>
        Assert.Equal(
            Snapshot
                .Main.Of("Microsoft.Authorization/roleAssignments")
                .Where(r =>
                    Snapshot.Last(r.Id.Split("/providers/Microsoft.Authorization/")[0]) == Snapshot.ImagesAccount
                )
                .Select(r => Snapshot.Last(r["properties.roleDefinitionId"]!))
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
            Expected.Roles.Keys.Order(StringComparer.Ordinal)
        );

    [Fact]
    public void Of_the_queue() =>
        Assert.Equal(
            [Expected.PoisonQueue],
            Snapshot.NamesInImagesAccount("Microsoft.Storage/storageAccounts/queueServices/queues")
        );

    [Fact]
    public void Of_versions_of_Azures_interfaces()
    {
        Assert.Equal(Expected.SitesVersion, Snapshot.Main.One("Microsoft.Web/sites")["apiVersion"]);
        Assert.Equal(Expected.EventsVersion, Subscription["apiVersion"]);
        Assert.All(
            Snapshot.Main.Of("Microsoft.Authorization/roleAssignments"),
            role => Assert.Equal(Expected.RolesVersion, role["apiVersion"])
        );
    }

    [Fact]
    public void Of_the_names_that_a_deployment_puts_out()
    {
        var outputs = Regex
            .Matches(Repo.Read("infra/main.bicep"), @"(?m)^output (\w+) ")
            .Select(m => m.Groups[1].Value);
        // The first is what azd, and step 1 without azd, set themselves.
        Assert.Empty(Installation.Variables.Except(outputs.Append("AZURE_SUBSCRIPTION_ID"), StringComparer.Ordinal));
    }
}
