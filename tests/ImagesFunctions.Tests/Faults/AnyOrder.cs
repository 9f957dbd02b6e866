using System.Collections.Concurrent;
using System.Globalization;

namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// Random layouts of images, indexes and indexes of indexes that share layers, whose files and changed index.json files
/// land in any order, twice, at two processes that are killed now and then. Once all is quiet, the rows are those of one
/// process that got the last files in order.
/// </summary>
[TakesLong(seconds: 45)]
public sealed class AnyOrder
{
    private const string Namespace = "alice";
    private const string Repo = "alice/web";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [ScheduleFact]
    public Task Leads_to_the_same_rows_when_every_event_comes_once_more() => EachLeadsToTheSameRowsAsync(3, all: true);

    [ScheduleFact]
    public Task Leads_to_the_same_rows_when_interrupted_events_come_once_more() =>
        EachLeadsToTheSameRowsAsync(3, all: false);

    [LongFact]
    public async Task Leads_to_the_same_rows_many_times()
    {
        await EachLeadsToTheSameRowsAsync(150, all: true);
        await EachLeadsToTheSameRowsAsync(150, all: false);
    }

    // Every event comes again at the end, as by a start; or those that were not handled to their end, as by Event Grid.
    private static async Task EachLeadsToTheSameRowsAsync(int drops, bool all)
    {
        // Other ones each time. A failure tells its seed, which this variable takes.
        var first = Environment.GetEnvironmentVariable("ANY_ORDER_SEED") is { } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : Random.Shared.Next(1_000_000);
        TestContext.Current.TestOutputHelper?.WriteLine($"seeds {first} to {first + drops - 1}");
        foreach (var seed in Enumerable.Range(first, drops))
        {
            try
            {
                await RunAsync(seed, all);
            }
            catch (Exception error) when (!Stop.IsCancellationRequested)
            {
                throw new InvalidOperationException($"ANY_ORDER_SEED={seed}: {error.Message}", error);
            }
        }
    }

    private static async Task RunAsync(int seed, bool all)
    {
        var random = new Random(seed);
        using var drop = new RandomDrop(random);
        var connection = await Storages.NewWithTablesAsync();
        await using var uploader = new Node(connection);
        // Events that were not handled to their end, because of a kill.
        var unhandled = new ConcurrentQueue<string>();
        await Task.WhenAll(
            drop.Steps(random)
                .Select(
                    (steps, i) => ProcessAsync(connection, uploader, drop, steps, unhandled, new Random((2 * seed) + i))
                )
        );

        await using var node = new Node(connection);
        string[] again = [.. all ? await node.PathsAsync() : unhandled.Distinct()];
        random.Shuffle(again);
        await node.LandAsync(again);

        await using var expected = new Node(await Storages.NewWithTablesAsync());
        foreach (var (path, bytes) in drop.Last)
        {
            await expected.PutAsync($"{Repo}/{path}", bytes);
        }

        await expected.StartAsync();
        await Invariants.SettledAsync(node, Namespace);
        Assert.Equal(await expected.ListedAsync(Namespace), await node.ListedAsync(Namespace));
        Assert.Equal(await RowsAsync(expected), await RowsAsync(node));
    }

    private static async Task ProcessAsync(
        string connection,
        Node uploader,
        RandomDrop drop,
        IEnumerable<RandomDrop.Step> steps,
        ConcurrentQueue<string> unhandled,
        Random random
    )
    {
        var node = NewNode();
        foreach (var step in steps)
        {
            if (step.Puts)
            {
                await drop.PutNextAsync(uploader, Repo, step.Path);
            }

            if (await Record.ExceptionAsync(() => node.LandAsync([$"{Repo}/{step.Path}"])) is { } error)
            {
                Assert.True(node.IsKilled, error.ToString());
                unhandled.Enqueue($"{Repo}/{step.Path}");
                await node.DisposeAsync();
                node = NewNode();
            }
        }

        await node.DisposeAsync();

        Victim NewNode() => new(connection, random);
    }

    // Image and tag rows without what is random in them.
    private static async Task<string[]> RowsAsync(Node node)
    {
        var rows = await node.RowStore.NamespaceAsync(Namespace, null, Stop);
        return
        [
            .. rows.Images.Values.Select(i =>
                $"{i.Digest} {i.State} {i.Size} {LongFacts.Write(i with { BlobSizes = Sorted(i.BlobSizes) })}"
            ),
            .. rows.Tags.Values.Select(t =>
                $"{t.Tag} {t.Digest} {(t.Generation is null ? "waits" : "counts")} {t.FromLayout}"
            ),
        ];
    }

    private static SortedDictionary<string, long> Sorted(IReadOnlyDictionary<string, long> parts) =>
        new(parts.ToDictionary(), StringComparer.Ordinal);

    private sealed class Victim : IAsyncDisposable
    {
        private readonly Node _node;
        private readonly int _killedAt;

        public Victim(string connection, Random random)
        {
            _node = new Node(connection);
            _killedAt = random.Next(5, 250);
            _node.Calls.KillAt(_killedAt, afterIt: random.Next(2) == 0);
        }

        public bool IsKilled => _node.Calls.Count >= _killedAt;

        public Task LandAsync(IEnumerable<string> paths) => _node.LandAsync(paths);

        public ValueTask DisposeAsync() => _node.DisposeAsync();
    }
}
