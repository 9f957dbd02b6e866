using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ImagesFunctions.Tests.Infra;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// docs/scale.md rests on how many storage requests each operation takes, and how many of them wait for one another: here they are
/// counted, and compared with its table.
/// </summary>
[TakesLong(seconds: 25)]
public sealed class RequestsPerOperation
{
    // The work between an answer and the next request takes a fraction of it.
    private static readonly TimeSpan s_quiet = TimeSpan.FromMilliseconds(100);

    [Fact]
    public async Task Are_what_the_document_says()
    {
        var connection = await Storages.NewWithTablesAsync();
        using var meter = new StorageMeter(AzureLimits.TablePortOf(connection));
        using var rounds = new StorageRounds(s_quiet * Math.Min(4, Slowness.Now), meter);
        await using var node = new Node(AzureLimits.AccountOver(connection, rounds));
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        var first = Image("first");
        Assert.Equal(HttpStatusCode.Created, (await registry.PushAsync("alice/web", first, "latest")).Status);
        await ListAsync(registry, token);
        var (dropped, tagged) = (Image("dropped"), Image("tagged", "v1"));
        await node.PutAsync("alice/dropped", dropped);
        await node.PutAsync("alice/tagged", tagged);

        var measured = new List<(string Operation, int[] Counts)>();
        foreach (var (operation, act) in Operations(node, registry, token, first, dropped, tagged))
        {
            // What is read once a minute is no operation's.
            node.RowStore.Recent.Forget("alice");
            await node.RowStore.Recent.GetAsync("alice", TestContext.Current.CancellationToken);
            meter.Reset();
            rounds.Take();
            await act();
            var (waits, log) = rounds.Take();
            var (tables, entities, blobs) = meter.Counts;
            measured.Add((operation, [tables, entities, blobs, waits]));
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"| {operation} | {tables} | {entities} | {blobs} | {waits} |\n{log}"
            );
        }

        var page = Repo.Read("docs/scale.md");
        Assert.All(measured, one => IsAsSaid(page, one.Operation, one.Counts));
    }

    /// <summary>What a push costs in all, and how many a second a namespace and an account take, follow from the table.</summary>
    [Fact]
    public void The_limits_follow_from_the_table()
    {
        var page = Repo.Read("docs/scale.md");
        var push = Said(page, "push of an image of two new blobs")
            .Zip(Said(page, "events of a pushed image"), (a, b) => a + b);
        var (tables, entities, blobs) = (push.ElementAt(0), push.ElementAt(1), push.ElementAt(2));
        var dropped = Said(page, "the same with a tag, all events at once")[1];

        Assert.Contains($"**{entities} entities and {tables + blobs} requests**", page, StringComparison.Ordinal);
        Assert.Contains($"| {2_000 / entities} a second, ", page, StringComparison.Ordinal);
        Assert.Contains($"| {2_000 / dropped} a second |", page, StringComparison.Ordinal);
        Assert.Contains($"| {20_000 / (tables + blobs)} a second, ", page, StringComparison.Ordinal);
        Assert.Contains($"**Pushes** stay at {2_000 / entities} a second", page, StringComparison.Ordinal);
    }

    // One after the other: each finds what those before it have left.
    private static (string Operation, Func<Task> Act)[] Operations(
        Node node,
        NodeRegistry registry,
        string token,
        Layout first,
        Layout dropped,
        Layout tagged
    ) =>
        [
            ("list, nothing has changed", () => ListAsync(registry, token)),
            .. OfPushes(node, registry, token),
            (
                "events of a dropped layout of three blobs",
                () => node.LandAsync(dropped.Files.Keys.Select(path => $"alice/dropped/{path}"))
            ),
            (
                "the same with a tag, all events at once",
                () => Task.WhenAll(tagged.Files.Keys.Select(path => node.LandAsync([$"alice/tagged/{path}"])))
            ),
            // The namespace of all others was noted by the push before them.
            (
                "besides, the first write of a process to a namespace within an hour",
                () => node.RowStore.Due.AnnounceAsync("bob", TestContext.Current.CancellationToken)
            ),
            (
                "delete of an image by its digest",
                () =>
                    ExpectAsync(
                        HttpStatusCode.Accepted,
                        registry.SendAsync("DELETE", $"/v2/alice/web/manifests/{first.FirstImage}")
                    )
            ),
        ];

    private static (string Operation, Func<Task> Act)[] OfPushes(Node node, NodeRegistry registry, string token)
    {
        var (second, third) = (Image("second"), Image("third"));
        var manifest = second.Files[Layout.PathOf(second.FirstImage)];
        Task CreatedAsync(Task<Reply> reply) => ExpectAsync(HttpStatusCode.Created, reply);
        Task PullAsync(string path) =>
            ExpectAsync(HttpStatusCode.OK, registry.SendAsync("GET", $"/v2/alice/web/{path}"));
        return
        [
            ("push of an image of two new blobs", () => CreatedAsync(PushAsync(registry, second, "next"))),
            ("list after one commit", () => ListAsync(registry, token)),
            ("the same in 5 requests of HTTP", () => CreatedAsync(PushInFiveAsync(registry, third, "third"))),
            ("event of a pushed blob", () => node.LandAsync([$"alice/web/{second.FirstLayer}"])),
            (
                "events of a pushed image",
                () =>
                    node.LandAsync(
                        third
                            .Files.Keys.Where(f => f.StartsWith("blobs/", StringComparison.Ordinal))
                            .Select(f => $"alice/web/{f}")
                    )
            ),
            (
                "tag moved to another image",
                () =>
                    CreatedAsync(
                        registry.SendAsync("PUT", "/v2/alice/web/manifests/latest", manifest, Layout.OciManifest)
                    )
            ),
            ("pull: manifest by tag", () => PullAsync("manifests/latest")),
            ("pull: one blob", () => PullAsync(DigestPath(second.FirstLayer))),
            (
                "asking whether a blob is there (HEAD), which it is",
                () =>
                    ExpectAsync(
                        HttpStatusCode.OK,
                        registry.SendAsync("HEAD", $"/v2/alice/web/{DigestPath(second.FirstLayer)}")
                    )
            ),
        ];
    }

    // Fewer is no fault, but far fewer makes the document's sums wrong.
    private static void IsAsSaid(string page, string operation, int[] counts)
    {
        Assert.All(
            counts.Zip(Said(page, operation)),
            pair => Assert.InRange(pair.First, pair.Second * 2 / 3, pair.Second)
        );
    }

    // Requests of tables, entities, requests of blobs, and rounds.
    private static int[] Said(string page, string operation)
    {
        var row = Regex.Match(page, $@"(?m)^\| {Regex.Escape(operation)} \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$");
        Assert.True(row.Success, operation);
        return [.. row.Groups.Values.Skip(1).Select(g => int.Parse(g.Value))];
    }

    private static Task ListAsync(NodeRegistry registry, string token) =>
        ExpectAsync(
            HttpStatusCode.OK,
            registry.SendAsync("GET", "/v1/images/list?namespace=alice", headers: ("Authorization", $"Bearer {token}"))
        );

    private static async Task ExpectAsync(HttpStatusCode status, Task<Reply> reply)
    {
        var got = await reply;
        Assert.True(got.Status == status, $"{got.Status} {got.Text}");
    }

    // As skopeo and docker do: is it there, a session, the bytes, the end; then the manifest.
    private static async Task<Reply> PushAsync(NodeRegistry registry, Layout layout, string tag)
    {
        foreach (var (path, bytes) in layout.Files.Where(f => f.Key.StartsWith("blobs/", StringComparison.Ordinal)))
        {
            var digest = path["blobs/".Length..].Replace('/', ':');
            if (digest == layout.FirstImage)
            {
                continue;
            }

            Assert.Equal(
                HttpStatusCode.NotFound,
                (await registry.SendAsync("HEAD", $"/v2/alice/web/blobs/{digest}")).Status
            );
            var session = await registry.SendAsync("POST", "/v2/alice/web/blobs/uploads/");
            var patched = await registry.SendAsync("PATCH", session["Location"]!, bytes, chunked: true);
            Assert.Equal(HttpStatusCode.Accepted, patched.Status);
            var put = await registry.SendAsync("PUT", $"{patched["Location"]}?digest={digest}");
            Assert.Equal(HttpStatusCode.Created, put.Status);
        }

        return await registry.SendAsync(
            "PUT",
            $"/v2/alice/web/manifests/{tag}",
            layout.Files[Layout.PathOf(layout.FirstImage)],
            Layout.OciManifest
        );
    }

    // As crane, oras and BuildKit may: is it there, and the whole blob at once.
    private static async Task<Reply> PushInFiveAsync(NodeRegistry registry, Layout layout, string tag)
    {
        foreach (var (path, bytes) in layout.Files.Where(f => f.Key.StartsWith("blobs/", StringComparison.Ordinal)))
        {
            var digest = path["blobs/".Length..].Replace('/', ':');
            if (digest != layout.FirstImage)
            {
                var head = await registry.SendAsync("HEAD", $"/v2/alice/web/blobs/{digest}");
                Assert.Equal(HttpStatusCode.NotFound, head.Status);
                var post = await registry.SendAsync("POST", $"/v2/alice/web/blobs/uploads/?digest={digest}", bytes);
                Assert.Equal(HttpStatusCode.Created, post.Status);
            }
        }

        return await registry.SendAsync(
            "PUT",
            $"/v2/alice/web/manifests/{tag}",
            layout.Files[Layout.PathOf(layout.FirstImage)],
            Layout.OciManifest
        );
    }

    private static string DigestPath(string path) =>
        path[..^64].Replace("sha256/", "sha256:", StringComparison.Ordinal) + path[^64..];

    private static Layout Image(string name, string? tag = null)
    {
        var layout = new Layout();
        var manifest = layout.AddManifest(
            layout.Add(Layout.OciConfig, new JsonObject { ["author"] = name }),
            layout.Add(Layout.OciTar, Layout.Tar("bin/program", $"the program of {name}"))
        );
        return layout.Index(tag is null ? manifest : Layout.Tagged(manifest, tag));
    }
}
