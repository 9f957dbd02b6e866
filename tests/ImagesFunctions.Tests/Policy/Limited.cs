using System.Net;
using System.Text.Json.Nodes;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;
using static ImagesFunctions.Tests.Policy.Ruled;

namespace ImagesFunctions.Tests.Policy;

/// <summary>The account <c>alice</c> with a quota: what it takes by its rows <c>b</c>, and what is said of that.</summary>
internal static class Limited
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static Task SetAsync(Node node, long? bytes) =>
        node.Services.GetRequiredService<Quotas>().SetAsync("alice", bytes, Stop);

    /// <summary>Sets a quota that leaves so many bytes of room.</summary>
    public static async Task<UsedRow> LeaveAsync(Node node, long room)
    {
        var used = await InRowsAsync(node);
        await SetAsync(node, used.Bytes + room);
        return used;
    }

    public static async Task<UsedRow> InRowsAsync(Node node) =>
        (await node.Storage.ImageRows.RangeAsync("alice", Keys.All('b'), Stop))
            .Select(UsedRow.Of)
            .Aggregate(default(UsedRow), (a, b) => a + b);

    /// <summary>What is counted is what the rows add up to.</summary>
    public static async Task IsCountedAsync(Node node)
    {
        var (_, used) = await node.RowStore.QuotaAsync("alice", Stop);
        Assert.Equal(await InRowsAsync(node), used);
    }

    public static async Task<JsonNode> UsageAsync(Node node, string token)
    {
        var reply = await V1Async(node, token, "GET", "/v1/images/usage");
        Assert.True(reply.Status == HttpStatusCode.OK, reply.Text);
        return JsonNode.Parse(reply.Text)!["data"]!;
    }

    public static async Task<JsonArray> RefusedAsync(Node node, string token)
    {
        var reply = await V1Async(node, token, "GET", "/v1/images/problems");
        Assert.True(reply.Status == HttpStatusCode.OK, reply.Text);
        return JsonNode.Parse(reply.Text)!["data"]!["problems"]!.AsArray();
    }

    /// <summary>It was refused, with the two numbers and what was to come.</summary>
    public static void IsFull(Reply reply, long quota, long used, long more)
    {
        Assert.True(reply.Status == HttpStatusCode.Forbidden, $"{reply.Status} {reply.Text}");
        Assert.Equal("DENIED", reply.Code);
        Assert.Contains(
            $"The account alice may store {quota} bytes and stores {used}: {more} more do not fit.",
            reply.Text,
            StringComparison.Ordinal
        );
    }

    public static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        Random.Shared.NextBytes(bytes);
        return bytes;
    }

    public static Task<Reply> PutBlobAsync(NodeRegistry registry, byte[] bytes, string repository = "alice/web") =>
        registry.SendAsync("POST", $"/v2/{repository}/blobs/uploads/?digest={Layout.DigestOf(bytes)}", bytes);
}
