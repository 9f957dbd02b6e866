using System.Text.Json.Nodes;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;
using static ImagesFunctions.Tests.Sweep.SweptRepository;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>A pass without a walk sweeps what notes tell, when it is time, and nothing else.</summary>
public sealed class NotesAreFollowed
{
    private static readonly TimeSpan s_hours = TimeSpan.FromHours(4);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_becomes_old_is_collected_when_it_is()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var pushed = await BlobAsync(node, "pushed");
        var path = new BlobPath(Node.Repository(Repo), Node.Digest(pushed));
        var row = await node.RowStore.BlobAsync(path, Stop);
        Assert.True(await node.RowStore.PutBlobAsync(Namespace, row! with { Pushed = true }, row, Stop));
        await BlobAsync(node, "dropped");
        await using var sweeper = new Node(node.Connection);
        var sweeps = ManyNamespaces.CountSweeps(sweeper);

        // The hour, the day of a push, what its removal has written to the log, the month of a drop: and no sweep between them.
        foreach (
            var (later, blobs, total) in (IEnumerable<(TimeSpan, int, int)>)
                [
                    (TimeSpan.Zero, 0, 0),
                    (s_hours, 0, 1),
                    (TimeSpan.FromHours(20), 0, 1),
                    (TimeSpan.FromHours(26), 1, 2),
                    (TimeSpan.FromDays(4), 0, 3),
                    (TimeSpan.FromDays(29), 0, 3),
                    (TimeSpan.FromDays(30) + s_hours, 1, 4),
                ]
        )
        {
            Assert.Equal(blobs, (await sweeper.PassAsync(later))[SweepKind.Blobs]);
            Assert.Equal(total, sweeps.GetValueOrDefault(Namespace));
        }

        Assert.Empty(await node.PathsAsync());
        Assert.Empty(await node.NotesAsync());
        Assert.Empty((await sweeper.PassAsync(TimeSpan.FromDays(90))).Counts);
    }

    [Fact]
    public async Task A_child_that_is_pinned_goes_when_its_pin_has_ended()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = new Layout();
        var child = layout.AddImage("child");
        var index = layout.AddIndex(Layout.OciIndex, child);
        await node.PutAsync(Repo, layout.Index(Layout.Tagged(index, "latest")));
        await node.StartAsync();
        await node.Storage.Images.GetBlobClient($"{Repo}/index.json").DeleteAsync(cancellationToken: Stop);
        await node.LandAsync([$"{Repo}/index.json"]);
        var (repository, digest) = (Node.Repository(Repo), Node.Digest(Layout.Digest(child)));
        Assert.True((await node.Removal.ImageAsync(repository, Node.Digest(Layout.Digest(index)), Stop)).Found);
        var image = await node.RowStore.ImageAsync(repository, digest, Stop);
        var pin = new ImagePin(node.Storage.Clock.UtcNow, TimeSpan.FromDays(40));
        await node.RowStore.CommitAsync(
            Namespace,
            (view, _) =>
            {
                var row = (image! with { Pin = pin }).ToRow();
                return Task.FromResult(Decision.Of(true, [new Change(row.Key, row)]));
            },
            Stop
        );

        foreach (var days in (int[])[1, 2, 31, 39])
        {
            Assert.Equal(0, (await node.PassAsync(TimeSpan.FromDays(days)))[SweepKind.Children]);
        }

        Assert.Equal(1, (await node.PassAsync(TimeSpan.FromDays(40) + s_hours))[SweepKind.Children]);
    }

    [Fact]
    public async Task Sessions_that_nobody_ends_go()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var registry = new NodeRegistry(node, "alice", await NodeRegistry.TokenAsync(node, "alice"));
        var session = await registry.SendAsync("POST", "/v2/alice/web/blobs/uploads/");
        await registry.SendAsync("PATCH", session["Location"]!, new byte[20_000], chunked: true);

        Assert.Equal(0, (await node.PassAsync(s_hours))[SweepKind.Sessions]);
        var result = await node.PassAsync(TimeSpan.FromHours(26));

        Assert.Equal((1, 1), (result[SweepKind.Sessions], result[SweepKind.Uploads]));
    }

    [Theory]
    [InlineData("alice/web/", "alice")]
    [InlineData("UPPER/", "!refused")]
    public async Task What_failed_is_tried_by_the_next_pass(string folder, string partition)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var path = $"{folder}{Layout.PathOf(Layout.DigestOf("blob"u8.ToArray()))}";
        await node.PutAsync(path, "blob"u8.ToArray());
        await node.Ingest.FailedAsync(path, new IOException("away"), Stop);

        Assert.Equal(1, (await node.PassAsync(TimeSpan.Zero))[SweepKind.Events]);
        var key = Assert.Single(await node.RowsAsync(partition));
        Assert.StartsWith(partition == Namespace ? "b!" : "x!", key, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dead_letter_has_its_whole_namespace_looked_at()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        await node.Storage.DeadLetters.CreateIfNotExistsAsync(cancellationToken: Stop);
        var layout = Layout.Small("lost", "v1");
        await node.PutAsync(Repo, layout);
        var events = new JsonArray(
            new JsonObject { ["subject"] = $"/blobServices/default/containers/images/blobs/{Repo}/{layout.FirstLayer}" }
        );
        await node.Storage.DeadLetters.UploadBlobAsync("a.json", BinaryData.FromString(events.ToJsonString()), Stop);
        Assert.Empty(await node.NotesAsync());

        var result = await node.PassAsync(Soon);

        Assert.Equal((1, layout.Files.Count - 2), (result[SweepKind.DeadLetters], result[SweepKind.Events]));
        Assert.Equal([$"web@{layout.FirstImage} v1"], await node.ListedAsync(Namespace));
    }

    [Fact]
    public async Task An_event_that_the_host_delivers_is_noted_before_anything_is_done()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var path = $"{Repo}/{Layout.PathOf(Layout.DigestOf("blob"u8.ToArray()))}";
        await node.PutAsync(path, "blob"u8.ToArray());
        await using var victim = new Node(node.Connection);
        // The second call is the first of the ingest.
        victim.Calls.KillAt(2, afterIt: false);

        await Assert.ThrowsAsync<KilledException>(() => victim.Patient.LandedAsync(path, Stop));

        Assert.Single(await node.NotesAsync());
        Assert.Equal(1, (await node.PassAsync(s_hours))[SweepKind.Events]);
    }

    /// <summary>The rows of a store of the version before, and what it does with notes: it takes their partition for a namespace.</summary>
    [Fact]
    public async Task The_sweep_of_the_version_before_leaves_notes_alone()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        await BlobAsync(node, "blob");
        await node.PassAsync(TimeSpan.Zero, walk: 1_000);
        var rows = await node.RowsAsync(Keys.DuePartition);
        Assert.Equal(3, rows.Count);
        var counts = new SweepCounts();

        Assert.True(
            await node.Visits.VisitAsync(
                Keys.DuePartition,
                new SweepOptions { Later = TimeSpan.FromDays(1_000) },
                dryRun: false,
                counts,
                Stop
            )
        );

        Assert.Empty(counts.Result(false).Counts);
        Assert.Equal(rows, await node.RowsAsync(Keys.DuePartition));
        await foreach (var blob in node.Storage.Catalog.GetBlobsAsync(cancellationToken: Stop))
        {
            Assert.DoesNotContain('!', blob.Name);
        }

        Assert.Equal([Namespace], await new Namespaces(node.Storage).AllAsync(Stop));
    }
}
