using System.Text.Json;
using Azure.Data.Tables;
using ImagesFunctions.Accounts;
using ImagesFunctions.Images;
using ImagesFunctions.Ingest;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Listing;

public sealed class ListsUnderLoadTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_waits_for_a_later_commit_gets_it_from_the_next_catch_up_however_many_wait()
    {
        await using var node = await SeededAsync(Images(1));
        var kept = new KeptList(node.RowStore, node.ImageRows, new ListSnapshots(node.Storage), "alice", null);
        await kept.AtLeastAsync(new JournalVersion(1, null), Stop);
        var scanned = node.Calls.Count;
        foreach (var tag in Enumerable.Range(1, 8))
        {
            await TagAsync(node, $"v{tag}");
        }

        var gate = new TaskCompletionSource();
        node.Calls.Before = async (_, _) => await gate.Task;
        Assert.True(node.Calls.Count > scanned);
        var waits = Enumerable
            .Range(2, 8)
            .Select(seq => kept.AtLeastAsync(new JournalVersion(seq, null), Stop))
            .ToList();
        var before = node.Calls.Count;
        gate.SetResult();

        var lists = await Task.WhenAll(waits);

        Assert.All(lists.Index(), l => Assert.True(l.Item.Seq >= l.Index + 2));
        // The first catch-up had begun with one commit, the next one takes all the others.
        Assert.InRange(node.Calls.Count - before, 7, 8);
        Assert.Equal(9, kept.List!.Seq);
    }

    [Fact]
    public async Task What_was_not_used_for_the_longest_time_is_let_go_first()
    {
        await using var node = await SeededAsync(Images(1));
        // An empty list takes 4 KiB.
        var lists = new NamespaceLists(node.RowStore, node.ImageRows, new ListSnapshots(node.Storage))
        {
            MaxBytes = 3 * 4_096,
        };
        foreach (var app in (string[])["a", "b", "c", "a", "d"])
        {
            await lists.CurrentAsync("alice", app, Stop);
        }

        Assert.Equal(3, lists.Count);
        Assert.Equal("1 1 1", await CallsAsync("a", "c", "d"));
        Assert.NotEqual("1", await CallsAsync("b"));
        Assert.Equal(3, lists.Count);

        async Task<string> CallsAsync(params string[] apps)
        {
            var calls = new List<int>();
            foreach (var app in apps)
            {
                var before = node.Calls.Count;
                await lists.CurrentAsync("alice", app, Stop);
                calls.Add(node.Calls.Count - before);
            }

            return string.Join(' ', calls);
        }
    }

    [Fact]
    public async Task Problems_are_read_once_at_a_time_however_many_ask()
    {
        await using var node = await SeededAsync(Images(1));
        var status = node.Services.GetRequiredService<StatusReader>();
        var before = node.Calls.Count;
        await status.ProblemsAsync("alice", Stop);
        var one = node.Calls.Count - before;

        before = node.Calls.Count;
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => status.ProblemsAsync("alice", Stop)));

        // Two, unless the machine is so busy that some of them ask later.
        Assert.InRange(node.Calls.Count - before, one, 4 * one);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_image_with_very_many_tags_is_sent_in_pieces(bool ofLaterGeneration)
    {
        var row = Images(1)[0];
        string[] tags = [.. Enumerable.Range(0, 20_000).Select(i => $"tag-{i:D6}")];
        var image = new ListedImage("alice", row, ImageTexts.Of(row), tags);
        using var to = new Pieces();
        var context = new DefaultHttpContext();
        context.Response.Body = to;
        using (var body = new ResponseBuffer(context.Response))
        {
            await (
                ofLaterGeneration
                    ? image.WritePlatformAsync(body, JsonEncodedText.Encode("host"), DateTimeOffset.UtcNow, Stop)
                    : image.WriteV1Async(body, Stop)
            );
            await body.EndAsync(Stop);
        }

        Assert.InRange(to.Longest, 1, 256 * 1024);
        using var json = JsonDocument.Parse(to.ToArray());
        var prefix = ofLaterGeneration ? "" : "alice/web:";
        Assert.Equal(
            tags.Select(t => prefix + t),
            json.RootElement.GetProperty("tags").EnumerateArray().Select(t => t.GetString())
        );
        Assert.True(image.HasTag("tag-012345"));
        Assert.False(image.HasTag("tag-0123456"));
    }

    [Fact]
    public async Task A_digest_that_many_apps_have_costs_as_many_reads_as_one_that_a_few_have()
    {
        var digest = Images(1)[0].Digest;
        var apps = Enumerable.Range(0, 200).Select(i => $"app{i:D3}").ToList();
        await using var node = await SeededAsync([.. apps.Select(app => Images(1)[0] with { App = app })]);
        var blobs = apps.Select(app =>
            new BlobRow(app, digest, 1, "e", BlobState.Good, Tar: null).ToRow().ToEntity("alice")
        );
        await Seeds.WriteAsync(node.Storage.ImageTable, blobs, Stop);

        await node.ImageLists.FindAsync(new Access("alice", isReadOnly: true), digest, Stop);
        var before = node.Calls.Count;

        var found = await node.ImageLists.FindAsync(new Access("alice", isReadOnly: true), digest, Stop);

        Assert.Equal(apps.Select(app => $"alice/{app}"), found.Select(i => i.Repository));
        Assert.InRange(node.Calls.Count - before, 3, 5);
    }

    private sealed class Pieces : MemoryStream
    {
        public int Longest { get; private set; }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Longest = Math.Max(Longest, buffer.Length);
            return base.WriteAsync(buffer, cancellationToken);
        }
    }

    private static List<ImageRow> Images(int count) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => new ImageRow("web", ImagesFunctions.Oci.Digest.Sha256(BitConverter.GetBytes(i)))
                {
                    MediaType = MediaTypes.OciManifest,
                    Size = i,
                    IsImage = true,
                    Generation = "g",
                })
                .OrderBy(i => i.Key, StringComparer.Ordinal),
        ];

    private static async Task<Node> SeededAsync(IReadOnlyList<ImageRow> images)
    {
        var node = new Node(await Storages.NewWithTablesAsync());
        await Seeds.WriteAsync(node.Storage.ImageTable, images.Select(i => i.ToRow().ToEntity("alice")), Stop);
        await node.Storage.ImageTable.AddEntityAsync(
            new TableEntity("alice", JournalKeys.Version) { ["seq"] = 1L },
            Stop
        );
        return node;
    }

    private static async Task TagAsync(Node node, string tag) =>
        Assert.True(await node.Tagging.SetAsync(Node.Repository("alice/web"), tag, Images(1)[0].Digest, Stop));
}
