using System.Text.Json.Nodes;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Policy;

/// <summary>Rules of retention, and manifests that are pushed where they hold.</summary>
internal static class Retained
{
    /// <summary>What removes all that nothing keeps.</summary>
    public const string All = """{"untagged_after":"7d","not_pushed_for":"30d"}""";

    /// <summary>A document of one rule.</summary>
    public static string Rules(string repository, string? keep, string remove)
    {
        var kept = keep is null ? "" : $"\"keep\":{keep},";
        return $$"""{"retention":[{"repositories":["{{repository}}"],{{kept}}"remove":{{remove}}}]}""";
    }

    public static Task<Reply> PutAsync(NodeRegistry registry, Layout layout, JsonObject manifest, string reference) =>
        registry.SendAsync(
            "PUT",
            $"/v2/alice/web/manifests/{reference}",
            layout.Files[Layout.PathOf(Layout.Digest(manifest))],
            manifest["mediaType"]!.GetValue<string>()
        );
}
