using System.Globalization;

namespace ImagesFunctions.Benchmarks;

/// <summary>What a client does in one step.</summary>
internal enum Work
{
    Catalog,
    Push,
    PushChunked,
    Pull,
}

/// <summary>One step of a line.</summary>
/// <param name="Work">What is done.</param>
/// <param name="Layer">The layer of the image that is pushed or pulled; the catalog has none.</param>
internal readonly record struct Step(Work Work, Layer? Layer = null);

/// <summary>One line of the table: steps that the clients of a peer share, each taking the next one.</summary>
/// <param name="Name">What is done, for the table.</param>
/// <param name="Steps">In this order, for every peer and in every turn.</param>
/// <param name="Lasts">How long the steps are repeated, or null for once. At least once in any case.</param>
internal sealed record WorkLine(string Name, IReadOnlyList<Step> Steps, TimeSpan? Lasts = null);

/// <summary>
/// The field's own ruler: the work of <c>zb</c>, the benchmark of the registry zot, done by clients of our own to ours, to CNCF
/// distribution and to storage without a registry.
/// </summary>
internal sealed class RegistryWork
{
    private const int Repositories = 100;
    private static readonly int[] s_sizes = [1, 10, 100];

    private readonly Bench _bench;
    private readonly Layer[] _layers;

    private RegistryWork(Bench bench)
    {
        _bench = bench;
        var unit = bench.Smoke ? 1024 : 1024 * 1024;
        _layers = [.. s_sizes.Select(size => Layer.Random($"{size} MB", size * unit))];
    }

    private Layer Small => _layers[0];

    private Layer Medium => _layers[1];

    private Layer Large => _layers[2];

    public static async Task RunAsync(Bench bench)
    {
        var work = new RegistryWork(bench);
        var missing = await AzureRegistry.MissingAsync(bench);
        bench.Report.RegistryNote = missing is null ? AzureRegistry.How : $"left out, {missing}";
        List<WorkLine> lines = [.. work.Lines()];
        // Storage is empty when a line begins: what Azurite needs for a call, time and memory, grows with what it holds.
        foreach (var together in lines.Chunk(bench.Smoke ? lines.Count : 1))
        {
            await using var peers = await RegistryPeers.StartAsync(bench, withAzure: missing is null);
            foreach (var line in together)
            {
                bench.Report.Add(await MeasureAsync(bench, peers, line));
            }
        }
    }

    private static async Task<WorkRow> MeasureAsync(Bench bench, RegistryPeers peers, WorkLine line)
    {
        foreach (var peer in peers.All)
        {
            await peer.PrepareAsync(line, bench.Smoke ? 3 : Repositories, bench.Stop);
        }

        var rates = peers.All.ToDictionary(peer => peer, _ => new List<double>());
        // One turn each that does not count.
        for (var round = bench.Smoke ? 0 : -1; round < (bench.Smoke ? 1 : Bench.Rounds); round++)
        {
            foreach (var peer in peers.All)
            {
                var rate = await peer.TurnAsync(line, bench.Stop);
                if (peer == peers.Ours && !bench.Smoke)
                {
                    await peers.SettleAsync(bench.Stop);
                }

                if (round >= 0)
                {
                    rates[peer].Add(rate);
                }
            }
        }

        foreach (var peer in peers.All)
        {
            await peer.CheckAsync(bench.Stop);
        }

        return new WorkRow(
            line.Name,
            Samples.Median(rates[peers.Ours]),
            Samples.Median(rates[peers.Files]),
            peers.Azure is { } azure ? Samples.Median(rates[azure]) : null,
            Samples.Median(rates[peers.Storage])
        );
    }

    // In the order of zb, whose sizes are powers of two, too. The counts are what two cores do in a few seconds.
    private IEnumerable<WorkLine> Lines()
    {
        var lasts = TimeSpan.FromSeconds(_bench.Smoke ? 0 : 2);
        yield return new WorkLine(
            string.Create(CultureInfo.InvariantCulture, $"get the catalog of {Repositories} repositories"),
            [new Step(Work.Catalog)],
            lasts
        );
        foreach (var (layer, count) in Sized(32, 16, 4))
        {
            yield return new WorkLine($"push {layer.Name}, monolithic", Times(count, Work.Push, layer));
        }

        foreach (var (layer, count) in Sized(32, 16, 4))
        {
            yield return new WorkLine($"push {layer.Name}, chunked", Times(count, Work.PushChunked, layer));
        }

        foreach (var (layer, count) in Sized(200, 80, 16))
        {
            yield return new WorkLine($"pull {layer.Name}", Times(count, Work.Pull, layer));
        }

        yield return Mixed("pull 20 % 1 MB, 70 % 10 MB, 10 % 100 MB", Work.Pull, (2, 7, 1), 6);
        yield return Mixed("push 20 % 1 MB, 70 % 10 MB, 10 % 100 MB, monolithic", Work.Push, (2, 7, 1), 2);
        yield return Mixed("push a third each of 1, 10, 100 MB, chunked", Work.PushChunked, (1, 1, 1), 3);
        foreach (var (layer, count) in Sized(80, 40, 16))
        {
            yield return new WorkLine(
                $"pull 75 % and push 25 %, {layer.Name}",
                Shuffled([.. Times(count - (count / 4), Work.Pull, layer), .. Times(count / 4, Work.Push, layer)])
            );
        }
    }

    private IEnumerable<(Layer Layer, int Count)> Sized(int small, int medium, int large)
    {
        int[] counts = _bench.Smoke ? [4, 4, 4] : [small, medium, large];
        return _layers.Zip(counts);
    }

    private WorkLine Mixed(string name, Work work, (int Small, int Medium, int Large) parts, int times)
    {
        times = _bench.Smoke ? 1 : times;
        return new WorkLine(
            name,
            Shuffled([
                .. Times(parts.Small * times, work, Small),
                .. Times(parts.Medium * times, work, Medium),
                .. Times(parts.Large * times, work, Large),
            ])
        );
    }

    private static Step[] Times(int count, Work work, Layer layer) =>
        [.. Enumerable.Repeat(new Step(work, layer), count)];

    // Always the same order: chance would be another load in each turn.
    private static Step[] Shuffled(Step[] steps)
    {
        new Random(16).Shuffle(steps);
        return steps;
    }
}
