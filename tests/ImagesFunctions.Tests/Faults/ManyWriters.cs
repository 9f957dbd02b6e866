using ImagesFunctions.Oci;
using ImagesFunctions.Storage;

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
    [Fact]
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
                    var rows = await seeder.Catalog.ReadAsync(Namespace, "web", Stop);
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

        var tags = (await seeder.Catalog.ReadAsync(Namespace, null, Stop)).Tags.Values;
        var counted = tags.Where(t => t.Tag.EndsWith('a')).Sum(t => int.Parse(t.Generation!));
        Assert.Equal(2 * Writers * CommitsEach, counted);
        await Invariants.HoldAsync(seeder, Namespace);
        TestContext.Current.TestOutputHelper?.WriteLine($"{counted} commits, {reads} lists");
        foreach (var node in nodes)
        {
            await node.DisposeAsync();
        }
    }

    private static async Task WriteAsync(Node node)
    {
        for (var i = 0; i < CommitsEach; i++)
        {
            var pair = $"pair{Random.Shared.Next(3)}";
            await node.Catalog.CommitAsync(
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
                            new Change(row.Key, row.ToEntity(Namespace)),
                            new Change(
                                Keys.Tag("web", pair + "b"),
                                (row with { Tag = pair + "b" }).ToEntity(Namespace)
                            ),
                        ]
                    );
                },
                Stop
            );
        }
    }
}
