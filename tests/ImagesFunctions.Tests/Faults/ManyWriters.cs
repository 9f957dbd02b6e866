using System.Text.Json.Nodes;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Faults;

/// <summary>Several processes write one namespace while others read it, and now and then an answer gets lost.</summary>
public sealed class ManyWriters
{
    private const string Namespace = "alice";
    private const int Writers = 3;
    private const int CommitsEach = 40;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>
    /// Each commit moves a pair of tags from one digest to another and counts up. A list in which the two of a pair differ
    /// is torn; a count that is too low is a lost update; one that is too high is a commit that was made twice.
    /// </summary>
    [ScheduleFact]
    public async Task Neither_tear_a_list_nor_lose_or_repeat_a_commit()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var seeder = new Node(connection);
        var nodes = Enumerable.Range(0, Writers).Select(_ => new Node(connection)).ToList();
        foreach (var (node, i) in nodes.Select((n, i) => (n, i)))
        {
            node.Calls.LoseAnswerOf(number => number % 11 == i);
        }

        using var done = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var reads = 0;
        var reader = Task.Run(
            async () =>
            {
                while (!done.IsCancellationRequested)
                {
                    var rows = await seeder.RowStore.NamespaceAsync(Namespace, "web", Stop);
                    foreach (var pair in rows.Tags.Values.GroupBy(t => t.Tag[..^1]))
                    {
                        Assert.Single(pair.Select(t => t.Generation).Distinct());
                    }

                    reads++;
                }
            },
            Stop
        );

        // Two loops a process: they share its queue. Three pairs: some decisions touch each other and some do not.
        await Task.WhenAll(nodes.SelectMany(n => new[] { n, n }).Select(WriteAsync));
        await done.CancelAsync();
        await reader;

        var tags = (await seeder.RowStore.NamespaceAsync(Namespace, null, Stop)).Tags.Values;
        var counted = tags.Where(t => t.Tag.EndsWith('a')).Sum(t => int.Parse(t.Generation!));
        Assert.Equal(2 * Writers * CommitsEach, counted);
        await Invariants.HoldAsync(seeder, Namespace);
        TestContext.Current.TestOutputHelper?.WriteLine($"{counted} commits, {reads} lists");
        foreach (var node in nodes)
        {
            await node.DisposeAsync();
        }
    }

    /// <summary>A blob goes bad while another process commits image rows of the same app all the time: it is taken back all the same.</summary>
    [ScheduleFact]
    public async Task Do_not_keep_a_bad_blob_from_being_taken_back()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var node = new Node(connection);
        await using var other = new Node(connection);
        var layout = new Layout();
        var layer = layout.Add(Layout.OciTar, "a layer"u8.ToArray());
        var images = Enumerable
            .Range(0, 30)
            .Select(i =>
                layout.AddManifest(layout.Add(Layout.OciConfig, new JsonObject { ["author"] = $"{i}" }), layer)
            );
        layout.Index([.. images]);
        await node.PutAsync("alice/web", layout);
        await node.StartAsync();
        Assert.Equal(30, (await node.ListedAsync(Namespace)).Length);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var busy = Task.Run(() => CommitUntilAsync(other, done.Token), Stop);

        var path = $"alice/web/{Layout.PathOf(Layout.Digest(layer))}";
        await node.PutAsync(path, "other bytes"u8.ToArray());
        var before = node.Calls.Count;
        await node.LandAsync([path]);
        var calls = node.Calls.Count - before;
        await done.CancelAsync();
        var commits = await busy;

        Assert.Empty(await node.ListedAsync(Namespace));
        TestContext.Current.TestOutputHelper?.WriteLine($"{calls} calls beside {commits} commits");
        // Alone it takes about 150: two reads an image, twice; made again for each commit beside it, it would never end.
        Assert.InRange(calls, 1, 600);
    }

    // Image rows of other images, as fast as a bulk drop commits. Returns how many.
    private static async Task<int> CommitUntilAsync(Node node, CancellationToken done)
    {
        var commits = 0;
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(40));
        while (!done.IsCancellationRequested && await pace.WaitForNextTickAsync(Stop))
        {
            var row = new ImageRow("web", Digest.Sha256(BitConverter.GetBytes(commits++)))
            {
                MediaType = Layout.OciManifest,
                Size = 0,
                IsImage = false,
                Generation = "",
            };
            await node.RowStore.CommitAsync(
                Namespace,
                (view, _) => Task.FromResult(Decision.Of(0, [new Change(row.Key, row.ToRow())])),
                Stop
            );
        }

        return commits;
    }

    private static async Task WriteAsync(Node node)
    {
        for (var i = 0; i < CommitsEach; i++)
        {
            var pair = $"pair{Random.Shared.Next(3)}";
            await node.RowStore.CommitAsync(
                Namespace,
                async (view, stop) =>
                {
                    var before = await view.GetAsync(Keys.Tag("web", pair + "a"), stop);
                    var count = before is null ? 0 : int.Parse(TagRow.From(before).Generation!);
                    // The generation is free text to the log and the readers: here it counts.
                    var row = new TagRow(
                        "web",
                        pair + "a",
                        Digest.Sha256(BitConverter.GetBytes(count)),
                        $"{count + 1}",
                        false
                    );
                    return Decision.Of(
                        count + 1,
                        [
                            new Change(row.Key, row.ToRow()),
                            new Change(Keys.Tag("web", pair + "b"), (row with { Tag = pair + "b" }).ToRow()),
                        ]
                    );
                },
                Stop
            );
        }
    }
}
