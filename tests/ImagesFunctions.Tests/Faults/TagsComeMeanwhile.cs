using System.Net;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Faults;

/// <summary>A tag is pushed while another process deletes it: who is told that there was none has not removed it.</summary>
public sealed class TagsComeMeanwhile
{
    private const string Repo = "alice/web";

    [Fact]
    public async Task Before_any_call_of_a_delete_they_are_removed_and_that_is_told_or_they_stay()
    {
        await using var outside = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(outside, "alice");
        var others = new NodeRegistry(outside, "alice", token);
        var image = Layout.Small("meanwhile", "v1");
        Assert.Equal(HttpStatusCode.Created, (await others.PushAsync(Repo, image, "kept")).Status);
        var manifest = image.Files[Layout.PathOf(image.FirstImage)];
        var removed = 0;
        for (var (call, calls) = (1, 1); call <= calls; call++)
        {
            await using var node = new Node(outside.Connection);
            var (path, isPushed) = ($"/v2/{Repo}/manifests/v{call}", false);
            node.Calls.RunBefore(
                call,
                async () =>
                {
                    var push = await others.SendAsync("PUT", path, manifest, Layout.OciManifest);
                    isPushed = push.Status == HttpStatusCode.Created;
                    Assert.True(isPushed);
                }
            );

            var told = (await new NodeRegistry(node, "alice", token).SendAsync("DELETE", path)).Status;

            calls = node.Calls.Count;
            var there = (await others.SendAsync("HEAD", path)).Status;
            // Where there is no tag, a delete has fewer calls.
            var isThere = isPushed && told != HttpStatusCode.Accepted;
            Assert.Equal(isThere ? HttpStatusCode.OK : HttpStatusCode.NotFound, there);
            removed += told == HttpStatusCode.Accepted ? 1 : 0;
        }

        Assert.NotEqual(0, removed);
    }
}
