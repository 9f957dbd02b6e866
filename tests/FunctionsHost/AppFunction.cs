using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;

namespace ImagesFunctions.FunctionsHost;

/// <summary>A function of the app, as the build or the worker describes it to the host.</summary>
/// <param name="Metadata">The description: name, entry point and more.</param>
/// <param name="Trigger">Its one trigger: name, type and what belongs to the type.</param>
public sealed record AppFunction(JsonObject Metadata, JsonObject Trigger)
{
    private readonly TemplateMatcher? _route =
        Text(Trigger, "type") == "httpTrigger"
            ? new TemplateMatcher(TemplateParser.Parse(Text(Trigger, "route")!), [])
            : null;

    /// <summary>Its name, by which settings disable it and HTTP functions are ordered.</summary>
    public string Name => Text(Metadata, "name")!;

    /// <summary>The id by which the host calls it; only a worker gives it one.</summary>
    public string Id => Text(Metadata, "functionId")!;

    /// <summary><c>httpTrigger</c>, <c>blobTrigger</c> or <c>timerTrigger</c>.</summary>
    public string TriggerType => Text(Trigger, "type")!;

    /// <summary>The name of the parameter that the trigger fills.</summary>
    public string TriggerName => Text(Trigger, "name")!;

    /// <summary>The methods of an HTTP trigger, in lower case as they are declared.</summary>
    public IReadOnlyList<string> Methods => [.. Trigger["methods"]!.AsArray().Select(m => m!.GetValue<string>())];

    /// <summary>A member of the trigger: <c>route</c>, <c>path</c>, <c>source</c>, <c>connection</c>, <c>schedule</c>; null where it has none.</summary>
    public string? Of(string member) => Text(Trigger, member);

    /// <summary>The functions that a build has written to <c>functions.metadata</c> in this folder, by name.</summary>
    public static IReadOnlyList<AppFunction> InFolder(string app) =>
        Ordered(
            JsonNode
                .Parse(File.ReadAllBytes(Path.Combine(app, "functions.metadata")))!
                .AsArray()
                .Select(one => From(one!.AsObject(), one["bindings"]!.AsArray().Select(b => b!.AsObject())))
        );

    /// <summary>The functions in a worker's <c>functionMetadataResponse</c>, by name: the order in which routes are tried.</summary>
    internal static IReadOnlyList<AppFunction> In(JsonObject response) =>
        Ordered(
            response["functionMetadataResults"]!
                .AsArray()
                .Select(one => From(one!.AsObject(), one["rawBindings"]!.AsArray().Select(Parsed)))
        );

    /// <summary>Whether an HTTP trigger takes this request.</summary>
    internal bool Takes(HttpRequest request) =>
        _route is not null
        && Methods.Contains(request.Method, StringComparer.OrdinalIgnoreCase)
        && _route.TryMatch(request.Path, new RouteValueDictionary());

    private static AppFunction From(JsonObject metadata, IEnumerable<JsonObject> bindings) =>
        new(metadata, bindings.Single(b => Text(b, "type")!.EndsWith("Trigger", StringComparison.OrdinalIgnoreCase)));

    private static IReadOnlyList<AppFunction> Ordered(IEnumerable<AppFunction> functions) =>
        [.. functions.OrderBy(function => function.Name, StringComparer.OrdinalIgnoreCase)];

    private static JsonObject Parsed(JsonNode? text) => JsonNode.Parse(text!.GetValue<string>())!.AsObject();

    private static string? Text(JsonObject json, string name) => json[name]?.GetValue<string>();
}
