using System.Diagnostics;

namespace ImagesFunctions.Benchmarks;

/// <summary>The measurements by name, and the command that runs them.</summary>
internal static class Measurements
{
    private const string Usage =
        "dotnet run -c Release --project tests/ImagesFunctions.Benchmarks -- [--smoke] [--only <name>]";

    // In this order, which is that of the table.
    private static readonly (string Name, Func<Bench, Task> RunAsync)[] s_all =
    [
        ("hash", Functions.HashAsync),
        ("functions", Functions.RunAsync),
        ("list", Lists.RunAsync),
        ("many", ManyImages.RunAsync),
        ("filter", Filters.RunAsync),
        ("push", Pushes.RunAsync),
        ("registry", RegistryWork.RunAsync),
        ("ingest", Ingests.RunAsync),
        ("small", SmallImages.RunAsync),
        ("memory", Memory.RunAsync),
        ("start", Start.RunAsync),
        ("worker", WorkerStart.RunAsync),
        ("growth", Growth.RunAsync),
    ];

    /// <summary>Runs all of them, or one.</summary>
    /// <returns>0; 1 when one threw or got a wrong answer; 2 when called wrongly. Never does a time decide it.</returns>
    public static async Task<int> RunAsync(string[] args, CancellationToken stop)
    {
        var smoke = args.Contains("--smoke", StringComparer.Ordinal);
        string? only = null;
        switch (args.Where(a => a != "--smoke").ToArray())
        {
            case []:
                break;
            case ["--only", var name] when s_all.Any(m => m.Name == name):
                only = name;
                break;
            default:
                await Console.Error.WriteLineAsync($"{Usage}\nNames: {string.Join(", ", s_all.Select(m => m.Name))}");
                return 2;
        }

        var report = new Report(Console.Out);
        try
        {
            await using var bench = await Bench.StartAsync(smoke, report, stop);
            foreach (var (name, runAsync) in s_all.Where(m => only is null || m.Name == only))
            {
                var started = Stopwatch.GetTimestamp();
                Bench.Say($"== {name}");
                await runAsync(bench);
                Bench.Say($"== {name} took {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s");
            }

            if (!smoke && only is null)
            {
                await report.WriteAsync(bench.Docs, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 1;
        }
        catch (Exception error)
        {
            await Console.Error.WriteLineAsync(error.ToString());
            return 1;
        }

        return 0;
    }
}
