using System.Collections.Concurrent;
using System.Diagnostics;
using ImagesFunctions.Local;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Tests.Support;

/// <summary>The local program in a process of its own, on a storage account of the tests. It can only be killed.</summary>
public sealed class LocalProgram : IAsyncDisposable
{
    private const int MostLines = 200;

    // A start is a second of processor time, of which a stress of several processes leaves little.
    private static readonly TimeSpan AllowedStart = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private LocalProgram(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Where it serves, once it does.</summary>
    public Uri Address => _address.Task.Result;

    public int Id => _process.Id;

    public bool HasEnded => _process.HasExited;

    /// <summary>The last lines that it has written.</summary>
    public string Said => string.Join('\n', _lines);

    /// <summary>The build that the tests themselves use.</summary>
    public static string ThisBuild => typeof(Commands).Assembly.Location;

    /// <summary>Starts any command, with settings as environment variables.</summary>
    public static LocalProgram Start(
        string connection,
        IEnumerable<string> arguments,
        params (string Name, string Value)[] settings
    ) => StartBuild(ThisBuild, connection, arguments, settings);

    private static LocalProgram StartBuild(
        string build,
        string connection,
        IEnumerable<string> arguments,
        params (string Name, string Value)[] settings
    )
    {
        var start = new ProcessStartInfo("dotnet", [build, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[StorageAccount.Section] = connection;
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        return new LocalProgram(Process.Start(start)!);
    }

    /// <summary>Starts <c>serve</c> on a free port, and does not wait for it.</summary>
    public static LocalProgram Serve(string connection, params (string Name, string Value)[] settings) =>
        ServeBuild(ThisBuild, connection, settings);

    private static LocalProgram ServeBuild(
        string build,
        string connection,
        params (string Name, string Value)[] settings
    ) => StartBuild(build, connection, ["serve", "--urls", "http://127.0.0.1:0"], settings);

    /// <summary>Starts <c>serve</c> on a free port and waits until it serves.</summary>
    public static Task<LocalProgram> ServeAsync(string connection, params (string Name, string Value)[] settings) =>
        ServeBuildAsync(ThisBuild, connection, settings);

    /// <summary>As <see cref="ServeAsync"/>, of another build of the program.</summary>
    public static async Task<LocalProgram> ServeBuildAsync(
        string build,
        string connection,
        params (string Name, string Value)[] settings
    )
    {
        var program = ServeBuild(build, connection, settings);
        try
        {
            await Until.TrueAsync(
                () =>
                {
                    Assert.False(program.HasEnded, program.Said);
                    return Task.FromResult(program._address.Task.IsCompleted);
                },
                () => Task.FromResult($"It said: {program.Said}"),
                AllowedStart
            );
            return program;
        }
        catch
        {
            await program.DisposeAsync();
            throw;
        }
    }

    /// <summary>Kills it (SIGKILL).</summary>
    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(Stop);
    }

    /// <summary>Its exit code; null when it had not ended by itself in time, and was killed.</summary>
    public async Task<int?> EndsWithinAsync(TimeSpan time)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(time);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException) when (!Stop.IsCancellationRequested)
        {
            await KillAsync();
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }

        _lines.Enqueue(line);
        while (_lines.Count > MostLines)
        {
            _lines.TryDequeue(out _);
        }

        // "ImagesFunctions serves <address> and watches …"
        if (line.Split(' ') is [_, "serves", var address, ..])
        {
            _address.TrySetResult(new Uri(address));
        }
    }
}
