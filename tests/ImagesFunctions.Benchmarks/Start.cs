using System.Diagnostics;

namespace ImagesFunctions.Benchmarks;

/// <summary>How long it takes from the start of a process to its first answer.</summary>
internal static class Start
{
    public static async Task RunAsync(Bench bench)
    {
        await using var store = await Store.StartAsync(bench);
        await store.SeedAsync("alice", 100);
        var token = await store.TokenAsync("alice");
        var medians = await bench.AlternateAsync(
            async () =>
            {
                var started = Stopwatch.GetTimestamp();
                await using var server = await Server.OursAsync(bench, store, Lists.Path, token);
                return Client.Since(started);
            },
            async () =>
            {
                var address = Server.Free();
                var started = Stopwatch.GetTimestamp();
                await using var server = await Server.StartAsync(
                    Server.Kestrel(address, null),
                    address,
                    "",
                    bench.Stop
                );
                return Client.Since(started);
            },
            rounds: 7
        );
        bench.Report.Add(
            Row.Of(
                "start of the process to its first list",
                medians,
                "ms",
                "an empty Kestrel app",
                Target.AtMost(2),
                "`dotnet ImagesFunctions.Local.dll serve` of a Release publish until a list of 100 images is answered; and an empty Kestrel app until `/` is. Both are asked every 2 ms."
            )
        );
    }
}
