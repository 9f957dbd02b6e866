using System.Diagnostics;

namespace ImagesFunctions.Local;

/// <summary>
/// A running Azurite: found or started. All processes of one data folder share one, and the one that leaves last
/// ends it; who is there is known by a shared lock, which even a killed process gives back.
/// </summary>
public sealed class Azurite : IAsyncDisposable
{
    internal static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);
    internal static readonly TimeSpan EndDeadline = TimeSpan.FromSeconds(10);
    private static readonly Version Oldest = new(3, 37);

    private readonly string? _folder;
    private readonly bool _temporary;
    private readonly AzuriteProcess? _process;
    private FileLock? _use;

    private Azurite(AzuritePorts ports, AzuriteProcess? process = null, string? folder = null, FileLock? use = null)
    {
        Ports = ports;
        _process = process;
        _folder = folder;
        _use = use;
        _temporary = process is not null && use is null;
    }

    /// <summary>With explicit addresses, because the ports may not be the standard ones.</summary>
    public string ConnectionString => Ports.ConnectionString;

    /// <summary>The process, or null when it is one that somebody else started on the standard ports.</summary>
    public int? ProcessId => _process?.Id;

    /// <summary>The address of the blob service, account included.</summary>
    public Uri BlobEndpoint => AzuritePorts.Address(Ports.Blob);

    internal AzuritePorts Ports { get; }

    /// <summary>
    /// Uses the Azurite of the data folder if one runs (one left behind by a kill too), else, where no folder is
    /// named, one that listens on the standard ports, else starts one. Dispose it when done: the last to do so ends what was started.
    /// </summary>
    /// <param name="inMemory">For tests: always a new one, with its own free ports and nothing left behind.</param>
    /// <param name="data">The data folder; null is <c>.data</c> at the root of the clone.</param>
    /// <param name="notes">Hears what takes long or is unusual; null is nobody.</param>
    /// <param name="cancellationToken">Ends the start and what it has begun.</param>
    /// <exception cref="LocalException">Node.js is missing, or Azurite does not start.</exception>
    public static Task<Azurite> StartAsync(
        bool inMemory = false,
        string? data = null,
        TextWriter? notes = null,
        CancellationToken cancellationToken = default
    ) =>
        inMemory
            ? StartInMemoryAsync(notes ?? TextWriter.Null, cancellationToken)
            : StartSharedAsync(
                Places.Data(data),
                AzuritePorts.Standard,
                notes ?? TextWriter.Null,
                cancellationToken,
                // Who names a folder means its data, and not what another Azurite holds.
                othersToo: data is null
            );

    internal static async Task<Azurite> StartSharedAsync(
        string data,
        AzuritePorts standard,
        TextWriter notes,
        CancellationToken cancellationToken,
        bool othersToo = true
    )
    {
        Directory.CreateDirectory(data);
        // The gate makes "look, then start" and "I was the last, end it" one step each.
        using var gate =
            await FileLock.TakeAsync(Path.Combine(data, "azurite.gate"), StartDeadline * 5, cancellationToken)
            ?? throw new LocalException($"another process has been starting Azurite in {data} for too long: end it");

        if (AzuriteProcess.Read(data) is { } left)
        {
            // Its starter may have been killed before it answered.
            if (await left.AnswersSoonAsync(cancellationToken))
            {
                return Join(left);
            }

            await left.EndAsync(data);
        }

        if (othersToo && await standard.AnswerAsync(cancellationToken) is { } version)
        {
            if (version >= Oldest)
            {
                return new Azurite(standard);
            }

            await notes.WriteLineAsync($"The Azurite on port {standard.Blob} is {version}, too old: starting another.");
        }

        Directory.CreateDirectory(Path.Combine(data, "azurite"));
        var started = await RunAsync(data, standard, inMemory: false, notes, cancellationToken);
        if (started.Ports != standard)
        {
            await notes.WriteLineAsync(
                $"A standard port of Azurite is taken: blobs are on port {started.Ports.Blob}, tables on {started.Ports.Table}."
            );
        }

        return Join(started);

        // Nobody holds this lock alone but behind the gate, which is ours.
        Azurite Join(AzuriteProcess process) =>
            FileLock.TryTake(UsersFile(data), alone: false, out var use)
                ? new Azurite(process.Ports, process, data, use)
                : throw new LocalException($"{UsersFile(data)} cannot be locked");
    }

    private static async Task<Azurite> StartInMemoryAsync(TextWriter notes, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("azurite-").FullName;
        try
        {
            var started = await RunAsync(folder, standard: null, inMemory: true, notes, cancellationToken);
            return new Azurite(started.Ports, started, folder);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Ends Azurite if nobody else uses it; one that was found on the standard ports lives on.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_temporary)
        {
            await _process!.KillAsync();
            if (Directory.Exists(_folder))
            {
                Directory.Delete(_folder, recursive: true);
            }
        }
        else if (Interlocked.Exchange(ref _use, null) is { } use)
        {
            // If the gate stays shut, another process is about to use it, and ends it or leaves it to the next start.
            using var gate = await FileLock.TakeAsync(
                Path.Combine(_folder!, "azurite.gate"),
                EndDeadline,
                CancellationToken.None
            );
            use.Dispose();
            if (gate is not null && FileLock.TryTake(UsersFile(_folder!), alone: true, out var last))
            {
                using (last)
                {
                    // Not always the one we came for: if that died, another user started the next.
                    await (AzuriteProcess.Read(_folder!) ?? _process!).EndAsync(_folder!);
                    AzuriteProcess.Forget(_folder!);
                }
            }
        }
    }

    private static string UsersFile(string data) => Path.Combine(data, "azurite.users");

    private static async Task<AzuriteProcess> RunAsync(
        string data,
        AzuritePorts? standard,
        bool inMemory,
        TextWriter notes,
        CancellationToken cancellationToken
    )
    {
        var node =
            Places.Program("node")
            ?? throw new LocalException(
                "node was not found: install Node.js 20 or newer (Azurite needs it), start an Azurite yourself, or set ImagesStorage"
            );
        var log = AzuriteProcess.LogOf(data);
        for (var (attempt, repaired) = (1, false); ; attempt++)
        {
            var main = await AzuriteInstall.EnsureAsync(Places.AzuritePackage, notes, cancellationToken);
            var ports = attempt == 1 && standard is { AllFree: true } ? standard : AzuritePorts.Free();
            // A missing file is an Azurite that never began to write.
            File.Delete(log);
            var process = Spawn(node, main, ports, data, log, inMemory);
            var running = AzuriteProcess.Of(process, ports);
            try
            {
                if (!inMemory)
                {
                    // Before it answers, so that a kill now leaves nothing unknown behind.
                    running.Write(data);
                }

                if (await running.AnswersSoonAsync(cancellationToken))
                {
                    return running;
                }
            }
            catch
            {
                await running.EndAsync(data);
                throw;
            }

            await running.EndAsync(data);
            var said = File.Exists(log) ? await File.ReadAllTextAsync(log, cancellationToken) : "";
            if (said.Contains("Cannot find module", StringComparison.Ordinal) && !repaired)
            {
                repaired = true;
                AzuriteInstall.Forget(Places.AzuritePackage);
            }
            else if (!said.Contains("EADDRINUSE", StringComparison.Ordinal) || attempt == 5)
            {
                var line = said.Split('\n').FirstOrDefault(line => line.Contains("Error", StringComparison.Ordinal));
                throw new LocalException($"Azurite does not start ({line?.Trim() ?? "it says nothing"})");
            }
        }
    }

    private static Process Spawn(string node, string main, AzuritePorts ports, string data, string log, bool inMemory)
    {
        List<string> command = [node];
        if (inMemory)
        {
            // A test run that is killed closes this pipe: no Azurite is left behind.
            command.Add("--import=data:text/javascript,process.stdin.on('end',()=>process.exit()).resume()");
        }

        command.AddRange([main, "--silent", "--disableTelemetry", .. ports.Arguments]);
        // Not for tests: they shall notice when the library asks for more than a plain Azurite speaks. Other tools
        // (az, Storage Explorer) shall just work.
        command.AddRange(
            inMemory
                ? ["--inMemoryPersistence"]
                : ["--location", Path.Combine(data, "azurite"), "--skipApiVersionCheck"]
        );

        var process = Process.Start(Start(command, data, log))!;
        if (!inMemory)
        {
            process.StandardInput.Close();
        }

        if (OperatingSystem.IsWindows())
        {
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
        }

        return process;
    }

    private static ProcessStartInfo Start(List<string> command, string data, string log)
    {
        var windows = OperatingSystem.IsWindows();
        if (!windows)
        {
            // Output goes to a file: our own may be a pipe whose reader waits for its end, and a pipe to us would break
            // when we are killed. A session of its own: Ctrl+C goes to the whole process group, and the app still needs
            // its storage then. `exec` all the way, so that the process id is Azurite's.
            string[] session = Places.Program("setsid") is { } setsid ? [setsid] : [];
            command = ["/bin/sh", "-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1", "sh", log, .. session, .. command];
        }

        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            WorkingDirectory = data,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = windows,
            RedirectStandardError = windows,
        };
        if (OperatingSystem.IsWindows())
        {
            start.CreateNewProcessGroup = true;
        }

        return start;
    }
}
