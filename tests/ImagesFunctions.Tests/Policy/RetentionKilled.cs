using ImagesFunctions.Tests.Faults;
using static ImagesFunctions.Tests.Policy.Retained;
using static ImagesFunctions.Tests.Policy.Ruled;

namespace ImagesFunctions.Tests.Policy;

/// <summary>
/// A collection that keeps to rules is killed before and after its calls to storage, one run a call: the next ones leave exactly what one
/// that nobody killed leaves, and usage is what is left.
/// </summary>
[TakesLong(seconds: 25)]
public sealed class RetentionKilled
{
    private static readonly TimeSpan s_later = TimeSpan.FromDays(31);

    [Fact]
    public Task Heals_whichever_call_was_the_last() => EachAsync(every: 19);

    [LongFact]
    public Task Heals_whichever_call_was_the_last_at_every_call() => EachAsync(every: 1);

    private static async Task EachAsync(int every)
    {
        string[] listed;
        IReadOnlyList<string> rows;
        string usage;
        int calls;
        await using (var node = await PreparedAsync())
        {
            await using var sweeper = new Node(node.Connection);
            // A decision has no effect but its changes: made again, it is the same.
            sweeper.RowStore.Rehearsal = async (changes, decide) =>
                Assert.Equal(changes.Select(c => c.Key), (await decide()).Select(c => c.Key));
            Assert.Equal(3, (await sweeper.SweepAsync(s_later))[SweepKind.Images]);
            calls = sweeper.Calls.Count;
            await sweeper.SweepAsync(s_later);
            (listed, rows, usage) = await LeftAsync(node);
            Assert.Contains("release", Assert.Single(listed), StringComparison.Ordinal);
        }

        for (var call = 1 + Random.Shared.Next(every); call <= calls; call += every)
        {
            foreach (var afterIt in (bool[])[false, true])
            {
                await using var node = await PreparedAsync();
                await using (var victim = new Node(node.Connection))
                {
                    victim.Calls.KillAt(call, afterIt);
                    await Record.ExceptionAsync(() => victim.SweepAsync(s_later));
                }

                await Invariants.CompleteAsync(node, "alice");
                await using var next = new Node(node.Connection);
                await next.SweepAsync(s_later);
                await next.SweepAsync(s_later);
                var left = await LeftAsync(node);
                var what = $"killed {(afterIt ? "after" : "before")} call {call} of {calls}";
                Assert.True(listed.SequenceEqual(left.Listed, StringComparer.Ordinal), what);
                Assert.True(rows.SequenceEqual(left.Rows, StringComparer.Ordinal), what);
                Assert.True(usage == left.Usage, what);
            }
        }
    }

    private static async Task<(string[] Listed, IReadOnlyList<string> Rows, string Usage)> LeftAsync(Node node)
    {
        var usage = await new UsageReports(node.Storage).ReadAsync("alice", TestContext.Current.CancellationToken);
        return (
            await node.ListedAsync("alice"),
            await node.RowsAsync("alice"),
            string.Join(", ", usage.Repositories.Select(r => r.ToString()))
        );
    }

    // One image that a rule keeps, two that go, and what has no tag.
    private static async Task<Node> PreparedAsync()
    {
        var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        await SetAsync(node, token, Rules("web", """{"tags":["release"]}""", All));
        foreach (var tag in (string[])["release", "a", "b"])
        {
            await CreatedAsync(registry.PushAsync("alice/web", Layout.Small(tag), tag));
        }

        var untagged = Layout.Small("untagged");
        await CreatedAsync(registry.PushAsync("alice/web", untagged, untagged.FirstImage));
        return node;
    }
}
