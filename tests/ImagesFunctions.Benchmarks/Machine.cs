using System.Globalization;
using CliWrap;
using CliWrap.Buffered;

namespace ImagesFunctions.Benchmarks;

/// <summary>The facts of a machine that a result depends on.</summary>
internal static class Machine
{
    public static async Task<IReadOnlyList<(string Name, string Value)>> DescribeAsync(
        string root,
        CancellationToken stop
    )
    {
        var cpu = (await File.ReadAllLinesAsync("/proc/cpuinfo", stop)).FirstOrDefault(l =>
            l.StartsWith("model name", StringComparison.Ordinal)
        );
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1024.0 * 1024 * 1024);
        return
        [
            ("processor", $"{Environment.ProcessorCount} × {cpu?.Split(':')[1].Trim()}"),
            ("memory", $"{memory:0.#} GiB"),
            ("system", $"{System.Runtime.InteropServices.RuntimeInformation.OSDescription}"),
            (".NET", $"{Environment.Version}"),
            ("Node.js, under Azurite", await SaysAsync("node", ["--version"])),
            ("CNCF distribution", (await SaysAsync("docker-registry", ["--version"])).Split(' ')[^1]),
            ("commit", await SaysAsync("git", ["-C", root, "describe", "--always", "--dirty"])),
            ("date", DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)),
        ];

        async Task<string> SaysAsync(string program, string[] arguments) =>
            (await Cli.Wrap(program).WithArguments(arguments).ExecuteBufferedAsync(stop)).StandardOutput.Trim();
    }
}
