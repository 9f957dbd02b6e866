using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ImagesFunctions.Local;

/// <summary>A process of ours and where it listens: what <c>azurite.json</c> holds.</summary>
internal sealed record AzuriteProcess(int Id, string? Birth, AzuritePorts Ports)
{
    // Held, because collecting it closes the process's standard input, and by that a test's Azurite learns of our end.
    private Process? Started { get; init; }

    public static AzuriteProcess? Read(string data)
    {
        try
        {
            var file = JsonSerializer.Deserialize<AddressFile>(File.ReadAllText(FileOf(data)), Json);
            // A copy of a folder has the address of the Azurite that it was copied from.
            var running =
                file is null || (file.Folder is { } folder && !Places.AreSame(folder, data))
                    ? null
                    : new AzuriteProcess(file.Pid, file.Birth, new AzuritePorts(file.Blob, file.Queue, file.Table));
            return running?.IsAlive() == true ? running : null;
        }
        catch (Exception error) when (error is IOException or JsonException)
        {
            // None yet, or not ours: both mean that there is nothing to adopt.
            return null;
        }
    }

    /// <summary>The process just started.</summary>
    public static AzuriteProcess Of(Process process, AzuritePorts ports) =>
        new(process.Id, BirthOf(process.Id), ports) { Started = process };

    public static void Forget(string data) => File.Delete(FileOf(data));

    public void Write(string data)
    {
        var file = new AddressFile(Id, Birth, Ports.Blob, Ports.Queue, Ports.Table, Ports.ConnectionString, data);
        var next = FileOf(data) + ".next";
        File.WriteAllText(next, JsonSerializer.Serialize(file, Json));
        File.Move(next, FileOf(data), overwrite: true);
    }

    /// <summary>Waits until it listens. False: it has ended, or does not listen in time.</summary>
    public async Task<bool> AnswersSoonAsync(string data, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (IsAlive() && TimeProvider.System.GetElapsedTime(started) < Azurite.StartDeadline)
        {
            // An answer alone may be that of another one, which has taken the port a moment before.
            if (HasOpened(data) && await Ports.AnswerAsync(cancellationToken) is not null)
            {
                return IsAlive();
            }

            await Task.Delay(50, cancellationToken);
        }

        return false;
    }

    /// <summary>
    /// SIGTERM first: Azurite keeps its index in memory and writes it every five seconds and on its way out. Having said
    /// that all is closed, it still waits for connections that clients keep open (ours are pooled): nothing is lost then.
    /// </summary>
    public async Task EndAsync(string data)
    {
        var started = TimeProvider.System.GetTimestamp();
        if (IsAlive() && !OperatingSystem.IsWindows())
        {
            _ = Kill(Id, SigTerm);
            while (IsAlive() && !HasClosed(data) && TimeProvider.System.GetElapsedTime(started) < Azurite.EndDeadline)
            {
                await Task.Delay(20);
            }
        }

        await KillAsync();
    }

    /// <summary>Where there is nothing to write, or no other way.</summary>
    public async Task KillAsync()
    {
        if (IsAlive())
        {
            try
            {
                using var process = Process.GetProcessById(Id);
                process.Kill();
                await process.WaitForExitAsync().WaitAsync(Azurite.EndDeadline);
            }
            catch (Exception error)
                when (error is ArgumentException or InvalidOperationException or Win32Exception or TimeoutException)
            {
                // Gone between the two looks, or stuck in the kernel: nothing more can be done.
            }
        }
    }

    // Where its output does not go to a file, its answer has to do.
    private static bool HasOpened(string data) =>
        OperatingSystem.IsWindows() || Says(data, "is successfully listening");

    // Written when the index of the service is on the disk.
    private static bool HasClosed(string data) => Says(data, "successfully closed");

    // One line for each of the three services.
    private static bool Says(string data, string what) =>
        File.Exists(LogOf(data))
        && File.ReadLines(LogOf(data)).Count(line => line.Contains(what, StringComparison.Ordinal)) == 3;

    /// <summary>Whether it runs: it, and not another process that has got its id.</summary>
    public bool IsAlive() => Birth is not null && BirthOf(Id) == Birth;

    /// <summary>
    /// When the process of this id began, in the system's own words; null when there is none. A process id is used
    /// again some day, and this says whether it is still the same process.
    /// </summary>
    private static string? BirthOf(int id)
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                // In clock ticks since boot (proc(5), field 22): unlike a time of day it survives a corrected clock.
                var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat"));
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                // Where nobody collects orphans (many containers), an ended one stays as a zombie.
                return fields[0] is "Z" or "X" ? null : fields[19];
            }

            using var process = Process.GetProcessById(id);
            return process.StartTime.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture);
        }
        catch (Exception error)
            when (error is ArgumentException or InvalidOperationException or Win32Exception or IOException)
        {
            return null;
        }
    }

    /// <summary>What Azurite prints.</summary>
    public static string LogOf(string data) => Path.Combine(data, "azurite.log");

    private static string FileOf(string data) => Path.Combine(data, "azurite.json");

    private const int SigTerm = 15;

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int pid, int signal);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private sealed record AddressFile(
        int Pid,
        string? Birth,
        int Blob,
        int Queue,
        int Table,
        string ConnectionString,
        string? Folder
    );
}
