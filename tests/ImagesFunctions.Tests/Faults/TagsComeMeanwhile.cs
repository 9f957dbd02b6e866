using System.Net;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Faults;

/// <summary>A tag is pushed while another process deletes it: who is told that there was none has not removed it.</summary>
public sealed class TagsComeMeanwhile
{
    private const string Repo = "alice/web";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Before_any_call_of_a_delete_they_are_removed_and_that_is_told_or_they_stay()
    {
        await using var outside = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(outside, "alice");
        var others = new NodeRegistry(outside, "alice", token);
        var image = Layout.Small("meanwhile", "v1");
        Assert.Equal(HttpStatusCode.Created, (await others.PushAsync(Repo, image, "kept")).Status);
        var manifest = image.Files[Layout.PathOf(image.FirstImage)];
        var answers = new HashSet<HttpStatusCode>();

        for (var (call, calls) = (1, 1); call <= calls; call++)
        {
            await using var node = new Node(outside.Connection);
            var (tag, isPushed) = ($"v{call}", false);
            node.Calls.RunBefore(
                call,
                async () =>
                {
                    var push = await others.SendAsync(
                        "PUT",
                        $"/v2/{Repo}/manifests/{tag}",
                        manifest,
                        Layout.OciManifest
                    );
                    Assert.Equal(HttpStatusCode.Created, push.Status);
                    isPushed = true;
                }
            );

            var delete = await new NodeRegistry(node, "alice", token).SendAsync(
                "DELETE",
                $"/v2/{Repo}/manifests/{tag}"
            );

            calls = node.Calls.Count;
            if (!isPushed)
            {
                // Where there is no tag, a delete has fewer calls.
                break;
            }

            answers.Add(delete.Status);
            var there = (await others.SendAsync("HEAD", $"/v2/{Repo}/manifests/{tag}")).Status;
            Assert.Equal(
                delete.Status == HttpStatusCode.Accepted
                    ? (HttpStatusCode.Accepted, HttpStatusCode.NotFound)
                    : (HttpStatusCode.NotFound, HttpStatusCode.OK),
                (delete.Status, there)
            );
            Stop.ThrowIfCancellationRequested();
        }

        Assert.Equal([HttpStatusCode.Accepted, HttpStatusCode.NotFound], answers.Order());
    }
}
