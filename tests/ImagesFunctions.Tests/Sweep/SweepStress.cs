using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>
/// Droppers of images that share layers, deleters, and sweepers that spare nothing young, all in processes that are killed
/// again and again. What was acknowledged and not deleted is there, byte for byte; of the rest nothing is left.
/// </summary>
public sealed class SweepStress
{
    private const string Namespace = "alice";
    private const int Images = 12;
    private const int MaxTries = 300;

    private readonly Layout _layout = new();
    private readonly JsonObject[] _images;
    private readonly ConcurrentDictionary<(string App, int Image), bool> _acknowledged = new();
    private readonly Dictionary<(string App, int Image), SemaphoreSlim> _turns = [];
    private string _connection = "";
    private int _kills;
    private int _drops;
    private int _tries;
    private int _deletes;
    private int _sweeps;

    public SweepStress()
    {
        // Six layers, two an image: so nearly every removal concerns what others need.
        JsonObject[] layers =
        [
            .. Enumerable
                .Range(0, 6)
                .Select(i => _layout.Add(Layout.OciTar, RandomNumberGenerator.GetBytes(5_000 + i))),
        ];
        _images =
        [
            .. Enumerable
                .Range(0, Images)
                .Select(i =>
                    _layout.AddManifest(
                        _layout.Add(Layout.OciConfig, new JsonObject { ["author"] = $"{i}" }),
                        layers[i % 6],
                        layers[(i / 2 + 1 + i) % 6]
                    )
                ),
        ];
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [ScheduleFact]
    public Task Leaves_what_was_acknowledged_whole_and_nothing_else() => RunAsync(dropsEach: 6, realProcesses: 0);

    [LongFact]
    public Task Leaves_what_was_acknowledged_whole_and_nothing_else_for_minutes() =>
        RunAsync(dropsEach: 60, realProcesses: 2);

    private async Task RunAsync(int dropsEach, int realProcesses)
    {
        _connection = await Storages.NewWithTablesAsync();
        foreach (var app in (string[])["shared", "drop0", "drop1"])
        {
            for (var i = 0; i < Images; i++)
            {
                _turns[(app, i)] = new SemaphoreSlim(1);
            }
        }

        using var done = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        Task[] others =
        [
            .. Enumerable.Range(0, 2).Select(_ => WhileAsync(SweepAsync, done.Token)),
            .. Enumerable.Range(0, 2).Select(_ => WhileAsync(DeleteAsync, done.Token)),
            .. Enumerable.Range(0, realProcesses).Select(_ => KillGcAsync(done.Token)),
        ];
        await Task.WhenAll(
            TimesAsync(dropsEach, node => TagAsync(node, "one")),
            TimesAsync(dropsEach, node => TagAsync(node, "two")),
            TimesAsync(dropsEach, node => DropAsync(node, "drop0")),
            TimesAsync(dropsEach, node => DropAsync(node, "drop1"))
        );
        await done.CancelAsync();
        await Task.WhenAll(others);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{_drops} drops in {_tries} tries, {_deletes} deletes, {_sweeps} sweeps, {_kills} kills"
        );
        await CheckAsync();
    }

    // As a push does: blobs, then the manifest, then a tag, which is the answer.
    private async Task TagAsync(Node node, string tag)
    {
        var image = Random.Shared.Next(Images);
        var digest = Node.Digest(Layout.Digest(_images[image]));
        await InTurnAsync(
            "shared",
            image,
            async () =>
            {
                var repository = Node.Repository($"{Namespace}/shared");
                for (var attempt = 1; attempt <= MaxTries; attempt++)
                {
                    Interlocked.Increment(ref _tries);
                    await PutAsync(node, "shared", image);
                    var named = new DependencyRow("shared", digest, Dependent.Layout, Layout.OciManifest);
                    await node.RowStore.PutDependenciesAsync(Namespace, [named], Stop);
                    await node.LandAsync([$"{repository}/{Layout.PathOf(digest.ToString())}"]);
                    if (await node.Tagging.SetAsync(repository, $"{tag}-{image}", digest, Stop))
                    {
                        _acknowledged[("shared", image)] = true;
                        Interlocked.Increment(ref _drops);
                        return;
                    }
                }

                Assert.Fail("An image was swept each time before it was tagged.");
            }
        );
    }

    // As a copy of a layout does: blobs in any order, and index.json; that it is listed is the answer.
    private async Task DropAsync(Node node, string app)
    {
        var image = Random.Shared.Next(Images);
        await InTurnAsync(
            app,
            image,
            async () =>
            {
                var digest = Layout.Digest(_images[image]);
                for (var attempt = 1; attempt <= MaxTries; attempt++)
                {
                    Interlocked.Increment(ref _tries);
                    var index = new Layout().Index(_images[image]).Files["index.json"];
                    await node.PutAsync($"{Namespace}/{app}/index.json", index);
                    await node.LandAsync([$"{Namespace}/{app}/index.json"]);
                    await PutAsync(node, app, image);
                    if (
                        await node.RowStore.ImageAsync(
                            Node.Repository($"{Namespace}/{app}"),
                            Node.Digest(digest),
                            Stop
                        ) is
                        { State: ImageState.Complete }
                    )
                    {
                        _acknowledged[(app, image)] = true;
                        Interlocked.Increment(ref _drops);
                        return;
                    }
                }

                Assert.Fail("An image was swept each time before it was listed.");
            }
        );
    }

    private async Task PutAsync(Node node, string app, int image)
    {
        var paths = _layout.Needs(Layout.Digest(_images[image])).ToArray();
        Random.Shared.Shuffle(paths);
        foreach (var path in paths)
        {
            await node.PutAsync($"{Namespace}/{app}/{path}", _layout.Files[path]);
            await node.LandAsync([$"{Namespace}/{app}/{path}"]);
        }
    }

    private async Task DeleteAsync(Node node)
    {
        if (_acknowledged.Keys.ToArray() is not { Length: > 3 } there)
        {
            await node.SweepYoungAsync();
            return;
        }

        var (app, image) = there[Random.Shared.Next(there.Length)];
        await InTurnAsync(
            app,
            image,
            async () =>
            {
                // From here on nobody is promised anything, whether the delete is answered or not.
                _acknowledged.TryRemove((app, image), out _);
                var digest = Node.Digest(Layout.Digest(_images[image]));
                await node.Removal.ImageAsync(Node.Repository($"{Namespace}/{app}"), digest, Stop);
                Interlocked.Increment(ref _deletes);
            }
        );
    }

    private async Task SweepAsync(Node node)
    {
        var result = await node.SweepYoungAsync();
        Assert.Equal(0, result[SweepKind.Failed]);
        Interlocked.Increment(ref _sweeps);
    }

    // A drop and a delete of the very same image are not promised at the same time; all that they share is.
    private async Task InTurnAsync(string app, int image, Func<Task> act)
    {
        var turn = _turns[(app, image)];
        await turn.WaitAsync(Stop);
        try
        {
            await act();
        }
        finally
        {
            turn.Release();
        }
    }

    private Task TimesAsync(int times, Func<Node, Task> act)
    {
        var done = 0;
        return ActAsync(() => done < times, act, () => done++);
    }

    private Task WhileAsync(Func<Node, Task> act, CancellationToken end) =>
        ActAsync(() => !end.IsCancellationRequested, act, () => { });

    // Every other process is killed somewhere; another one goes on in its place, and what was not answered is done again.
    private async Task ActAsync(Func<bool> goesOn, Func<Node, Task> act, Action done)
    {
        while (goesOn())
        {
            await using var node = new Node(_connection);
            if (Random.Shared.Next(2) == 0)
            {
                node.Calls.KillAt(1 + Random.Shared.Next(400), Random.Shared.Next(2) == 0);
            }

            try
            {
                for (var i = 0; i < 5 && goesOn(); i++)
                {
                    await act(node);
                    done();
                }
            }
            catch (KilledException)
            {
                Interlocked.Increment(ref _kills);
            }
        }
    }

    private async Task KillGcAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            await using var gc = LocalProgram.Start(_connection, ["gc", "--grace", "0m"]);
            if (await gc.EndsWithinAsync(TimeSpan.FromMilliseconds(Random.Shared.Next(500, 6_000))) is null)
            {
                Interlocked.Increment(ref _kills);
            }
        }
    }

    private async Task CheckAsync()
    {
        await using var node = new Node(_connection);
        var rows = await Invariants.CompleteAsync(node, Namespace);
        foreach (var (app, image) in _acknowledged.Keys)
        {
            var key = Keys.Image(app, Node.Digest(Layout.Digest(_images[image])));
            Assert.True(rows.Images.TryGetValue(key, out var row) && row.State == ImageState.Complete, key);
        }

        // What was not answered may be there or not; what is left of it is found and then swept.
        await node.StartAsync();
        await node.SweepAllAsync();

        rows = await Invariants.CompleteAsync(node, Namespace);
        Assert.All(rows.Images.Values, i => Assert.Equal(ImageState.Complete, i.State));
        var needed = rows
            .Images.Values.SelectMany(i =>
                _layout.Needs(i.Digest.ToString()).Select(path => $"{Namespace}/{i.App}/{path}")
            )
            .Concat(["alice/drop0/index.json", "alice/drop1/index.json"])
            .Distinct(StringComparer.Ordinal);
        Assert.Equal(needed.Order(StringComparer.Ordinal), (await node.PathsAsync()).Order(StringComparer.Ordinal));
        foreach (var row in await node.RowStore.RangeAsync(Namespace, Keys.All('n'), Stop))
        {
            var need = DependencyRow.From(row);
            Assert.True(
                need.By == Dependent.Layout || rows.Images.ContainsKey(Keys.Image(need.App, need.By.Digest!)),
                $"{need} is of nobody"
            );
        }
    }
}
