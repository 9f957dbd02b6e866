using System.Text.RegularExpressions;
using ImagesFunctions.Accounts;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Accounts;

/// <summary>A token that may not pull from a repository cannot tell it from none: not by the answer, and not by the work behind it.</summary>
public sealed class HiddenRepositories
{
    private const string Hidden = "alice/hidden";
    private const string Absent = "alice/absent";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Are_answered_as_absent_ones_with_as_many_requests_to_storage()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var image = Layout.Small("first");
        var owner = new NodeRegistry(node, "alice", await NodeRegistry.TokenAsync(node, "alice"));
        await owner.PushAsync(Hidden, image, "v1");
        await owner.PushAsync("alice/web", Layout.Small("seen"), "v1");
        Assert.Contains(Hidden, (await owner.SendAsync("GET", "/v2/_catalog")).Text, StringComparison.Ordinal);
        var grant = Grant.Parse("pull,push,delete", ["web"]);
        var (_, text) = await node.Services.GetRequiredService<Tokens>().CreateAsync("alice", null, grant, Stop);
        var registry = new NodeRegistry(node, "alice", text);
        var layer = Layout.DigestOf(image.Files[image.FirstLayer]);
        (string Method, string Path)[] requests =
        [
            ("GET", "/v2/{0}/manifests/v1"),
            ("HEAD", "/v2/{0}/manifests/v1"),
            ("GET", $"/v2/{{0}}/manifests/{image.FirstImage}"),
            ("GET", $"/v2/{{0}}/blobs/{layer}"),
            ("HEAD", $"/v2/{{0}}/blobs/{layer}"),
            ("GET", "/v2/{0}/tags/list"),
            ("GET", $"/v2/{{0}}/referrers/{image.FirstImage}"),
            ("DELETE", "/v2/{0}/manifests/v1"),
            ("DELETE", $"/v2/{{0}}/blobs/{layer}"),
            ("POST", "/v2/{0}/blobs/uploads/"),
            ("POST", $"/v2/alice/web/blobs/uploads/?mount={layer}&from={{0}}"),
            ("GET", "/boot/{0}/v1"),
        ];
        foreach (var (method, path) in requests)
        {
            // Whatever is remembered for a while is there, for both.
            await AskAsync(method, path, Absent);
            await AskAsync(method, path, Hidden);

            Assert.Equal(await AskAsync(method, path, Absent), await AskAsync(method, path, Hidden));
        }

        async Task<string> AskAsync(string method, string path, string repository)
        {
            var before = node.Calls.Count;
            var reply = await registry.SendAsync(method, path.Replace("{0}", repository, StringComparison.Ordinal));
            var said = Regex.Replace(
                reply.Text.Replace(repository, "…", StringComparison.Ordinal),
                "\"op_time_us\":[0-9]+",
                ""
            );
            return $"{method} {path}: {reply.Status} {node.Calls.Count - before} calls {said}";
        }
    }
}
