using ImagesFunctions.Tests.Faults;
using static ImagesFunctions.Tests.Sweep.SweptRepository;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>
/// A pass is killed before and after each of its storage calls, one run a call. The next passes do what it has left: no note goes before
/// its work is done, and the walk leaves out no namespace.
/// </summary>
[TakesLong(seconds: 25)]
public sealed class KilledPasses
{
    private const string Other = "bob";

    private static readonly TimeSpan s_due = TimeSpan.FromHours(4);

    private static readonly SweepOptions s_young = new()
    {
        AfterPush = TimeSpan.Zero,
        AfterDrop = TimeSpan.Zero,
        AfterChunk = TimeSpan.Zero,
        EventTakes = TimeSpan.Zero,
    };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [ScheduleFact]
    public Task Lose_no_note() => EachAsync(every: 17, walk: 0);

    [LongFact]
    public Task Lose_no_note_at_every_call() => EachAsync(every: 1, walk: 0);

    [ScheduleFact]
    public Task Leave_out_no_namespace() => EachAsync(every: 17, walk: 10_000);

    [LongFact]
    public Task Leave_out_no_namespace_at_every_call() => EachAsync(every: 1, walk: 10_000);

    /// <summary>Whenever something is written to a namespace while a pass sweeps it, this pass or the next one does it.</summary>
    [ScheduleFact]
    public Task Beside_a_writer_of_a_note_lose_none() => BesideAsync(every: 7);

    [LongFact]
    public Task Beside_a_writer_of_a_note_lose_none_at_every_call() => BesideAsync(every: 1);

    private static async Task EachAsync(int every, int walk)
    {
        var calls = 0;
        string[] rest = [];
        await using (var node = await PreparedAsync(walk))
        {
            await using var sweeper = new Node(node.Connection);
            await sweeper.PassAsync(s_due, walk, s_young);
            calls = sweeper.Calls.Count;
            await FinishAsync(sweeper, walk);
            rest = await RestAsync(node);
            Assert.Equal(2, rest.Count(row => row.Contains("!web!sha256:", StringComparison.Ordinal) && row[0] == 'i'));
            Assert.Equal([], await node.NotesAsync());
        }

        for (var call = 1 + Random.Shared.Next(every); call <= calls; call += every)
        {
            foreach (var afterIt in (bool[])[false, true])
            {
                await using var node = await PreparedAsync(walk);
                await using (var victim = new Node(node.Connection))
                {
                    victim.Calls.KillAt(call, afterIt);
                    await Record.ExceptionAsync(() => victim.PassAsync(s_due, walk, s_young));
                }

                await using var next = new Node(node.Connection);
                await FinishAsync(next, walk);
                var what = $"killed {(afterIt ? "after" : "before")} call {call} of {calls}";
                var left = await RestAsync(node);
                Assert.True(rest.SequenceEqual(left, StringComparer.Ordinal), what);
                Assert.True(await node.NotesAsync() is [], what);
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{calls} calls, each {every}. of them killed before and after"
        );
    }

    // Hour by hour, for less than the day after which a walk begins anew.
    private static async Task FinishAsync(Node node, int walk)
    {
        for (var hour = 1; hour <= 6; hour++)
        {
            await node.PassAsync(s_due + TimeSpan.FromHours(hour), walk, s_young);
        }
    }

    // In two namespaces an image that stays and a blob of nobody; and where nothing is noted, only the walk finds it.
    private static async Task<Node> PreparedAsync(int walk)
    {
        var node = new Node(await Storages.NewWithTablesAsync());
        foreach (var name in (string[])[Namespace, Other])
        {
            var layout = Layout.Small("stays", "stays");
            layout.Add(Layout.OciTar, "of nobody"u8.ToArray());
            await node.PutAsync($"{name}/web", layout);
        }

        await node.StartAsync();
        if (walk > 0)
        {
            await ManyNamespaces.ForgetNotesAsync(node);
        }

        return node;
    }

    private static async Task<string[]> RestAsync(Node node) =>
        [.. await node.RowsAsync(Namespace), .. await node.RowsAsync(Other), .. await node.PathsAsync()];

    private static async Task BesideAsync(int every)
    {
        var bytes = "late"u8.ToArray();
        var path = $"{Repo}/{Layout.PathOf(Layout.DigestOf(bytes))}";
        var isOver = false;
        for (var call = 1 + Random.Shared.Next(every); !isOver; call += every)
        {
            await using var node = new Node(await Storages.NewWithTablesAsync());
            await BlobAsync(node, "first");
            await node.RowStore.Due.AnnounceNowAsync(Namespace, Stop);
            await using var sweeper = new Node(node.Connection);
            isOver = true;
            sweeper.Calls.RunBefore(
                call,
                async () =>
                {
                    isOver = false;
                    await node.PutAsync(path, bytes);
                    await node.Ingest.FailedAsync(path, new IOException("away"), Stop);
                }
            );
            await sweeper.PassAsync(TimeSpan.Zero);
            await sweeper.PassAsync(TimeSpan.Zero);

            if (!isOver)
            {
                var rows = await node.RowsAsync(Namespace);
                Assert.True(
                    rows.Count == 2 && rows.All(key => key[0] == 'b'),
                    $"at call {call}: {string.Join(' ', rows)}"
                );
            }
        }
    }
}
