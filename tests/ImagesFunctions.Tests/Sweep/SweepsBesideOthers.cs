using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>
/// A sweep that spares nothing young, and another process. The one is held before one of its storage calls, the other runs
/// from beginning to end: whatever is listed is complete, and its parts stay.
/// </summary>
[TakesLong(seconds: 60)]
public sealed class SweepsBesideOthers
{
    private const string Repo = "alice/web";
    private const int Few = 13;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [ScheduleFact]
    public Task A_commit_against_a_sweep_of_what_it_needs() => CommitAgainstSweepAsync(every: 5);

    [LongFact]
    public Task A_commit_against_a_sweep_of_what_it_needs_at_every_call() => CommitAgainstSweepAsync(every: 1);

    [ScheduleFact]
    public Task A_sweep_against_a_commit_that_needs_what_it_sweeps() => SweepAgainstCommitAsync(every: Few);

    [LongFact]
    public Task A_sweep_against_a_commit_that_needs_what_it_sweeps_at_every_call() => SweepAgainstCommitAsync(every: 1);

    [ScheduleFact]
    public Task A_sweep_of_a_deleted_indexs_child_against_its_tag() => SweepAgainstTagAsync(every: Few);

    [LongFact]
    public Task A_sweep_of_a_deleted_indexs_child_against_its_tag_at_every_call() => SweepAgainstTagAsync(every: 1);

    [ScheduleFact]
    public Task A_tag_against_a_sweep_of_a_deleted_indexs_child()
    {
        var (layout, index, child) = Index();
        return Interleaving.EachAsync(
            layout,
            prepare: node => DeletedIndexAsync(node, layout, index),
            first: node => node.Tagging.SetAsync(Node.Repository(Repo), "mine", Node.Digest(child), Stop),
            second: node => node.SweepYoungAsync(),
            check: listed => Assert.Contains(listed, new[] { [], new[] { $"web@{child} mine" } })
        );
    }

    [LongFact]
    public Task A_tag_against_a_sweep_of_a_deleted_indexs_child_at_every_call() =>
        A_tag_against_a_sweep_of_a_deleted_indexs_child();

    [ScheduleFact]
    public Task A_sweep_against_a_delete() => SweepAgainstDeleteAsync(every: Few);

    [LongFact]
    public Task A_sweep_against_a_delete_at_every_call() => SweepAgainstDeleteAsync(every: 1);

    [ScheduleFact]
    public Task A_sweep_against_a_drop_of_the_same_blobs() => SweepAgainstDropAsync(every: Few);

    [LongFact]
    public Task A_sweep_against_a_drop_of_the_same_blobs_at_every_call() => SweepAgainstDropAsync(every: 1);

    [ScheduleFact]
    public Task A_drop_against_a_sweep() => DropAgainstSweepAsync(every: Few);

    [LongFact]
    public Task A_drop_against_a_sweep_at_every_call() => DropAgainstSweepAsync(every: 1);

    [ScheduleFact]
    public Task An_index_that_names_a_deleted_indexs_child_against_a_sweep()
    {
        var (layout, index, child) = Index();
        var other = layout.AddIndex(
            Layout.OciIndex,
            [.. layout.Read(layout.Manifests[0])["manifests"]!.AsArray().Select(m => m!.AsObject())]
        );
        // Its own config makes it another one.
        other = layout.AddIndex(
            Layout.DockerList,
            [.. layout.Read(other)["manifests"]!.AsArray().Select(m => m!.AsObject())]
        );
        var both = layout.Index(layout.Manifests[0], Layout.Tagged(other, "other")).Files["index.json"];
        return Interleaving.EachAsync(
            layout,
            prepare: async node =>
            {
                await DeletedIndexAsync(node, layout.Index(layout.Manifests[0]), index);
                await node.PutAsync($"{Repo}/index.json", both);
            },
            first: async node =>
                await node.LandAsync([$"{Repo}/index.json", $"{Repo}/{Layout.PathOf(Layout.Digest(other))}"]),
            second: node => node.SweepYoungAsync(),
            check: listed => Assert.Contains(listed, new[] { [], new[] { $"web@{Layout.Digest(other)} other" } }),
            every: 5
        );
    }

    private static async Task<List<string>> NeedsOfDeletedAsync(Node node, Layout layout)
    {
        await DeletedAsync(node, layout);
        await SweptRepository.RowsOfRemovedGoAsync(node);
        List<string> keys =
        [
            .. (await node.RowStore.RangeAsync("alice", Keys.OfApp('n', "web"), Stop))
                .Where(row => DependencyRow.From(row).By.Digest is not null)
                .Select(row => row.Key),
        ];
        Assert.Equal(3, keys.Count);
        return keys;
    }

    // Lands once the sweep has decided; the sweep commits while the landing is held before one of its calls.
    private static async Task WhileHeldAsync(Node lander, int call, string[] paths, Node sweeper, Func<Task> sweep)
    {
        var (held, swept) = (new TaskCompletionSource(), new TaskCompletionSource());
        Task landing = Task.CompletedTask;
        lander.Calls.RunBefore(
            call,
            () =>
            {
                held.TrySetResult();
                return swept.Task;
            }
        );
        sweeper.Calls.Before = async (_, message) =>
        {
            if (
                message.Request.Uri.ToString().Contains("batch", StringComparison.Ordinal)
                && landing == Task.CompletedTask
            )
            {
                landing = lander.LandAsync(paths);
                await Task.WhenAny(held.Task, landing);
            }
        };

        await sweep();
        swept.SetResult();
        await landing;
        sweeper.Calls.Before = (_, _) => ValueTask.CompletedTask;
    }

    /// <summary>
    /// The rows of what a deleted image needs are swept, decided before it lands again and committed while it does: before
    /// every other of the calls of that. The lowest row, which tells whether all are there, is among them or went before.
    /// </summary>
    [ScheduleTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_sweep_of_needs_in_the_middle_of_their_images_return(bool lowestIsGone)
    {
        var layout = Layout.Small("one", "latest");
        var manifest = $"{Repo}/{Layout.PathOf(layout.FirstImage)}";
        var calls = 2;
        for (var call = 1 + Random.Shared.Next(2); call <= calls; call += 2)
        {
            await using var sweeper = new Node(await Storages.NewWithTablesAsync());
            await using var lander = new Node(sweeper.Connection);
            var keys = await NeedsOfDeletedAsync(sweeper, layout);
            await sweeper.PutAsync(manifest, layout.Files[Layout.PathOf(layout.FirstImage)]);
            var garbage = sweeper.Garbage(DateTimeOffset.UtcNow.AddDays(1));
            if (lowestIsGone)
            {
                Assert.Equal(1, await garbage.Dependencies.RemoveAsync("alice", keys[..1], Stop));
                keys = keys[1..];
            }

            await WhileHeldAsync(
                lander,
                call,
                [manifest],
                sweeper,
                () => garbage.Dependencies.RemoveAsync("alice", keys, Stop)
            );

            calls = Math.Max(calls, lander.Calls.Count);
            Assert.Equal([$"web@{layout.FirstImage}"], await sweeper.ListedAsync("alice"));
            await Invariants.SettledAsync(sweeper, "alice");
        }

        Assert.InRange(calls, 10, 100);
    }

    private static Task CommitAgainstSweepAsync(int every)
    {
        var layout = Layout.Small("one", "latest");
        return Interleaving.EachAsync(
            layout,
            prepare: node => AllButTheManifestAsync(node, layout),
            first: node => node.LandAsync([$"{Repo}/{Layout.PathOf(layout.FirstImage)}"]),
            second: node => node.SweepYoungAsync(),
            check: listed => Assert.InRange(listed.Length, 0, 1),
            every: every
        );
    }

    private static Task SweepAgainstCommitAsync(int every)
    {
        var layout = Layout.Small("one", "latest");
        return Interleaving.EachAsync(
            layout,
            prepare: node => AllButTheManifestAsync(node, layout),
            first: node => node.SweepYoungAsync(),
            second: node => node.LandAsync([$"{Repo}/{Layout.PathOf(layout.FirstImage)}"]),
            check: listed => Assert.InRange(listed.Length, 0, 1),
            every: every
        );
    }

    private static Task SweepAgainstTagAsync(int every)
    {
        var (layout, index, child) = Index();
        return Interleaving.EachAsync(
            layout,
            prepare: node => DeletedIndexAsync(node, layout, index),
            first: node => node.SweepYoungAsync(),
            second: node => node.Tagging.SetAsync(Node.Repository(Repo), "mine", Node.Digest(child), Stop),
            check: listed => Assert.Contains(listed, new[] { [], new[] { $"web@{child} mine" } }),
            every: every
        );
    }

    private static Task SweepAgainstDeleteAsync(int every)
    {
        var layout = Layout.Small("one", "latest");
        return Interleaving.EachAsync(
            layout,
            first: node => node.SweepYoungAsync(),
            second: async node =>
                Assert.True(
                    (await node.Removal.ImageAsync(Node.Repository(Repo), Node.Digest(layout.FirstImage), Stop)).Found
                ),
            check: Assert.Empty,
            every: every
        );
    }

    // The rows of what it needs are left of the deleted image, and are swept while it comes again.
    private static Task SweepAgainstDropAsync(int every)
    {
        var layout = Layout.Small("one", "latest");
        return Interleaving.EachAsync(
            layout,
            prepare: node => DeletedAsync(node, layout),
            first: node => node.SweepYoungAsync(),
            second: node => DropAsync(node, layout),
            // Its tag is as its index.json says once that is applied again: the same bytes are another file.
            check: listed => Assert.Equal([$"web@{layout.FirstImage} latest"], listed),
            every: every
        );
    }

    private static Task DropAgainstSweepAsync(int every)
    {
        var layout = Layout.Small("one", "latest");
        return Interleaving.EachAsync(
            layout,
            prepare: node => DeletedAsync(node, layout),
            first: node => DropAsync(node, layout),
            second: node => node.SweepYoungAsync(),
            check: listed => Assert.InRange(listed.Length, 0, 1),
            every: every
        );
    }

    private static async Task DropAsync(Node node, Layout layout)
    {
        await node.PutAsync(Repo, layout);
        await node.LandAsync(layout.Files.Keys.Select(p => $"{Repo}/{p}"));
    }

    private static async Task DeletedAsync(Node node, Layout layout)
    {
        await DropAsync(node, layout);
        Assert.True((await node.Removal.ImageAsync(Node.Repository(Repo), Node.Digest(layout.FirstImage), Stop)).Found);
    }

    private static async Task AllButTheManifestAsync(Node node, Layout layout)
    {
        var manifest = Layout.PathOf(layout.FirstImage);
        await node.PutAsync(Repo, layout);
        await node.LandAsync(layout.Files.Keys.Where(p => p != manifest).Select(p => $"{Repo}/{p}"));
    }

    private static (Layout Layout, string Index, string Child) Index()
    {
        var layout = new Layout();
        var child = layout.AddImage("one");
        var index = layout.AddIndex(Layout.OciIndex, child);
        layout.Index(Layout.Tagged(index, "latest"));
        return (layout, Layout.Digest(index), Layout.Digest(child));
    }

    private static async Task DeletedIndexAsync(Node node, Layout layout, string index)
    {
        await DropAsync(node, layout);
        Assert.True((await node.Removal.ImageAsync(Node.Repository(Repo), Node.Digest(index), Stop)).Found);
    }
}
