using System.Diagnostics;
using System.Security.Cryptography;

namespace ImagesFunctions.Local;

/// <summary>The pinned Azurite of the committed lock file, installed on first use.</summary>
internal static class AzuriteInstall
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Where Azurite is installed: in the clone, else in a folder of the user's that is named by the hash of the lock, so that each version of the
    /// program has the Azurite that it was packed with. That folder gets the two files of the package.
    /// </summary>
    /// <exception cref="LocalException">The user has no folder for data of programs, or it cannot be written to.</exception>
    public static string Folder()
    {
        var packed = Places.AzuritePackage;
        if (Places.Clone is not null)
        {
            return packed;
        }

        var user = Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData,
            Environment.SpecialFolderOption.DoNotVerify
        );
        if (user.Length == 0)
        {
            throw new LocalException(
                "There is no folder to install Azurite in: set HOME, start an Azurite yourself, or set ImagesStorage"
            );
        }

        var folder = Path.Combine(user, "ImagesFunctions", "azurite", LockHash(packed)[..16]);
        try
        {
            Directory.CreateDirectory(folder);
            foreach (var file in (string[])["package.json", "package-lock.json"])
            {
                // Whole or not there: another process may do the same.
                var copy = Path.Combine(folder, $".{file}-{Guid.NewGuid():N}");
                File.Copy(Path.Combine(packed, file), copy);
                File.Move(copy, Path.Combine(folder, file), overwrite: true);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LocalException($"Azurite cannot be installed in {folder} ({OneLine.Of(error)})", error);
        }

        return folder;
    }

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
