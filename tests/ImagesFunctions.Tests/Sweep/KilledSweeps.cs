using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>
/// A sweep is killed before and after each of its storage calls, one run a call. What is listed is complete at once; the next
/// sweep leaves exactly what one that nobody killed leaves.
/// </summary>
[TakesLong(seconds: 25)]
public sealed class KilledSweeps
{
    private const string Namespace = "alice";
    private const string Repo = "alice/web";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [ScheduleFact]
    public Task Heal_whichever_call_was_the_last() => EachAsync(every: 23);

    [LongFact]
    public Task Heal_whichever_call_was_the_last_at_every_call() => EachAsync(every: 1);

    private static async Task EachAsync(int every)
    {
        var layout = Garbage();
        string[] listed = [];
        IReadOnlyList<string> rows = [];
        IReadOnlyList<string> paths = [];
        var calls = 0;
        await using (var node = await PreparedAsync(layout))
        {
            listed = await node.ListedAsync(Namespace);
            await using var sweeper = new Node(node.Connection);
            await sweeper.SweepYoungAsync();
            calls = sweeper.Calls.Count;
            await sweeper.SweepAllAsync();
            (rows, paths) = (await node.RowsAsync(Namespace), await node.PathsAsync());
            Assert.Equal(listed, await node.ListedAsync(Namespace));
            Assert.Equal(
                layout.Needs(layout.FirstImage).Append("index.json").Append("oci-layout").Order(StringComparer.Ordinal),
                paths.Select(p => p[(Repo.Length + 1)..]).Order(StringComparer.Ordinal)
            );
        }

        for (var call = 1 + Random.Shared.Next(every); call <= calls; call += every)
        {
            foreach (var afterIt in (bool[])[false, true])
            {
                await using var node = await PreparedAsync(layout);
                await using (var victim = new Node(node.Connection))
                {
                    victim.Calls.KillAt(call, afterIt);
                    await Record.ExceptionAsync(victim.SweepYoungAsync);
                }

                await Invariants.HoldAsync(node, Namespace);
                Assert.Equal(listed, await node.ListedAsync(Namespace));
                await using var next = new Node(node.Connection);
                await next.SweepAllAsync();
                var what = $"killed {(afterIt ? "after" : "before")} call {call} of {calls}";
                Assert.True(rows.SequenceEqual(await node.RowsAsync(Namespace), StringComparer.Ordinal), what);
                Assert.True(paths.SequenceEqual(await node.PathsAsync(), StringComparer.Ordinal), what);
                Assert.Equal(listed, await node.ListedAsync(Namespace));
                await Invariants.SettledAsync(node, Namespace);
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{calls} calls, each {every}. of them killed before and after"
        );
    }

    // One image that stays; a deleted index with its child and tag, a blob of nobody, and an image of which a layer is missing.
    private static Layout Garbage()
    {
        var layout = new Layout();
        var stays = layout.AddImage("stays");
        var index = layout.AddIndex(Layout.OciIndex, layout.AddImage("child"));
        layout.Add(Layout.OciTar, "of nobody"u8.ToArray());
        return layout.Index(Layout.Tagged(stays, "stays"), Layout.Tagged(index, "goes"));
    }

    private static async Task<Node> PreparedAsync(Layout layout)
    {
        var node = new Node(await Storages.NewWithTablesAsync());
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        var waits = Layout.Small("waits", "waits");
        await node.PutAsync("alice/other", waits, [.. waits.Files.Keys.Where(p => p != waits.FirstLayer)]);
        await node.StartAsync();
        await node.Storage.Images.GetBlobClient("alice/other/index.json").DeleteAsync(cancellationToken: Stop);
        await node.Storage.Images.GetBlobClient("alice/other/oci-layout").DeleteAsync(cancellationToken: Stop);
        var goes = Node.Digest(Layout.Digest(layout.Manifests[1]));
        Assert.True((await node.Removal.ImageAsync(Node.Repository(Repo), goes, Stop)).Found);
        return node;
    }
}
