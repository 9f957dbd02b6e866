using System.Text.RegularExpressions;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Worker;

namespace ImagesFunctions.Tests.Infra;

/// <summary>How the Bicep connects a blob that lands with the app.</summary>
public sealed class DeployedEvents
{
    private static Snapshot Main => Snapshot.Main;

    [Fact]
    public void Events_of_new_blobs_of_the_container_go_to_the_function_that_waits_for_them()
    {
        var landed = Snapshot.Subscription.One("Microsoft.EventGrid/systemTopics/eventSubscriptions");
        var container = BuiltFunctions.Landed.Of("path")!.Split('/')[0];
        Assert.Equal(StorageAccount.ImagesContainer, container);
        Assert.Equal(
            "[\"Microsoft.Storage.BlobCreated\"]",
            Regex.Replace(landed["properties.filter.includedEventTypes"]!, @"\s", "")
        );
        Assert.Equal(
            $"/blobServices/default/containers/{container}/blobs/",
            landed["properties.filter.subjectBeginsWith"]
        );
        Assert.Equal("WebHook", landed["properties.destination.endpointType"]);
        Assert.Contains(
            $"/runtime/webhooks/blobs?functionName=Host.Functions.{BuiltFunctions.Landed.Name}&code=",
            landed["properties.destination.properties.endpointUrl"]
        );
        Assert.Equal("EventGridSchema", landed["properties.eventDeliverySchema"]);
    }

    [Theory]
    [InlineData("infra/subscribe.sh")]
    [InlineData("infra/subscribe.ps1")]
    public void The_step_after_a_deployment_has_what_it_asks_for_and_gives_what_the_subscription_asks_for(string script)
    {
        Assert.Contains($"run: {script}\n", Repo.Read("azure.yaml"));
        var outputs = Names("infra/main.bicep", @"(?m)^output (\w+) ").Append("AZURE_SUBSCRIPTION_ID");
        Assert.Empty(Names(script, @"\b((?:AZURE|IMAGES)_\w+)").Except([.. outputs, "IMAGES_RETRY_SECONDS"]));
        Assert.Equal(
            Names("infra/subscription.bicep", @"(?m)^param (\w+) ").Order(StringComparer.Ordinal),
            Names(script, @"\b(\w+Name)=").Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void An_event_that_cannot_be_delivered_for_a_day_is_kept_where_Event_Grid_may_write()
    {
        var landed = Snapshot.Subscription.One("Microsoft.EventGrid/systemTopics/eventSubscriptions");
        const string dead = "properties.deadLetterWithResourceIdentity.";
        Assert.Equal("SystemAssigned", landed[dead + "identity.type"]);
        Assert.Equal("SystemAssigned", Main.One("Microsoft.EventGrid/systemTopics")["identity.type"]);
        Assert.Contains(
            landed[dead + "deadLetterDestination.properties.blobContainerName"],
            Snapshot.NamesInImagesAccount("Microsoft.Storage/storageAccounts/blobServices/containers")
        );
        Assert.Equal("1440", landed["properties.retryPolicy.eventTimeToLiveInMinutes"]);
    }

    private static IEnumerable<string> Names(string file, string pattern) =>
        Regex.Matches(Repo.Read(file), pattern).Select(match => match.Groups[1].Value).Distinct(StringComparer.Ordinal);
}
