using System.Text.Json;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Local;

/// <summary>Checks of the event subscription: that it is there, what it lets through, and where that goes.</summary>
internal sealed class SubscriptionChecks(Examined examined, Management management, Installation installation)
{
    private const string Subscription = "event subscription";

    /// <summary>Looks. Its address is compared without its query, which has the key.</summary>
    public Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellationToken) =>
        Look.AtAsync(Subscription, examined.Deadline, LookAsync, cancellationToken);

    private async Task<IReadOnlyList<Check>> LookAsync(CancellationToken cancellationToken)
    {
        JsonElement topic;
        try
        {
            topic = await AskAsync(installation.TopicId, cancellationToken);
        }
        catch (ManagementException error) when (error.Status == StatusCodes.Status404NotFound)
        {
            return [new Check(Subscription, Check.Failed, $"there is no topic {installation.Topic}", Mends.Provision)];
        }

        try
        {
            var subscription = await AskAsync(
                $"{installation.TopicId}/eventSubscriptions/{Expected.EventSubscription}",
                cancellationToken
            );
            return [OfState(topic, subscription), OfFilter(subscription), OfDelivery(subscription)];
        }
        catch (ManagementException error) when (error.Status == StatusCodes.Status404NotFound)
        {
            return
            [
                new Check(
                    Subscription,
                    Check.Failed,
                    $"there is none that is called {Expected.EventSubscription}",
                    Mends.Subscribe
                ),
            ];
        }
    }

    private Check OfState(JsonElement topic, JsonElement subscription)
    {
        var found = new Findings();
        var account = examined.Storage.Images.AccountName;
        if (topic.Text("properties.source")?.Split('/')[^1] is var source && source != account)
        {
            found.Fail($"its topic tells of the account {source}, and not of {account}", Mends.Provision);
        }

        if (subscription.Text("properties.provisioningState") is var state && state != "Succeeded")
        {
            found.Fail($"it is {state ?? "in no state"}", Mends.Subscribe);
        }

        return found.ToCheck(Subscription, Expected.EventSubscription);
    }

    private static Check OfFilter(JsonElement subscription)
    {
        var found = new Findings();
        var types = subscription.Items("properties.filter.includedEventTypes").Select(t => t.ToString()).ToList();
        if (!types.ToHashSet(StringComparer.OrdinalIgnoreCase).SetEquals(Expected.EventTypes))
        {
            found.Fail($"it passes on {(types.Count == 0 ? "all types" : string.Join(", ", types))}", Mends.Subscribe);
        }

        var subject = subscription.Text("properties.filter.subjectBeginsWith") ?? "";
        if (subject != Expected.Subject)
        {
            var isWider = Expected.Subject.StartsWith(subject, StringComparison.Ordinal);
            (isWider ? (Action<string, string>)found.Warn : found.Fail)(
                $"its subjects begin with '{subject}', and have to with {Expected.Subject}",
                Mends.Subscribe
            );
        }

        if (subscription.Text("properties.filter.subjectEndsWith") is { Length: > 0 } end)
        {
            found.Fail($"it passes on only what ends with '{end}'", Mends.Subscribe);
        }

        if (subscription.Items("properties.filter.advancedFilters").Any())
        {
            found.Fail("it has advanced filters", Mends.Subscribe);
        }

        return found.ToCheck("event filter", $"new blobs of {StorageAccount.ImagesContainer}");
    }

    private Check OfDelivery(JsonElement subscription)
    {
        var found = new Findings();
        var path = Expected.Webhook.Split('?')[0];
        var address = subscription.Text("properties.destination.properties.endpointBaseUrl");
        if (
            subscription.Text("properties.destination.endpointType") != "WebHook"
            || !Uri.TryCreate(address, UriKind.Absolute, out var called)
            || called.AbsolutePath != path
            || !called.Host.StartsWith(installation.App, StringComparison.OrdinalIgnoreCase)
        )
        {
            found.Fail(
                $"events go to {address ?? "no web hook"}, and not to {path} of {installation.App}",
                Mends.Subscribe
            );
        }

        if (subscription.Text("properties.eventDeliverySchema") is var schema && schema != Expected.EventSchema)
        {
            found.Fail($"events have the form {schema}, and have to have {Expected.EventSchema}", Mends.Subscribe);
        }

        var kept = subscription.Text(
            "properties.deadLetterWithResourceIdentity.deadLetterDestination.properties.blobContainerName"
        );
        if (kept != StorageAccount.DeadLettersContainer)
        {
            found.Fail(
                $"events that are given up {(kept is null ? "are lost" : $"go to {kept}")}, and have to go to {StorageAccount.DeadLettersContainer}",
                Mends.Subscribe
            );
        }

        return found.ToCheck("event delivery", $"to {path} of {installation.App}");
    }

    private Task<JsonElement> AskAsync(string path, CancellationToken cancellationToken) =>
        Management.AllowedAsync(
            stop => management.GetAsync(path, Expected.EventsVersion, stop),
            examined.Mends.RoleToAsk("Reader"),
            cancellationToken
        );
}
