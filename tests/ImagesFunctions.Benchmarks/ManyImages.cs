using System.Diagnostics;
using System.Net;
using System.Text;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Support;

namespace ImagesFunctions.Benchmarks;

/// <summary>A namespace of 100,000 images: the list when nothing is known, when the process is new, and when something changed.</summary>
internal static class ManyImages
{
    private const string Namespace = "alice";

    public static async Task RunAsync(Bench bench)
    {
        var store = await bench.ManyAsync();
        var token = await store.TokenAsync(Namespace);
        var scan = await ColdAsync(bench, store, token);
        await ColdStartAsync(bench, store, token, scan);
        await using (var server = await Server.OursAsync(bench, store))
        {
            using var ours = new Client(server.Address, token);
            var bytes = await Lists.ListAsync(ours, bench.Many, bench.Stop);
            await WarmAsync(bench, ours, bytes, scan);
            await AfterTagMoveAsync(bench, store, ours);
        }
    }

    // The list that nobody has asked for ever: there is no process that has it, and nothing is kept of it.
    private static async Task<double> ColdAsync(Bench bench, Store store, string token)
    {
        var medians = await bench.AlternateAsync(
            async () =>
            {
                await ForgetAsync(bench, store);
                await using var server = await Server.OursAsync(bench, store);
                using var ours = new Client(server.Address, token);
                return (await ours.TimeAsync(Lists.Path, bench.Stop)).Whole;
            },
            () => ScanAsync(bench, store, bench.Many),
            rounds: 2,
            warmUp: false
        );
        bench.Report.Add(
            Row.Of(
                $"list of {bench.Many:#,0} images, first ever",
                medians,
                "ms",
                "raw scan",
                Target.AtMost(1.2),
                "The whole list from a process that has just been started, where no snapshot is kept; and all rows of images and tags through the SDK, both ranges at once, as rows that are dropped."
            )
        );
        return medians.Peer;
    }

    /// <summary>Removes what is kept of lists beside their rows.</summary>
    public static async Task ForgetAsync(Bench bench, Store store)
    {
        await foreach (var blob in store.Account.Derived.GetBlobsAsync(cancellationToken: bench.Stop))
        {
            await store.Account.Derived.DeleteBlobAsync(blob.Name, cancellationToken: bench.Stop);
        }
    }

    /// <summary>Reads all rows of images and tags, raw.</summary>
    /// <returns>How long that took, in milliseconds.</returns>
    public static async Task<double> ScanAsync(Bench bench, Store store, int images)
    {
        var started = Stopwatch.GetTimestamp();
        var scope = RowScope.Of(null);
        var counts = await Task.WhenAll(CountAsync(scope.Images), CountAsync(scope.Tags));
        return counts.Sum() >= images + (images / Bench.PerApp)
            ? Client.Since(started)
            : throw new InvalidOperationException($"{counts.Sum()} rows were seeded");

        async Task<int> CountAsync(KeyRange range)
        {
            var count = 0;
            var filter = Azure.Data.Tables.TableClient.CreateQueryFilter(
                $"PartitionKey eq {Namespace} and RowKey ge {range.From} and RowKey lt {range.To}"
            );
            var pages = store.Account.ImageTable.QueryAsync<Azure.Data.Tables.TableEntity>(
                filter,
                cancellationToken: bench.Stop
            );
            await foreach (var page in pages.AsPages())
            {
                count += page.Values.Count;
            }

            return count;
        }
    }

    private static async Task ColdStartAsync(Bench bench, Store store, string token, double scan)
    {
        await using (var server = await Server.OursAsync(bench, store))
        {
            using var ours = new Client(server.Address, token);
            await Lists.ListAsync(ours, bench.Many, bench.Stop);
            // Whatever is kept of the list is written behind the answer.
            var deadline = Stopwatch.StartNew();
            while (deadline.Elapsed < TimeSpan.FromSeconds(bench.Smoke ? 1 : 10) && !await HasSnapshotAsync())
            {
                await Task.Delay(100, bench.Stop);
            }
        }

        var times = new List<double>();
        for (var round = 0; round < (bench.Smoke ? 1 : Bench.Rounds); round++)
        {
            await using var server = await Server.OursAsync(bench, store);
            using var ours = new Client(server.Address, token);
            times.Add((await ours.TimeAsync(Lists.Path, bench.Stop)).Whole);
        }

        bench.Report.Add(
            Row.Of(
                $"list of {bench.Many:#,0} images, first of a new process",
                (Samples.Median(times), scan),
                "ms",
                "raw scan",
                Target.AtMost(0.5),
                "The whole list from a process that has just been started, after another process had it; and the raw scan of the line before. Half of a scan is not to be had with one."
            )
        );

        async Task<bool> HasSnapshotAsync() =>
            await store.Account.Derived.GetBlobsAsync(cancellationToken: bench.Stop).AnyAsync(bench.Stop);
    }

    private static async Task WarmAsync(Bench bench, Client ours, byte[] bytes, double scan)
    {
        var first = new List<double>();
        for (var i = 0; i < (bench.Smoke ? 2 : 9); i++)
        {
            first.Add((await ours.TimeAsync(Lists.Path, bench.Stop)).FirstByte);
        }

        bench.Report.Add(
            Row.Of(
                $"list of {bench.Many:#,0} images, later: first byte",
                (Samples.Median(first), scan / 20),
                "ms",
                "1/20 of the raw scan",
                Target.AtMost(1),
                "From the request to the first byte of the body, from a process that has the list; and the raw scan from above."
            )
        );
        await using var server = await Server.KestrelAsync(bench, bytes);
        using var kestrel = new Client(server.Address);
        bench.Report.Add(
            Row.Of(
                $"list of {bench.Many:#,0} images, later: {bytes.Length / 1e6:0.0} MB",
                await bench.AlternateAsync(
                    async () => await SpeedAsync(ours, Lists.Path),
                    async () => await SpeedAsync(kestrel, "")
                ),
                "MiB/s",
                "Kestrel",
                Target.AtLeast(0.5),
                "`wrk` on one connection, bytes a second, for the list and for a bare Kestrel that sends the same bytes from memory."
            )
        );

        async Task<double> SpeedAsync(Client client, string path) =>
            (await Wrk.RunAsync(client, path, 1, bench.LoadSeconds, bench.Stop)).Bytes / (1024 * 1024);
    }

    private static async Task AfterTagMoveAsync(Bench bench, Store store, Client ours)
    {
        var (moves, last) = (0, "");
        bench.Report.Add(
            Row.Of(
                $"list of {bench.Many:#,0} images right after a tag move",
                await bench.AlternateAsync(
                    async () =>
                    {
                        last = await MoveTagAsync(bench, store, ++moves);
                        return (await ours.TimeAsync(Lists.Path, bench.Stop)).Whole;
                    },
                    async () => (await ours.TimeAsync(Lists.Path, bench.Stop)).Whole,
                    rounds: 7
                ),
                "ms",
                "warm list",
                Target.AtMost(2),
                "The whole list, directly after another instance has moved a tag; and the list when nothing has changed."
            )
        );
        var list = Encoding.UTF8.GetString(
            await ours.GetAsync($"{Lists.Path}?tag={Namespace}/{Seeds.App(0)}:moves", bench.Stop)
        );
        if (!list.Contains(last, StringComparison.Ordinal))
        {
            throw new InvalidOperationException("the list does not show where the tag is now");
        }
    }

    /// <summary>Moves a tag between two images, in this process: another instance to the one that is asked.</summary>
    /// <returns>The digest that it is at now, without the algorithm.</returns>
    public static async Task<string> MoveTagAsync(Bench bench, Store store, int number)
    {
        var image = Seeds.Images(2, Bench.PerApp).ElementAt(number % 2);
        _ = Repository.TryParse($"{Namespace}/{image.App}", out var repository);
        return await new Tagging(store.Get<RowStore>()).SetAsync(repository!, "moves", image.Digest, bench.Stop)
            ? image.Digest.Encoded
            : throw new InvalidOperationException("the tag does not move");
    }
}
