using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using ImagesFunctions.Storage;

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

    [Fact]
    public Task Leads_to_the_same_rows_when_every_event_comes_once_more() => EachLeadsToTheSameRowsAsync(3, all: true);

    [Fact]
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
        using var drop = new Drop(random);
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
        Drop drop,
        IEnumerable<Step> steps,
        ConcurrentQueue<string> unhandled,
        Random random
    )
    {
        var node = NewNode();
        foreach (var step in steps)
        {
            if (step.Puts)
            {
                await drop.PutNextAsync(uploader, step.Path);
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
        var rows = await node.RowStore.ReadAsync(Namespace, null, Stop);
        return
        [
            .. rows.Images.Values.Select(i =>
                $"{i.Digest} {i.State} {i.Size} {LongFacts.Write(i with { Parts = Sorted(i.Parts) })}"
            ),
            .. rows.Tags.Values.Select(t =>
                $"{t.Tag} {t.Digest} {(t.Generation is null ? "waits" : "counts")} {t.FromLayout}"
            ),
        ];
    }

    private static SortedDictionary<string, long> Sorted(IReadOnlyDictionary<string, long> parts) =>
        new(parts.ToDictionary(), StringComparer.Ordinal);

    /// <summary>A step of a process: a file lands, after it was put there, or once more.</summary>
    private sealed record Step(string Path, bool Puts);

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

    /// <summary>What is dropped: for each path, the contents that it has one after the other.</summary>
    private sealed class Drop : IDisposable
    {
        private readonly Dictionary<string, Queue<byte[]>> _left = new(StringComparer.Ordinal);
        private readonly SemaphoreSlim _one = new(1);

        public Drop(Random random)
        {
            var layout = new Layout();
            var layers = Enumerable
                .Range(0, 4)
                .Select(i => layout.Add(Layout.OciTar, Encoding.UTF8.GetBytes($"layer {i}")))
                .ToArray();
            var manifests = new List<JsonObject>();
            for (var i = random.Next(2, 5); i > 0; i--)
            {
                var config = layout.Add(
                    Layout.OciConfig,
                    new JsonObject { ["config"] = new JsonObject { ["Cmd"] = new JsonArray($"{i}") } }
                );
                manifests.Add(layout.AddManifest(config, random.GetItems(layers, 2)));
            }

            for (var i = random.Next(1, 4); i > 0; i--)
            {
                // Of images, and of the indexes before it.
                var children = random.GetItems(manifests.ToArray(), random.Next(2, 4));
                manifests.Add(
                    layout.AddIndex(
                        Layout.OciIndex,
                        [.. children.Select((c, at) => Layout.For(c, "linux", $"{i}.{at}"))]
                    )
                );
            }

            JsonObject[] named = [manifests[^1], .. manifests.SkipLast(1).Where(_ => random.Next(3) == 0)];
            var versions = new Queue<byte[]>();
            for (var i = random.Next(3); i >= 0; i--)
            {
                // The last one names all: what an earlier one named stays an image.
                layout.Index([
                    .. named
                        .Where(_ => i == 0 || random.Next(2) == 0)
                        .Select(m => random.Next(3) == 0 ? m : Layout.Tagged(m, $"v{random.Next(4)}")),
                ]);
                versions.Enqueue(layout.Files["index.json"]);
            }

            foreach (var (path, bytes) in layout.Files)
            {
                // Some are bad at first, some go bad and are mended.
                byte[][] contents = random.Next(8) switch
                {
                    0 => ["bad"u8.ToArray(), bytes],
                    1 => [bytes, "bad"u8.ToArray(), bytes],
                    _ => [bytes],
                };
                _left[path] = path == "index.json" ? versions : new Queue<byte[]>(contents);
            }

            // One in three never becomes complete.
            if (random.Next(3) == 0)
            {
                _left.Remove(Layout.PathOf(Layout.Digest(random.GetItems(layers, 1)[0])));
            }

            Last = _left.ToDictionary(p => p.Key, p => p.Value.Last(), StringComparer.Ordinal);
        }

        public IReadOnlyDictionary<string, byte[]> Last { get; }

        /// <summary>What each of two processes does.</summary>
        public Step[][] Steps(Random random)
        {
            Step[] steps =
            [
                .. _left.SelectMany(p => p.Value.Select(_ => new Step(p.Key, Puts: true))),
                .. _left.Keys.Where(_ => random.Next(3) == 0).Select(p => new Step(p, Puts: false)),
            ];
            random.Shuffle(steps);
            var half = random.Next(steps.Length);
            return [steps[..half], steps[half..]];
        }

        public void Dispose() => _one.Dispose();

        public async Task PutNextAsync(Node uploader, string path)
        {
            await _one.WaitAsync(Stop);
            try
            {
                await uploader.PutAsync($"{Repo}/{path}", _left[path].Dequeue());
            }
            finally
            {
                _one.Release();
            }
        }
    }
}
