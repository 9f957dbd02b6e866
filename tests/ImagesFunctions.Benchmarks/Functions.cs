using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using CliWrap;
using CliWrap.Buffered;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Support;

namespace ImagesFunctions.Benchmarks;

/// <summary>Functions that every push, ingest or list calls, by BenchmarkDotNet; and the hash beside OpenSSL's.</summary>
public class Functions
{
    private const int MiB = 1024 * 1024;

    private readonly byte[] _block = new byte[MiB];
    private readonly byte[] _manifest = Manifest100();
    private readonly TableRow _row = Seeds.Images(1, 1).First().ToRow();

    /// <summary>What each byte that comes in is put through.</summary>
    [Benchmark(Description = "SHA-256 of 1 MiB, looking for tar headers")]
    public long Hash()
    {
        using var hash = new ContentHash("sha256");
        hash.Append(_block);
        return hash.Digest.Encoded.Length;
    }

    /// <summary>What each manifest is put through.</summary>
    [Benchmark(Description = "parse a manifest of 100 layers")]
    public int Parse() => Manifest.Parse(_manifest, null).Layers.Count;

    /// <summary>What a scan does with each row.</summary>
    [Benchmark(Description = "an image from its row")]
    public long Row() => ImageRow.From(_row).Size;

    internal static Task RunAsync(Bench bench)
    {
        var job = (bench.Smoke ? Job.Dry : Job.ShortRun).WithToolchain(InProcessNoEmitToolchain.Instance);
        var config = ManualConfig
            .CreateEmpty()
            .AddJob(job)
            .AddLogger(NullLogger.Instance)
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddDiagnoser(MemoryDiagnoser.Default)
            .WithArtifactsPath(Path.Combine(bench.Folder, "functions"));
        var summary = BenchmarkRunner.Run<Functions>(config);
        foreach (var report in summary.Reports)
        {
            if (!report.Success || report.ResultStatistics is not { } times)
            {
                throw new InvalidOperationException($"{report.BenchmarkCase.Descriptor.WorkloadMethod.Name} failed");
            }

            bench.Report.AddFunction(
                report.BenchmarkCase.Descriptor.WorkloadMethodDisplayInfo.Trim('\''),
                times.Median / 1000,
                report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? 0
            );
        }

        return Task.CompletedTask;
    }

    internal static async Task HashAsync(Bench bench)
    {
        var block = new byte[16 * MiB];
        Random.Shared.NextBytes(block);
        bench.Report.Add(
            Benchmarks.Row.Of(
                "SHA-256, one core",
                await bench.AlternateAsync(() => Task.FromResult(Ours()), OpenSslAsync),
                "MiB/s",
                "openssl",
                null,
                "The library's hash of content, which also looks for the headers of a tar, over 16 MiB again and again for a second; and `openssl speed -evp sha256`. What any push or ingest can reach on one core."
            )
        );

        double Ours()
        {
            using var hash = new ContentHash("sha256");
            var started = System.Diagnostics.Stopwatch.GetTimestamp();
            do
            {
                hash.Append(block);
            } while (Client.Since(started) < (bench.Smoke ? 50 : 1000));

            return hash.Size / MiB / (Client.Since(started) / 1000);
        }

        async Task<double> OpenSslAsync()
        {
            var said = await Cli.Wrap("openssl")
                .WithArguments(["speed", "-seconds", "1", "-bytes", "16777216", "-evp", "sha256"])
                .ExecuteBufferedAsync(bench.Stop);
            var match = Regex.Match(
                said.StandardOutput,
                @"^sha256\s+(?<n>[\d.]+)k",
                RegexOptions.ExplicitCapture | RegexOptions.Multiline | RegexOptions.IgnoreCase
            );
            return match.Success
                ? double.Parse(match.Groups["n"].Value, CultureInfo.InvariantCulture) * 1000 / MiB
                : throw new InvalidOperationException($"openssl says something else: {said.StandardOutput}");
        }
    }

    private static byte[] Manifest100()
    {
        JsonObject Descriptor(int i) =>
            new()
            {
                ["mediaType"] = "application/vnd.oci.image.layer.v1.tar+gzip",
                ["digest"] = $"{Digest.Sha256(BitConverter.GetBytes(i))}",
                ["size"] = i,
            };
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = Descriptor(0),
            ["layers"] = new JsonArray([.. Enumerable.Range(1, 100).Select(Descriptor)]),
        };
        return Encoding.UTF8.GetBytes(manifest.ToJsonString());
    }
}
