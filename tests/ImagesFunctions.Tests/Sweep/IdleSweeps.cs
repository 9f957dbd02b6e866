using System.Collections.Concurrent;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>
/// What a pass costs where nothing has happened, in requests to storage, each try of one, and that the walk comes everywhere all the
/// same. docs/operate.md computes with these numbers.
/// </summary>
[TakesLong(seconds: 60)]
public sealed class IdleSweeps
{
    // A pass that finds nothing noted and nothing to walk.
    private const int Pass = 10;

    // A namespace where there is nothing to do, of a few images.
    private const int Namespace = 48;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public Task Cost_ten_requests_and_the_walk() => PassesAsync(namespaces: 30);

    [LongFact]
    public Task Cost_ten_requests_and_the_walk_of_200_namespaces() => PassesAsync(namespaces: 200);

    [Fact]
    public Task Find_lost_events_in_one_namespace_among_others() => LostEventsAsync(namespaces: 10, blobs: 30);

    [LongFact]
    public Task Find_1000_lost_events_in_one_of_200_namespaces() => LostEventsAsync(namespaces: 200, blobs: 1_000);

    private static async Task PassesAsync(int namespaces)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        // As in the cloud.
        await node.Storage.DeadLetters.CreateIfNotExistsAsync(cancellationToken: Stop);
        var names = await ManyNamespaces.SeedAsync(node, namespaces);
        await using var sweeper = new Node(node.Connection);
        var sweeps = ManyNamespaces.CountSweeps(sweeper);
        var (count, asked) = (sweeper.Calls.Before, new ConcurrentQueue<string>());
        sweeper.Calls.Before = (number, message) =>
        {
            asked.Enqueue($"{message.Request.Method} {message.Request.Uri}");
            return count(number, message);
        };
        // A walk in ten passes; the last one may find that there is nothing left.
        var budget = namespaces * Namespace / 10;
        // When the log of what was seeded is old; and so near to one another that the walk takes a few hours.
        var (passes, later) = (0, TimeSpan.FromHours(2));
        for (; sweeps.Count < namespaces; passes++, later += TimeSpan.FromMinutes(20))
        {
            Assert.InRange(passes, 0, 10);
            var (result, requests) = await PassAsync(sweeper, later, budget);
            Assert.InRange(requests, 0, Pass + budget);
            Assert.Empty(result.Counts.Keys.Except([SweepKind.LogEntries]));
        }

        Assert.Equal(names, sweeps.Keys.Order(StringComparer.Ordinal));
        TestContext.Current.TestOutputHelper?.WriteLine($"{passes} passes of {budget} requests");
        // At its end it rests, for about a day after its beginning.
        await PassAsync(sweeper, later, budget);
        var swept = sweeps.Values.Sum();
        Assert.Equal(namespaces, swept);
        foreach (var hours in (int[])[8, 12, 16])
        {
            var (result, requests) = await PassAsync(sweeper, TimeSpan.FromHours(hours), budget);
            Assert.True(requests <= Pass, string.Join('\n', asked.TakeLast(requests)));
            Assert.Empty(result.Counts);
        }

        Assert.Equal(swept, sweeps.Values.Sum());
        await PassAsync(sweeper, TimeSpan.FromHours(26), budget);
        Assert.InRange(sweeps.Values.Sum(), swept + 1, swept + namespaces);
    }

    private static async Task LostEventsAsync(int namespaces, int blobs)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var names = await ManyNamespaces.SeedAsync(node, namespaces);
        var unlucky = names[namespaces * 2 / 3];
        var layout = new Layout();
        for (var i = 0; i < blobs; i++)
        {
            layout.Add(Layout.OciTar, BitConverter.GetBytes(i));
        }

        await Parallel.ForEachAsync(
            layout.Files.Where(f => f.Key.StartsWith("blobs/", StringComparison.Ordinal)),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Stop },
            async (file, _) => await node.PutAsync($"{unlucky}/lost/{file.Key}", file.Value)
        );
        await using var sweeper = new Node(node.Connection);
        var sweeps = ManyNamespaces.CountSweeps(sweeper);
        var budget = namespaces * Namespace / 5;
        for (var hour = TimeSpan.FromHours(2); ; hour += TimeSpan.FromHours(1))
        {
            Assert.InRange(hour.TotalHours, 0, 12);
            var (result, _) = await PassAsync(sweeper, hour, budget);
            if (sweeps.TryGetValue(unlucky, out var times))
            {
                // All of them, by the one sweep of the namespace.
                Assert.Equal((blobs, 1), (result[SweepKind.Events], times));
                break;
            }

            Assert.Equal(0, result[SweepKind.Events]);
        }

        Assert.Equal(
            blobs,
            (await node.RowsAsync(unlucky)).Count(key => key.EndsWith("!lost", StringComparison.Ordinal))
        );
    }

    private static async Task<(SweepResult Result, int Requests)> PassAsync(Node sweeper, TimeSpan hour, int budget)
    {
        var before = sweeper.Calls.Count;
        var result = await sweeper.PassAsync(hour, budget);
        return (result, sweeper.Calls.Count - before);
    }
}
