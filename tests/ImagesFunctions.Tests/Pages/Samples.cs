using System.Text.Json.Nodes;
using ImagesFunctions.Local;

namespace ImagesFunctions.Tests.Pages;

/// <summary>What the pages show in tests.</summary>
internal static class Samples
{
    /// <summary>Drops the sample unikernel, for two platforms, as <c>hello:latest</c> of an account, and waits until it is listed.</summary>
    /// <returns>The digest of its index.</returns>
    public static async Task<string> HelloAsync(this RunningHost host, string account)
    {
        var files = SampleImage.Layout();
        foreach (var (path, content) in files)
        {
            await host.FileAsync($"{account}/hello/{path}", content);
        }

        await Until.TrueAsync(
            async () => (await host.StatusAsync(account)).Listed.Any(i => i.Repository == $"{account}/hello"),
            () => host.ExplainAsync(account)
        );
        return JsonNode.Parse(files[^1].Content)!["manifests"]![0]!["digest"]!.GetValue<string>();
    }
}
