using System.Net;
using System.Security.Cryptography;

namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// A process is killed before and after each storage call of a push. What it answered 201 stays, what it did not answer is
/// there whole or not at all, and the same push to another process succeeds.
/// </summary>
[TakesLong(seconds: 30)]
public sealed class PushKilledAnywhere
{
    private const string Namespace = "alice";
    private const string Repo = "alice/web";

    [ScheduleFact]
    public Task While_an_image_is_pushed() => EachKillHealsAsync(Small, Nothing, everyCall: 13);

    [LongFact]
    public Task While_an_image_is_pushed_at_every_call() => EachKillHealsAsync(Small, Nothing, everyCall: 1);

    [ScheduleFact]
    public Task While_an_image_is_pushed_whose_layer_is_bad() =>
        EachKillHealsAsync(Small, BadLayerAsync, everyCall: 17);

    [LongFact]
    public Task While_an_image_is_pushed_whose_layer_is_bad_at_every_call() =>
        EachKillHealsAsync(Small, BadLayerAsync, everyCall: 1);

    [ScheduleFact]
    public Task While_long_layers_are_pushed() => EachKillHealsAsync(Long(), Nothing, everyCall: 29);

    [LongFact]
    public Task While_long_layers_are_pushed_at_every_call() => EachKillHealsAsync(Long(), Nothing, everyCall: 1);

    // The tag comes with the push; a drop's own one would come with the layer.
    private static Layout Small => Layout.Small("one");

    // Layers longer than a block, one for each way to push.
    private static Layout Long()
    {
        var layout = new Layout();
        var config = layout.Add(Layout.OciConfig, "{}"u8.ToArray());
        var layers = Enumerable
            .Range(0, 3)
            .Select(_ => layout.Add(Layout.OciLayer, RandomNumberGenerator.GetBytes(5_000_000)));
        return layout.Index(layout.AddManifest(config, [.. layers]));
    }

    private static Task Nothing(Node node, Layout layout) => Task.CompletedTask;

    private static async Task BadLayerAsync(Node node, Layout layout)
    {
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        await node.PutAsync($"{Repo}/{layout.FirstLayer}", "other bytes"u8.ToArray());
        await node.StartAsync();
    }

    private static async Task EachKillHealsAsync(Layout layout, Func<Node, Layout, Task> prepare, int everyCall)
    {
        var calls = await KillAsync(prepare, layout, int.MaxValue, afterIt: false);
        for (var call = 1 + Random.Shared.Next(Math.Min(everyCall, calls)); call <= calls; call += everyCall)
        {
            await KillAsync(prepare, layout, call, afterIt: false);
            await KillAsync(prepare, layout, call, afterIt: true);
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{calls} calls, each {everyCall}. of them killed before and after"
        );
    }

    private static async Task<int> KillAsync(Func<Node, Layout, Task> prepare, Layout layout, int call, bool afterIt)
    {
        var expected = $"web@{layout.FirstImage} latest";
        var connection = await Storages.NewWithTablesAsync();
        string token;
        await using (var before = new Node(connection))
        {
            token = await NodeRegistry.TokenAsync(before, Namespace);
            await prepare(before, layout);
        }

        int calls;
        HttpStatusCode answered;
        await using (var victim = new Node(connection))
        {
            victim.Calls.KillAt(call, afterIt);
            answered = (await new NodeRegistry(victim, Namespace, token).PushAsync(Repo, layout, "latest")).Status;
            calls = victim.Calls.Count;
        }

        await using var fresh = new Node(connection);
        var where = $"killed {(afterIt ? "after" : "before")} call {call}, answered {answered}";
        Assert.True(call < int.MaxValue || answered == HttpStatusCode.Created, where);
        await Invariants.HoldAsync(fresh, Namespace);
        if (answered == HttpStatusCode.Created)
        {
            Assert.True(expected == Assert.Single(await fresh.ListedAsync(Namespace)), where);
        }

        // The next one need not wait for anybody: no event was delivered yet.
        var again = await new NodeRegistry(fresh, Namespace, token).PushAsync(Repo, layout, "latest");
        Assert.True(again.Status == HttpStatusCode.Created, $"{where}: {again.Text}");
        Assert.Equal(expected, Assert.Single(await fresh.ListedAsync(Namespace)));
        await fresh.StartAsync();
        Assert.Equal(expected, Assert.Single(await fresh.ListedAsync(Namespace)));
        await Invariants.SettledAsync(fresh, Namespace);
        return calls;
    }
}
