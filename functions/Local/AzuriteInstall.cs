using System.Diagnostics;
using System.Security.Cryptography;

namespace ImagesFunctions.Local;

/// <summary>The pinned Azurite of the committed lock file, installed on first use.</summary>
internal static class AzuriteInstall
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(10);

    /// <summary>The path of Azurite's main script, after <c>npm ci</c> if it is not there whole.</summary>
    /// <param name="folder">Holds package.json and package-lock.json.</param>
    /// <param name="notes">Hears of an installation, because it takes a while.</param>
    /// <param name="cancellationToken">Ends npm.</param>
    /// <exception cref="LocalException">npm is missing or failed.</exception>
    public static async Task<string> EnsureAsync(string folder, TextWriter notes, CancellationToken cancellationToken)
    {
        if (IsWhole(folder))
        {
            return Script(folder);
        }

        using var alone =
            await FileLock.TakeAsync(Path.Combine(folder, ".install.lock"), Deadline, cancellationToken)
            ?? throw new LocalException(
                $"another process has been installing Azurite in {folder} for too long: end it"
            );

        // Another process may have done it while we waited.
        if (!IsWhole(folder))
        {
            await notes.WriteLineAsync("Installing Azurite, the storage emulator (npm ci, only once, about 20 s) ...");
            await RunNpmAsync(folder, cancellationToken);
            await File.WriteAllTextAsync(Marker(folder), LockHash(folder), cancellationToken);
        }

        return Script(folder);
    }

    /// <summary>Makes the next start install again.</summary>
    public static void Forget(string folder) => File.Delete(Marker(folder));

    private static string Script(string folder) =>
        Path.Combine(folder, "node_modules", "azurite", "dist", "src", "azurite.js");

    // npm ci begins by removing node_modules and the marker is written last: a half install has none. Its content is
    // the hash of the lock file, so that an update of the lock installs again.
    private static string Marker(string folder) => Path.Combine(folder, "node_modules", ".installed");

    private static string LockHash(string folder) =>
        Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(folder, "package-lock.json"))));

    private static bool IsWhole(string folder) =>
        File.Exists(Script(folder))
        && File.Exists(Marker(folder))
        && File.ReadAllText(Marker(folder)).Trim() == LockHash(folder);

    private static async Task RunNpmAsync(string folder, CancellationToken cancellationToken)
    {
        var npm =
            Places.Program("npm")
            ?? throw new LocalException("npm was not found: install Node.js 20 or newer, or set ImagesStorage");
        var start = new ProcessStartInfo(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.WaitForExitAsync(cancellationToken);
            await output;
            if (process.ExitCode != 0 || !File.Exists(Script(folder)))
            {
                var first = (await errors).Split('\n', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
                throw new LocalException($"npm ci failed in {folder} (exit code {process.ExitCode}): {first?.Trim()}");
            }
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
