using System.Net;
using System.Security.Cryptography;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// A push to one process is held before one of its storage calls while another process does something from beginning to
/// end; then the push goes on. Once for every call of the push, or for a sample of them.
/// </summary>
[TakesLong(seconds: 30)]
public sealed class PushInterleavings
{
    private const string Namespace = "alice";
    private const string Repo = "alice/web";

    [ScheduleFact]
    public async Task A_push_of_what_is_there_writes_its_row_anew_so_that_a_sweeper_who_has_read_it_stops()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var client = new NodeRegistry(node, Namespace, await NodeRegistry.TokenAsync(node, Namespace));
        foreach (var length in new[] { 10, 5_000_000 })
        {
            var bytes = RandomNumberGenerator.GetBytes(length);
            var digest = Layout.DigestOf(bytes);
            var etags = new List<string>();
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal(HttpStatusCode.Created, (await BlobAsync(client, digest, bytes)).Status);
                var row = await node.RowStore.BlobAsync(
                    new BlobPath(Node.Repository(Repo), Node.Digest(digest)),
                    TestContext.Current.CancellationToken
                );
                etags.Add(row!.RowETag.ToString());
            }

            Assert.Equal(3, etags.Distinct(StringComparer.Ordinal).Count());
        }
    }

    [ScheduleFact]
    public Task A_manifest_against_the_delete_of_its_layer_is_either_refused_or_keeps_it()
    {
        var layout = Layout.Small("one");
        var layer = DigestOf(layout.FirstLayer);
        return EachAsync(
            layout,
            prepare: (client, _) => BlobsAsync(client, layout),
            push: client => ManifestAsync(client, layout),
            other: (client, _) => client.SendAsync("DELETE", $"/v2/{Repo}/blobs/{layer}"),
            check: (pushed, deleted, listed) =>
            {
                Assert.Contains(
                    (pushed.Status, deleted.Status),
                    new[]
                    {
                        (HttpStatusCode.Created, HttpStatusCode.MethodNotAllowed),
                        (HttpStatusCode.NotFound, HttpStatusCode.Accepted),
                    }
                );
                Assert.Equal(pushed.Status == HttpStatusCode.Created ? 1 : 0, listed.Length);
            }
        );
    }

    [ScheduleFact]
    public Task A_manifest_against_its_own_delete_ends_as_if_one_came_after_the_other()
    {
        var layout = Layout.Small("one");
        return EachAsync(
            layout,
            prepare: (client, _) => client.PushAsync(Repo, layout, "old"),
            push: client => ManifestAsync(client, layout),
            other: (client, _) => client.SendAsync("DELETE", $"/v2/{Repo}/manifests/{layout.FirstImage}"),
            check: (pushed, deleted, listed) =>
            {
                Assert.Equal(HttpStatusCode.Accepted, deleted.Status);
                // Deleted first: pushed anew with its own tag only. Pushed first: gone with both.
                Assert.Equal(HttpStatusCode.Created, pushed.Status);
                Assert.Contains(string.Join("; ", listed), new[] { "", $"web@{layout.FirstImage} latest" });
            }
        );
    }

    [ScheduleFact]
    public Task A_blob_against_its_own_delete_is_there_or_not_and_its_row_says_so()
    {
        var layout = Layout.Small("one");
        var (path, layer) = (layout.FirstLayer, DigestOf(layout.FirstLayer));
        return EachAsync(
            layout,
            prepare: (client, _) => BlobsAsync(client, layout),
            push: client => BlobAsync(client, layer, layout.Files[path]),
            other: (client, _) => client.SendAsync("DELETE", $"/v2/{Repo}/blobs/{layer}"),
            check: (pushed, deleted, _) =>
            {
                Assert.Equal(HttpStatusCode.Created, pushed.Status);
                Assert.Equal(HttpStatusCode.Accepted, deleted.Status);
            },
            // Pushed again it is there, whatever happened.
            after: async (client, _) =>
            {
                Assert.Equal(HttpStatusCode.Created, (await BlobAsync(client, layer, layout.Files[path])).Status);
                Assert.Equal(layout.Files[path], (await client.SendAsync("GET", $"/v2/{Repo}/blobs/{layer}")).Bytes);
            }
        );
    }

    [ScheduleFact]
    public Task Two_pushes_of_one_image_both_succeed() => TwoPushesAsync(everyCall: 13);

    [LongFact]
    public Task Two_pushes_of_one_image_both_succeed_at_every_call() => TwoPushesAsync(everyCall: 1);

    [LongFact]
    public async Task Of_all_others_at_every_call()
    {
        await A_manifest_against_the_delete_of_its_layer_is_either_refused_or_keeps_it();
        await A_manifest_against_its_own_delete_ends_as_if_one_came_after_the_other();
        await A_blob_against_its_own_delete_is_there_or_not_and_its_row_says_so();
    }

    private static Task TwoPushesAsync(int everyCall)
    {
        var layout = Layout.Small("one");
        return EachAsync(
            layout,
            prepare: (_, _) => Task.CompletedTask,
            push: client => client.PushAsync(Repo, layout, "latest"),
            other: (client, _) => client.PushAsync(Repo, layout, "other"),
            check: (pushed, other, listed) =>
            {
                Assert.Equal(HttpStatusCode.Created, pushed.Status);
                Assert.Equal(HttpStatusCode.Created, other.Status);
                Assert.Equal($"web@{layout.FirstImage} latest other", Assert.Single(listed));
            },
            everyCall: everyCall
        );
    }

    [ScheduleFact]
    public Task A_push_against_a_drop_of_the_same_image_makes_one_image_with_both_tags() => DropAsync(everyCall: 17);

    [LongFact]
    public Task A_push_against_a_drop_of_the_same_image_makes_one_image_with_both_tags_at_every_call() =>
        DropAsync(everyCall: 1);

    private static Task DropAsync(int everyCall)
    {
        var layout = Layout.Small("one", "dropped");
        return EachAsync(
            layout,
            prepare: (_, _) => Task.CompletedTask,
            push: client => client.PushAsync(Repo, layout, "latest"),
            other: async (_, node) =>
            {
                await node.PutAsync(Repo, layout);
                await node.StartAsync();
                return new Reply(HttpStatusCode.OK, new Dictionary<string, string>(StringComparer.Ordinal), []);
            },
            check: (pushed, _, listed) =>
            {
                Assert.Equal(HttpStatusCode.Created, pushed.Status);
                Assert.Equal($"web@{layout.FirstImage} dropped latest", Assert.Single(listed));
            },
            everyCall: everyCall
        );
    }

    private static async Task EachAsync(
        Layout layout,
        Func<NodeRegistry, Node, Task> prepare,
        Func<NodeRegistry, Task<Reply>> push,
        Func<NodeRegistry, Node, Task<Reply>> other,
        Action<Reply, Reply, string[]> check,
        Func<NodeRegistry, Node, Task>? after = null,
        int everyCall = 3
    )
    {
        everyCall = LongFactAttribute.Every(everyCall);
        var call = 1 + Random.Shared.Next(everyCall);
        for (var calls = everyCall; call <= calls; call += everyCall)
        {
            var connection = await Storages.NewWithTablesAsync();
            await using var one = new Node(connection);
            await using var two = new Node(connection);
            var token = await NodeRegistry.TokenAsync(two, Namespace);
            var (first, second) = (new NodeRegistry(one, Namespace, token), new NodeRegistry(two, Namespace, token));
            await prepare(second, two);
            Reply? others = null;
            one.Calls.RunBefore(call, async () => others = await other(second, two));

            var pushed = await push(first);

            calls = one.Calls.Count;
            if (others is null)
            {
                // One call fewer this time.
                break;
            }

            await CheckAsync(
                two,
                listed => check(pushed, others, listed),
                $"before call {call} of {calls}\n{pushed.Text}\n{others.Text}"
            );
            if (after is not null)
            {
                await after(second, two);
            }
        }

        Assert.True(call > 3, "The push was held hardly ever.");
        TestContext.Current.TestOutputHelper?.WriteLine($"{call - 1} calls, each {everyCall}. of them held");
    }

    private static async Task CheckAsync(Node node, Action<string[]> check, string what)
    {
        await Invariants.HoldAsync(node, Namespace);
        await node.StartAsync();
        await Invariants.SettledAsync(node, Namespace);
        try
        {
            check(await node.ListedAsync(Namespace));
        }
        catch (Xunit.Sdk.XunitException error)
        {
            Assert.Fail($"{error.Message}\n{what}");
        }
    }

    private static async Task BlobsAsync(NodeRegistry client, Layout layout)
    {
        foreach (var (path, bytes) in layout.Files.Where(f => f.Key.StartsWith("blobs/", StringComparison.Ordinal)))
        {
            if (DigestOf(path) != layout.FirstImage)
            {
                Assert.Equal(HttpStatusCode.Created, (await BlobAsync(client, DigestOf(path), bytes)).Status);
            }
        }
    }

    private static Task<Reply> BlobAsync(NodeRegistry client, string digest, byte[] bytes) =>
        client.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/?digest={digest}", bytes);

    private static Task<Reply> ManifestAsync(NodeRegistry client, Layout layout) =>
        client.SendAsync(
            "PUT",
            $"/v2/{Repo}/manifests/latest",
            layout.Files[Layout.PathOf(layout.FirstImage)],
            Layout.OciManifest
        );

    private static string DigestOf(string path) => path["blobs/".Length..].Replace('/', ':');
}
