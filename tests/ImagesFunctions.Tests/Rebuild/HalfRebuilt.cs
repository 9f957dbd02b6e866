using System.Net;
using ImagesFunctions.Tests.Faults;
using Microsoft.Extensions.DependencyInjection;
using static ImagesFunctions.Tests.Rebuild.LostTables;

namespace ImagesFunctions.Tests.Rebuild;

/// <summary>While tables are made anew, and whenever that breaks off, nobody is told that something is not there.</summary>
[TakesLong(seconds: 60)]
public sealed class HalfRebuilt
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Asked before and after each call to storage of a rebuild, of a process that has been there all the time and of a new one.</summary>
    [Fact]
    public async Task Nobody_is_told_that_an_image_is_absent()
    {
        var store = await FilledAsync();
        await using var idle = store.Node();
        await using var busy = store.Node();
        var asked = new Asked(store);
        await asked.OfAsync(idle);
        await store.LoseAsync();
        var calls = new StorageCalls();
        calls.Before = async (number, _) =>
        {
            if (number % 7 != 0)
            {
                return;
            }

            await using var fresh = store.Node();
            foreach (var node in (Node[])[busy, fresh, .. number % 91 == 0 ? [idle] : Array.Empty<Node>()])
            {
                await asked.OfAsync(node);
            }
        };

        await store.RebuildAsync(calls);

        calls.Before = (_, _) => ValueTask.CompletedTask;
        Assert.True(asked.Unavailable > 10, $"{asked.Unavailable} times nothing could be said");
        await asked.OfAsync(idle);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{asked.Same} times as ever, {asked.Unavailable} times unavailable"
        );
    }

    [ScheduleFact]
    public Task A_rebuild_that_is_killed_is_finished_by_the_next_one() =>
        EachKillHealsAsync(LongFactAttribute.Every(397));

    [LongFact]
    public Task A_rebuild_that_is_killed_is_finished_by_the_next_one_at_every_call() => EachKillHealsAsync(1);

    [Fact]
    public async Task Several_rebuilds_at_once_do_no_harm()
    {
        var store = await FilledAsync();
        await using var node = store.Node();
        var before = await store.AnswersAsync(node);
        await store.LoseAsync();

        await Task.WhenAll(store.RebuildAsync(), store.RebuildAsync(), store.RebuildAsync());

        await using var fresh = store.Node();
        TablesAreRebuilt.Same(before, await store.AnswersAsync(fresh));
    }

    private static async Task EachKillHealsAsync(int every)
    {
        var store = await FilledAsync();
        SortedDictionary<string, string> before;
        await using (var node = store.Node())
        {
            before = await store.AnswersAsync(node);
        }

        var kills = 0;
        for (var (call, isOver) = (1 + Random.Shared.Next(every), false); !isOver; call += every)
        {
            await store.LoseAsync();
            var calls = new StorageCalls();
            calls.KillAt(call, afterIt: kills++ % 2 == 0);
            isOver = await Record.ExceptionAsync(() => store.RebuildAsync(calls)) is null && calls.Count < call;
            await store.RebuildAsync();
            await using var fresh = store.Node();
            TablesAreRebuilt.Same(before, await store.AnswersAsync(fresh));
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{kills} kills");
    }

    // What is asked for each time, and how often it was there, or could not be told.
    private sealed class Asked(LostTables store)
    {
        private int _same;
        private int _unavailable;

        public int Same => _same;

        public int Unavailable => _unavailable;

        public async Task OfAsync(Node node)
        {
            var registry = new NodeRegistry(node, Account, store.Token);
            foreach (
                var path in (string[])
                    ["/v2/alice/web/manifests/v1", "/v2/alice/dropped/manifests/kept", "/v2/alice/web/tags/list"]
            )
            {
                var status = (await registry.SendAsync("GET", path)).Status;
                Assert.True(status is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, $"{path}: {status}");
                Interlocked.Increment(ref status == HttpStatusCode.OK ? ref _same : ref _unavailable);
            }
        }
    }
}
