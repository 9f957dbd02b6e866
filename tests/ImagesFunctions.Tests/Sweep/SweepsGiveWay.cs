using System.Text;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>A sweep beside pushes: it keeps what they were promised, gets on where they are busy, and lets go of what they keep changing.</summary>
[TakesLong(seconds: 25)]
public sealed class SweepsGiveWay
{
    private const string Namespace = "alice";
    private const string Repo = "alice/web";

    private static readonly TimeSpan TwoMonths = TimeSpan.FromDays(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [ScheduleFact]
    public async Task A_blob_that_is_promised_at_any_moment_of_its_removal_stays_or_is_not_promised()
    {
        var (promised, calls) = (0, 0);
        // The first run is left alone, and counted.
        for (var call = 0; call <= calls; call++)
        {
            await using var node = new Node(await Storages.NewWithTablesAsync());
            await using var pusher = new Node(node.Connection);
            var (repository, digest) = (Node.Repository(Repo), (await StraysAsync(node, 1))[0]);
            var row = await node.Storage.ImageRows.GetAsync(Namespace, Keys.Blob("web", digest), Stop);
            var promises = new BlobRetention(
                pusher.Storage,
                pusher.RowStore,
                new SweepOptions { AfterPush = TimeSpan.Zero, AfterDrop = TimeSpan.Zero }.Grace
            );
            BlobRow? promise = null;
            var before = node.Calls.Count;
            node.Calls.RunBefore(
                before + call,
                async () => promise = await promises.RenewAsync(new BlobPath(repository, digest), Stop)
            );

            await node.Garbage(row!.Timestamp!.Value).Blobs.RemoveAsync(new BlobPath(repository, digest), Stop);

            calls = Math.Max(calls, node.Calls.Count - before);
            if (promise is not null)
            {
                promised++;
                Assert.Equal(
                    promise.RowETag,
                    (await node.RowStore.BlobAsync(new BlobPath(repository, digest), Stop))?.RowETag
                );
                Assert.Single(await node.PathsAsync());
            }
        }

        Assert.InRange(promised, 2, calls - 1);
    }

    /// <summary>The commit says in the log what it needs: each digest, or only the app where there are very many.</summary>
    [ScheduleTheory]
    [InlineData(2)]
    [InlineData(220)]
    public async Task A_blob_whose_need_is_committed_while_its_removal_is_decided_stays(int layers)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        await using var lander = new Node(node.Connection);
        var layout = new Layout();
        var image = layout.AddManifest(
            layout.Add(Layout.OciConfig, "{}"u8.ToArray()),
            [.. Enumerable.Range(0, layers).Select(i => layout.Add(Layout.OciTar, BitConverter.GetBytes(i)))]
        );
        var manifest = Layout.PathOf(Layout.Digest(image));
        await node.PutAsync(Repo, layout.Index(image));
        await node.LandAsync(layout.Files.Keys.Where(p => p != manifest).Select(p => $"{Repo}/{p}"));
        var layer = Digest.Sha256(BitConverter.GetBytes(layers / 2));
        var landed = false;
        node.Calls.Before = async (_, message) =>
        {
            if (!landed && message.Request.Uri.ToString().Contains("batch", StringComparison.Ordinal))
            {
                landed = true;
                await lander.LandAsync([$"{Repo}/{manifest}"]);
            }
        };

        var removed = await node.Garbage(DateTimeOffset.UtcNow.AddDays(1))
            .Blobs.RemoveAsync(new BlobPath(Node.Repository(Repo), layer), Stop);

        Assert.True(landed);
        Assert.Equal(0, removed);
        Assert.Single(await node.ListedAsync(Namespace));
        await Invariants.SettledAsync(node, Namespace);
    }

    [ScheduleFact]
    public async Task A_sweep_gets_on_beside_commits_of_images_of_the_same_app()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        await using var other = new Node(node.Connection);
        await StraysAsync(node, 150);
        // As fast as a bulk drop commits beside it, on a slow machine too: one after so many calls of the sweep.
        const int callsACommit = 8;
        using var turn = new SemaphoreSlim(0);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var (commits, before) = (0, node.Calls.Count);
        node.Calls.Before = (number, _) =>
        {
            if (number % callsACommit == 0)
            {
                turn.Release();
            }

            return ValueTask.CompletedTask;
        };
        var busy = Task.Run(
            async () =>
            {
                while (!done.IsCancellationRequested)
                {
                    await turn.WaitAsync(Stop);
                    await CommitAsync(other, Digest.Sha256(BitConverter.GetBytes(commits++)), new HashSet<Digest>());
                }
            },
            Stop
        );

        var result = await node.SweepAsync(TwoMonths);
        var calls = node.Calls.Count - before;
        await done.CancelAsync();
        turn.Release();
        await busy;

        TestContext.Current.TestOutputHelper?.WriteLine($"{calls} calls beside {commits} commits: {result}");
        Assert.Equal((150, 0), (result[SweepKind.Blobs], result[SweepKind.Left]));
        Assert.InRange(commits, 4, int.MaxValue);
        // Alone it takes about seven a blob, and 30 for the pass itself.
        Assert.InRange(calls, 1, 2_200);
    }

    [ScheduleFact]
    public async Task What_others_keep_changing_is_left_for_the_next_sweep()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        await using var other = new Node(node.Connection);
        var strays = await StraysAsync(node, 3);
        // Before each commit that is about this one, somebody commits another image that needs it.
        var commits = 0;
        var contested = new HashSet<Digest> { strays[1] };
        node.Calls.Before = async (_, message) =>
        {
            using var body = new MemoryStream();
            if (message.Request.Content is { } content)
            {
                await content.WriteToAsync(body, Stop);
            }

            if (Encoding.UTF8.GetString(body.ToArray()).Contains(strays[1].Encoded, StringComparison.Ordinal))
            {
                await CommitAsync(other, Digest.Sha256(BitConverter.GetBytes(commits++)), contested);
            }
        };

        var result = await node.SweepAsync(TwoMonths);

        Assert.Equal((2, 1), (result[SweepKind.Blobs], result[SweepKind.Left]));
        Assert.Equal(0, result[SweepKind.Failed]);
        Assert.Equal([$"{Repo}/{Layout.PathOf(strays[1].ToString())}"], await node.PathsAsync());
        Assert.InRange(commits, 10, 60);
    }

    // An image's row, and its needs in the log.
    private static Task<int> CommitAsync(Node node, Digest image, IReadOnlySet<Digest> needs)
    {
        var row = new ImageRow("web", image)
        {
            MediaType = Layout.OciManifest,
            Size = 0,
            IsImage = false,
            Generation = "",
        };
        return node.RowStore.CommitAsync(
            Namespace,
            (view, _) =>
            {
                needs.ToList().ForEach(d => view.AddWrittenKey(Keys.AnyDependency("web", d)));
                return Task.FromResult(Decision.Of(0, [new Change(row.Key, row.ToRow())]));
            },
            Stop
        );
    }

    private static async Task<List<Digest>> StraysAsync(Node node, int count)
    {
        var digests = new List<Digest>();
        for (var i = 0; i < count; i++)
        {
            var bytes = BitConverter.GetBytes((long)i);
            digests.Add(Digest.Sha256(bytes));
            var path = $"{Repo}/{Layout.PathOf(digests[i].ToString())}";
            await node.PutAsync(path, bytes);
            await node.LandAsync([path]);
        }

        return digests;
    }
}
