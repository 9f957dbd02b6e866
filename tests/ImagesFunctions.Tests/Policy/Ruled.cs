using System.Net;
using System.Text;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Policy;

/// <summary>An account with a rule, and what its clients ask and are told.</summary>
internal static class Ruled
{
    public const string Rules = """{"immutable":[{"repositories":["web/**","dropped"],"tags":["v*"]}]}""";
    public const string Named = "immutable: repositories web/**, dropped; tags v*";

    public static async Task SetAsync(Node node, string token, string rules)
    {
        var reply = await V1Async(node, token, "PUT", "/v1/images/rules", rules);
        Assert.True(reply.Status == HttpStatusCode.OK, reply.Text);
    }

    public static Task<Reply> V1Async(Node node, string token, string method, string target, string? body = null) =>
        new NodeRegistry(node, "alice", token).SendAsync(
            method,
            target,
            body is null ? null : Encoding.UTF8.GetBytes(body),
            headers: ("Authorization", $"Bearer {token}")
        );

    public static async Task CreatedAsync(Task<Reply> push)
    {
        var reply = await push;
        Assert.True(reply.Status == HttpStatusCode.Created, reply.Text);
    }

    public static async Task AcceptedAsync(NodeRegistry registry, string path)
    {
        var reply = await registry.SendAsync("DELETE", path);
        Assert.True(reply.Status == HttpStatusCode.Accepted, reply.Text);
    }

    public static async Task DeniedAsync(Task<Reply> request) => IsDenied(await request);

    public static void IsDenied(Reply reply)
    {
        Assert.True(reply.Status == HttpStatusCode.Forbidden, $"{reply.Status} {reply.Text}");
        Assert.Equal("DENIED", reply.Code);
        Assert.Contains(Named, reply.Text, StringComparison.Ordinal);
    }
}
