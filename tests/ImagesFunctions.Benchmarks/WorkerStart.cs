using System.Diagnostics;
using ImagesFunctions.FunctionsHost;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Benchmarks;

/// <summary>How long the worker of the function app takes from its start to its first list, beside one that has nothing to do.</summary>
internal static class WorkerStart
{
    public static async Task RunAsync(Bench bench)
    {
        await using var store = await Store.StartAsync(bench);
        await store.SeedAsync("alice", 100);
        var token = await store.TokenAsync("alice");
        var ours = await bench.PublishedAsync("functions/App");
        var empty = await bench.PublishedAsync("tests/EmptyWorker");
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [StorageAccount.Section] = store.ConnectionString,
            ["SweepSchedule"] = "0 0 * * * *",
            ["AzureWebJobs.BlobLandedPolling.Disabled"] = "true",
        };
        var bytes = Path.Combine(bench.Folder, "list.json");
        var (_, _, list) = await StartAsync(ours, settings, token, bench.Stop);
        await File.WriteAllBytesAsync(bytes, list, bench.Stop);

        var (ourLoads, peerLoads) = (new List<double>(), new List<double>());
        var medians = await bench.AlternateAsync(
            () => TakeAsync(ours, settings, ourLoads),
            () => TakeAsync(empty, new(StringComparer.Ordinal) { ["Bytes"] = bytes }, peerLoads),
            rounds: 7
        );
        Report(bench, (Median(ourLoads), Median(peerLoads)), medians);

        async Task<double> TakeAsync(string app, Dictionary<string, string> with, List<double> loads)
        {
            var (loaded, answered, content) = await StartAsync(app, with, token, bench.Stop);
            if (!content.AsSpan(0, 20).SequenceEqual(list.AsSpan(0, 20)))
            {
                throw new InvalidOperationException("The two workers answered different bytes.");
            }

            loads.Add(loaded);
            return answered;
        }
    }

    private static void Report(Bench bench, (double Ours, double Peers) loads, (double Ours, double Peers) lists)
    {
        const string peer = "an empty worker with the same packages";
        bench.Report.Add(
            Row.Of(
                "start of the worker until its functions are loaded",
                loads,
                "ms",
                peer,
                target: null,
                "The published function app under the tests' host, from the start of the process to the answer to the last load request, in the turns of the next line."
            )
        );
        bench.Report.Add(
            Row.Of(
                "start of the worker to its first list",
                lists,
                "ms",
                peer,
                Target.AtMost(1.5),
                "As above, to the answer with a list of 100 images; and a worker with one function that answers the same bytes from memory."
            )
        );
    }

    private static async Task<(double Loaded, double Answered, byte[] Content)> StartAsync(
        string app,
        Dictionary<string, string> settings,
        string token,
        CancellationToken stop
    )
    {
        var started = Stopwatch.GetTimestamp();
        await using var host = await WorkerHost.StartAsync(app, settings, stop);
        var loaded = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        using var http = new HttpClient { BaseAddress = host.Address };
        http.DefaultRequestHeaders.Authorization = new("Bearer", token);
        var content = await http.GetByteArrayAsync(Lists.Path, stop);
        return (loaded, Stopwatch.GetElapsedTime(started).TotalMilliseconds, content);
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
