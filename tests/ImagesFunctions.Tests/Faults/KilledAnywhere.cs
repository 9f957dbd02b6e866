namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// A process is killed before and after each of its storage calls, one run a call, of all or of a sample; a fresh one starts, gets an event for
/// every blob that is there, and the rows must be those of a run that nobody killed.
/// </summary>
[TakesLong(seconds: 65)]
public sealed class KilledAnywhere
{
    private const string Namespace = "alice";
    private const string Repo = "alice/web";
    private const int Sample = 13;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [ScheduleFact]
    public Task While_a_layout_lands_with_its_index_json_first()
    {
        var layout = Layout.Small("one", "latest", "v1");
        return EachKillHealsAsync(
            prepare: node => node.PutAsync(Repo, layout),
            act: node => node.LandAsync(layout.Files.Keys.OrderBy(p => p != "index.json").Select(p => $"{Repo}/{p}")),
            expected: [$"web@{layout.FirstImage} latest v1"]
        );
    }

    [ScheduleFact]
    public Task While_a_layout_lands_with_its_index_json_last() => LandsIndexLastAsync(everyCall: 17);

    [LongFact]
    public Task While_a_layout_lands_with_its_index_json_last_at_every_call() => LandsIndexLastAsync(everyCall: 1);

    private static Task LandsIndexLastAsync(int everyCall)
    {
        var layout = Layout.Small("one", "latest");
        return EachKillHealsAsync(
            prepare: node => node.PutAsync(Repo, layout),
            act: node => node.LandAsync(layout.Files.Keys.OrderBy(p => p == "index.json").Select(p => $"{Repo}/{p}")),
            expected: [$"web@{layout.FirstImage} latest"],
            everyCall: everyCall
        );
    }

    // A number that has no common factor with anything: over the scenarios every kind of call comes up.
    [ScheduleFact]
    public Task While_an_index_of_two_platforms_lands() => AnIndexLandsAsync(everyCall: 29);

    [LongFact]
    public Task While_an_index_of_two_platforms_lands_at_every_call() => AnIndexLandsAsync(everyCall: 1);

    private static Task AnIndexLandsAsync(int everyCall)
    {
        var layout = new Layout();
        var index = layout.AddIndex(
            Layout.OciIndex,
            Layout.For(layout.AddImage("one"), "linux", "amd64"),
            Layout.For(layout.AddImage("two"), "linux", "arm64")
        );
        layout.Index(Layout.Tagged(index, "latest"));
        return EachKillHealsAsync(
            prepare: node => node.PutAsync(Repo, layout),
            act: node => node.LandAsync(layout.Files.Keys.OrderDescending().Select(p => $"{Repo}/{p}")),
            expected: [$"web@{Layout.Digest(index)} latest"],
            everyCall: everyCall
        );
    }

    [ScheduleFact]
    public Task While_a_changed_index_json_moves_and_drops_tags()
    {
        var layout = new Layout();
        var (one, two) = (layout.AddImage("one"), layout.AddImage("two"));
        layout.Index(Layout.Tagged(one, "moves"), Layout.Tagged(one, "goes"), Layout.Tagged(two, "stays"));
        return EachKillHealsAsync(
            prepare: async node =>
            {
                await node.PutAsync(Repo, layout);
                await node.StartAsync();
                layout.Index(Layout.Tagged(one, "new"), Layout.Tagged(two, "moves"), Layout.Tagged(two, "stays"));
                await node.PutAsync(Repo, layout, "index.json");
                layout.Index(Layout.Tagged(one, "moves"), Layout.Tagged(one, "goes"), Layout.Tagged(two, "stays"));
            },
            act: node => node.LandAsync([$"{Repo}/index.json"]),
            expected:
            [
                .. new[] { $"web@{Layout.Digest(one)} new", $"web@{Layout.Digest(two)} moves stays" }.Order(
                    StringComparer.Ordinal
                ),
            ]
        );
    }

    [ScheduleFact]
    public Task While_a_layer_that_an_image_needs_goes_bad()
    {
        var layout = Layout.Small("one", "latest");
        return EachKillHealsAsync(
            prepare: async node =>
            {
                await node.PutAsync(Repo, layout);
                await node.StartAsync();
                await node.PutAsync($"{Repo}/{layout.FirstLayer}", "other bytes"u8.ToArray());
            },
            act: node => node.LandAsync([$"{Repo}/{layout.FirstLayer}"]),
            expected: [],
            // Overwritten from outside: until its event is delivered, nobody can know.
            badBytes: true
        );
    }

    [ScheduleFact]
    public Task While_a_bad_layer_heals()
    {
        var layout = Layout.Small("one", "latest");
        return EachKillHealsAsync(
            prepare: async node =>
            {
                await node.PutAsync(Repo, layout);
                await node.StartAsync();
                await node.PutAsync($"{Repo}/{layout.FirstLayer}", "other bytes"u8.ToArray());
                await node.StartAsync();
                await node.PutAsync(Repo, layout, layout.FirstLayer);
            },
            act: node => node.LandAsync([$"{Repo}/{layout.FirstLayer}"]),
            expected: [$"web@{layout.FirstImage} latest"]
        );
    }

    [ScheduleFact]
    public Task While_an_image_is_deleted()
    {
        var layout = Layout.Small("one", "latest");
        return EachKillHealsAsync(
            prepare: async node =>
            {
                await node.PutAsync(Repo, layout);
                await node.StartAsync();
            },
            act: async node =>
            {
                var result = await node.Removal.ImageAsync(Node.Repository(Repo), Node.Digest(layout.FirstImage), Stop);
                Assert.True(result.Found);
            },
            expected: [],
            // Killed before its first commit a removal has not happened: it was not answered.
            orElse: [$"web@{layout.FirstImage} latest"]
        );
    }

    [LongFact]
    public async Task While_all_else_happens_at_every_call()
    {
        await While_a_layout_lands_with_its_index_json_first();
        await While_a_changed_index_json_moves_and_drops_tags();
        await While_a_layer_that_an_image_needs_goes_bad();
        await While_a_bad_layer_heals();
        await While_an_image_is_deleted();
    }

    private static async Task EachKillHealsAsync(
        Func<Node, Task> prepare,
        Func<Node, Task> act,
        string[] expected,
        string[]? orElse = null,
        bool badBytes = false,
        int everyCall = Sample
    )
    {
        everyCall = LongFactAttribute.Every(everyCall);
        var calls = await CountAsync(prepare, act, expected);
        for (var call = 1 + Random.Shared.Next(Math.Min(everyCall, calls)); call <= calls; call += everyCall)
        {
            await KillAsync(prepare, act, call, afterIt: false, expected, orElse, badBytes);
            await KillAsync(prepare, act, call, afterIt: true, expected, orElse, badBytes);
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{calls} calls, each {everyCall}. of them killed before and after"
        );
    }

    private static async Task<int> CountAsync(Func<Node, Task> prepare, Func<Node, Task> act, string[] expected)
    {
        var connection = await Storages.NewWithTablesAsync();
        await using (var before = new Node(connection))
        {
            await prepare(before);
        }

        await using var node = new Node(connection);
        await act(node);
        var calls = node.Calls.Count;
        Assert.Equal(expected, await node.ListedAsync(Namespace));
        await Invariants.SettledAsync(node, Namespace);
        return calls;
    }

    private static async Task KillAsync(
        Func<Node, Task> prepare,
        Func<Node, Task> act,
        int call,
        bool afterIt,
        string[] expected,
        string[]? orElse,
        bool badBytes
    )
    {
        var connection = await Storages.NewWithTablesAsync();
        await using (var before = new Node(connection))
        {
            await prepare(before);
        }

        await using (var victim = new Node(connection))
        {
            victim.Calls.KillAt(call, afterIt);
            // Calls that run side by side come in any order, so now and then there is one less.
            await Record.ExceptionAsync(() => act(victim));
        }

        await using var fresh = new Node(connection);
        if (!badBytes)
        {
            await Invariants.HoldAsync(fresh, Namespace);
        }

        await fresh.StartAsync();
        var listed = await fresh.ListedAsync(Namespace);
        Assert.True(
            listed.SequenceEqual(expected, StringComparer.Ordinal)
                || listed.AsEnumerable().SequenceEqual(orElse ?? expected),
            $"killed {(afterIt ? "after" : "before")} call {call}: lists [{string.Join("; ", listed)}], not [{string.Join("; ", expected)}]"
        );
        await Invariants.SettledAsync(fresh, Namespace);
    }
}
