using System.Diagnostics;

namespace ImagesFunctions.Local;

/// <summary>Starts the Azurite that is installed with the program.</summary>
internal static class AzuriteLaunch
{
    /// <summary>Starts it and waits until it listens.</summary>
    /// <param name="data">The data folder, which gets its log and its address.</param>
    /// <param name="choose">The ports of an attempt, counted from one; it is asked again when they turn out to be taken.</param>
    /// <param name="inMemory">It keeps nothing, and ends with this process.</param>
    /// <param name="notes">Hears what takes long or is unusual.</param>
    /// <param name="cancellationToken">Cancels the start and what it has begun.</param>
    /// <exception cref="LocalException">Node.js is missing, or Azurite does not start.</exception>
    public static async Task<AzuriteProcess> RunAsync(
        string data,
        Func<int, AzuritePorts> choose,
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
        var package = AzuriteInstall.Folder();
        for (var (attempt, repaired) = (1, false); ; attempt++)
        {
            var main = await AzuriteInstall.EnsureAsync(package, notes, cancellationToken);
            var ports = choose(attempt);
            // A missing file is an Azurite that never began to write.
            File.Delete(log);
            var running = AzuriteProcess.Of(Spawn(node, main, ports, data, log, inMemory), ports);
            if (await ListensAsync(running, data, inMemory, cancellationToken))
            {
                return running;
            }

            var waited = running.IsAlive();
            await running.EndAsync(data);
            var said = File.Exists(log) ? await File.ReadAllTextAsync(log, cancellationToken) : "";
            if (said.Contains("Cannot find module", StringComparison.Ordinal) && !repaired)
            {
                repaired = true;
                AzuriteInstall.Forget(package);
            }
            else if (!said.Contains("EADDRINUSE", StringComparison.Ordinal) || attempt == 5)
            {
                var line = said.Split('\n').FirstOrDefault(line => line.Contains("Error", StringComparison.Ordinal));
                var silence = waited ? $"it took over {Azurite.StartDeadline.TotalSeconds:0} s" : "it says nothing";
                throw new LocalException($"Azurite does not start ({line?.Trim() ?? silence})");
            }
        }
    }

    // Ends it when the wait is cancelled.
    private static async Task<bool> ListensAsync(
        AzuriteProcess running,
        string data,
        bool inMemory,
        CancellationToken cancellationToken
    )
    {
        try
        {
            if (!inMemory)
            {
                // Before it answers, so that a kill now leaves nothing unknown behind.
                running.Write(data);
            }

            return await running.AnswersSoonAsync(data, cancellationToken);
        }
        catch
        {
            await running.EndAsync(data);
            throw;
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
