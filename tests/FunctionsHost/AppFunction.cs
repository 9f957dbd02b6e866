using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;

namespace ImagesFunctions.FunctionsHost;

/// <summary>A function as the worker describes it to the host.</summary>
/// <param name="Metadata">The worker's description: name, entry point, and each binding.</param>
/// <param name="Trigger">Its one trigger: name, type and what belongs to the type.</param>
public sealed record AppFunction(JsonObject Metadata, JsonObject Trigger)
{
    private readonly TemplateMatcher? _route =
        Text(Trigger, "type") == "httpTrigger"
            ? new TemplateMatcher(TemplateParser.Parse(Text(Trigger, "route")!), [])
            : null;

    /// <summary>Its name, by which settings disable it and HTTP functions are ordered.</summary>
    public string Name => Text(Metadata, "name")!;

    /// <summary>The id by which the host calls it.</summary>
    public string Id => Text(Metadata, "functionId")!;

    /// <summary><c>httpTrigger</c>, <c>blobTrigger</c> or <c>timerTrigger</c>.</summary>
    public string TriggerType => Text(Trigger, "type")!;

    /// <summary>The name of the parameter that the trigger fills.</summary>
    public string TriggerName => Text(Trigger, "name")!;

    /// <summary>The methods of an HTTP trigger, in lower case as they are declared.</summary>
    public IReadOnlyList<string> Methods => [.. Trigger["methods"]!.AsArray().Select(m => m!.GetValue<string>())];

    /// <summary>The descriptions in a worker's <c>functionMetadataResponse</c>, by name: the order in which routes are tried.</summary>
    internal static IReadOnlyList<AppFunction> In(JsonObject response) =>
        [
            .. response["functionMetadataResults"]!
                .AsArray()
                .Select(metadata => new AppFunction(metadata!.AsObject(), TriggerOf(metadata)))
                .OrderBy(function => function.Name, StringComparer.OrdinalIgnoreCase),
        ];

    /// <summary>Whether an HTTP trigger takes this request.</summary>
    internal bool Takes(HttpRequest request) =>
        _route is not null
        && Methods.Contains(request.Method, StringComparer.OrdinalIgnoreCase)
        && _route.TryMatch(request.Path, new RouteValueDictionary());

    private static JsonObject TriggerOf(JsonNode metadata) =>
        metadata["rawBindings"]!
            .AsArray()
            .Select(binding => JsonNode.Parse(binding!.GetValue<string>())!.AsObject())
            .Single(binding => Text(binding, "type")!.EndsWith("Trigger", StringComparison.OrdinalIgnoreCase));

    private static string? Text(JsonObject json, string name) => json[name]?.GetValue<string>();
}
