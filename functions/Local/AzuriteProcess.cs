using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ImagesFunctions.Local;

/// <summary>A process of ours and where it listens: what <c>azurite.json</c> holds.</summary>
internal sealed record AzuriteProcess(int Id, DateTime Started, AzuritePorts Ports)
{
    public static AzuriteProcess? Read(string data)
    {
        try
        {
            var file = JsonSerializer.Deserialize<AddressFile>(File.ReadAllText(FileOf(data)), Json);
            var running = file is null
                ? null
                : new AzuriteProcess(file.Pid, file.Started, new AzuritePorts(file.Blob, file.Queue, file.Table));
            return running?.IsAlive() == true ? running : null;
        }
        catch (Exception error) when (error is IOException or JsonException)
        {
            // None yet, or not ours: both mean that there is nothing to adopt.
            return null;
        }
    }

    public static void Forget(string data) => File.Delete(FileOf(data));

    public void Write(string data)
    {
        var file = new AddressFile(Id, Started, Ports.Blob, Ports.Queue, Ports.Table, Ports.ConnectionString);
        var next = FileOf(data) + ".next";
        File.WriteAllText(next, JsonSerializer.Serialize(file, Json));
        File.Move(next, FileOf(data), overwrite: true);
    }

    public async Task<bool> AnswersSoonAsync(CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (IsAlive() && TimeProvider.System.GetElapsedTime(started) < Azurite.StartDeadline)
        {
            if (await Ports.AnswerAsync(cancellationToken) is not null)
            {
                return IsAlive();
            }

            await Task.Delay(50, cancellationToken);
        }

        return false;
    }

    /// <summary>SIGTERM first: Azurite keeps its index in memory and writes it every five seconds and on its way out.</summary>
    public async Task EndAsync()
    {
        var started = TimeProvider.System.GetTimestamp();
        if (IsAlive() && !OperatingSystem.IsWindows())
        {
            _ = Kill(Id, SigTerm);
            while (IsAlive() && TimeProvider.System.GetElapsedTime(started) < Azurite.EndDeadline)
            {
                await Task.Delay(20);
            }
        }

        if (IsAlive())
        {
            try
            {
                using var process = Process.GetProcessById(Id);
                process.Kill();
                await process.WaitForExitAsync().WaitAsync(Azurite.EndDeadline);
            }
            catch (Exception error) when (error is ArgumentException or InvalidOperationException or TimeoutException)
            {
                // Gone between the two looks, or stuck in the kernel: nothing more can be done.
            }
        }
    }

    // A process id is used again some day: the start time says whether it is still the same process.
    private bool IsAlive()
    {
        try
        {
            using var process = Process.GetProcessById(Id);
            return (process.StartTime.ToUniversalTime() - Started).Duration() < TimeSpan.FromSeconds(5) && !IsZombie();
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException or IOException)
        {
            return false;
        }
    }

    // Where nobody collects orphans (many containers), an ended one stays in the process list.
    private bool IsZombie()
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{Id}/stat"));
        return stat[stat.LastIndexOf(')') + 2] is 'Z' or 'X';
    }

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
        DateTime Started,
        int Blob,
        int Queue,
        int Table,
        string ConnectionString
    );
}
