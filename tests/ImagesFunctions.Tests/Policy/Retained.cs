using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Azure.Core;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Policy;

/// <summary>Rules of retention, and manifests that are pushed where they hold.</summary>
internal static class Retained
{
    /// <summary>What removes all that nothing keeps.</summary>
    public const string All = """{"untagged_after":"7d","not_pushed_for":"30d"}""";

    /// <summary>What removes all that was neither pushed nor pulled within the last second.</summary>
    public const string Unpulled = """{"not_pulled_for":"1s"}""";

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

    /// <summary>A pull, or what looks like one.</summary>
    public static async Task PulledAsync(
        NodeRegistry registry,
        string method,
        string reference,
        HttpStatusCode status = HttpStatusCode.OK,
        params (string Name, string Value)[] headers
    )
    {
        var reply = await registry.SendAsync(method, $"/v2/alice/web/manifests/{reference}", headers: headers);
        Assert.True(reply.Status == status, $"{method} {reference}: {reply.Status} {reply.Text}");
    }

    /// <summary>What is written down of pulls, in the order of digests.</summary>
    public static async Task<IReadOnlyList<PulledRow>> PullsAsync(Node node, string account) =>
        [
            .. (await node.RowStore.RangeAsync(account, Keys.All('l'), TestContext.Current.CancellationToken)).Select(
                PulledRow.From
            ),
        ];

    /// <summary>Takes what is written down of pulls away.</summary>
    public static async Task RemovePullsAsync(Node node)
    {
        foreach (var pulled in await PullsAsync(node, "alice"))
        {
            var change = new Change(pulled.Key, null);
            Assert.True(
                (await node.Storage.ImageRows.PutAsync("alice", change, TestContext.Current.CancellationToken)).IsDone
            );
        }
    }

    /// <summary>Makes it so that pulls were written down for so long already.</summary>
    public static Task NotedSinceAsync(Node node, string account, TimeSpan ago) =>
        node.RowStore.CommitAsync(
            account,
            async (view, stop) =>
            {
                var row = RulesRow.FromOrNull(await view.GetAsync(Keys.Rules, stop))!;
                var earlier = row with { PullsNotedSince = row.PullsNotedSince - ago };
                return Decision.Of(0, [new Change(Keys.Rules, earlier.ToRow())]);
            },
            TestContext.Current.CancellationToken
        );

    /// <summary>The body of a transaction; null for any other request.</summary>
    public static async Task<string?> BodyOfAsync(HttpMessage message)
    {
        if (
            message.Request is not { Content: { } content, Uri: { } uri }
            || !uri.ToString().Contains("$batch", StringComparison.Ordinal)
        )
        {
            return null;
        }

        using var body = new MemoryStream();
        await content.WriteToAsync(body, TestContext.Current.CancellationToken);
        return Uri.UnescapeDataString(Encoding.UTF8.GetString(body.ToArray()));
    }
}
