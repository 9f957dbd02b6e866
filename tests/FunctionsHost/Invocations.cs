using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace ImagesFunctions.FunctionsHost;

/// <summary>The <c>invocationRequest</c> for each kind of trigger, as the Functions host fills it.</summary>
internal static class Invocations
{
    /// <summary>A request: the worker takes it over HTTP, and learns here which function it is for.</summary>
    public static JsonObject OfRequest(AppFunction function) => Of(function, new() { ["http"] = new JsonObject() }, []);

    /// <summary>A blob at a path of the container that the trigger watches, as a reference to it.</summary>
    public static JsonObject OfBlob(AppFunction function, string path)
    {
        var content = new JsonObject
        {
            ["Connection"] = function.Of("connection"),
            ["ContainerName"] = function.Of("path")!.Split('/')[0],
            ["BlobName"] = path,
        };
        var data = new JsonObject
        {
            ["version"] = "1.0",
            ["source"] = "AzureStorageBlobs",
            ["contentType"] = "application/json",
            ["content"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(content.ToJsonString())),
        };
        return Of(
            function,
            new() { ["modelBindingData"] = data },
            new() { ["name"] = new JsonObject { ["string"] = path } }
        );
    }

    /// <summary>A tick of a timer that is not late.</summary>
    public static JsonObject OfTimer(AppFunction function) =>
        Of(
            function,
            new() { ["json"] = """{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}""" },
            []
        );

    private static JsonObject Of(AppFunction function, JsonObject data, JsonObject triggerMetadata)
    {
        var trace = string.Create(
            CultureInfo.InvariantCulture,
            $"00-{Guid.NewGuid():N}-{Random.Shared.NextInt64(1, long.MaxValue):x16}-00"
        );
        return new()
        {
            ["functionId"] = function.Id,
            ["inputData"] = new JsonArray(new JsonObject { ["name"] = function.TriggerName, ["data"] = data }),
            ["triggerMetadata"] = triggerMetadata,
            ["traceContext"] = new JsonObject { ["traceParent"] = trace },
        };
    }
}
