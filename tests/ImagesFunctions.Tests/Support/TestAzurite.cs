using System.Collections.Concurrent;
using System.Diagnostics;
using ImagesFunctions.Local;

namespace ImagesFunctions.Tests.Support;

/// <summary>An Azurite in memory that ends with this process, with an environment of its own.</summary>
internal sealed class TestAzurite : IAsyncDisposable
{
    private const int MaxTries = 5;

    // Azurite collects garbage every ten minutes, and stands still for minutes where it has as many blobs as tests make.
    private const string KeepsGarbage = """
        const later = setTimeout;
        globalThis.setTimeout = (action, time, ...more) => later(action, time === 600000 ? 2147483647 : time, ...more);
        """;

    // A second of processor time; but without it there is no test, and one that ends is noticed at once.
    private static readonly TimeSpan s_allowed = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly string _folder;
    private readonly ConcurrentQueue<string?> _lines = [];
    private volatile bool _isEnding;

    private TestAzurite(string script, string folder, AzuritePorts ports, string accounts)
    {
        _folder = folder;
        Ports = ports;
        var start = new ProcessStartInfo(
            "node",
            [
                // All that the tests store is in its memory.
                "--max-old-space-size=8192",
                "--max-semi-space-size=64",
                // A test run that is killed closes this pipe: no Azurite is left behind.
                "--import=data:text/javascript,process.stdin.on('end',()=>process.exit()).resume()",
                $"--import=data:text/javascript,{Uri.EscapeDataString(KeepsGarbage)}",
                script,
                "--silent",
                "--disableTelemetry",
                "--inMemoryPersistence",
                .. ports.Arguments,
            ]
        )
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["AZURITE_ACCOUNTS"] = accounts;
        _process = Process.Start(start)!;
        _process.EnableRaisingEvents = true;
        _process.Exited += (_, _) =>
        {
            if (!_isEnding)
            {
                // Every test that comes after would only say that nothing listens any more.
                Console.Error.WriteLine($"The Azurite of the tests has ended: {Said}");
            }
        };
        _process.OutputDataReceived += (_, line) => _lines.Enqueue(line.Data);
        _process.ErrorDataReceived += (_, line) => _lines.Enqueue(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public AzuritePorts Ports { get; }

    private string Said => string.Join('\n', _lines);

    /// <summary>Starts one and waits until it answers.</summary>
    /// <param name="accounts">What it knows, as <c>AZURITE_ACCOUNTS</c> says it.</param>
    public static async Task<TestAzurite> StartAsync(string accounts)
    {
        var script = await AzuriteInstall.EnsureAsync(
            Places.AzuritePackage,
            TextWriter.Null,
            TestContext.Current.CancellationToken
        );
        for (var attempt = 1; ; attempt++)
        {
            var folder = Directory.CreateTempSubdirectory("azurite-").FullName;
            var azurite = new TestAzurite(script, folder, AzuritePorts.Free(), accounts);
            try
            {
                await Until.TrueAsync(
                    async () =>
                        azurite._process.HasExited
                        || await azurite.Ports.AnswerAsync(TestContext.Current.CancellationToken) is not null,
                    () => Task.FromResult($"Azurite does not answer: {azurite.Said}"),
                    s_allowed
                );
                if (!azurite._process.HasExited)
                {
                    return azurite;
                }
            }
            catch
            {
                await azurite.DisposeAsync();
                throw;
            }

            // Somebody else may have taken a port in the meantime.
            Assert.True(attempt < MaxTries, $"Azurite does not start: {azurite.Said}");
            await azurite.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _isEnding = true;
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
