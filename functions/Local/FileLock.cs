using System.Diagnostics.CodeAnalysis;

namespace ImagesFunctions.Local;

/// <summary>
/// A lock between processes: an open file that the kernel lets go when its holder ends, however it ends.
/// One may hold it alone, or several may share it.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private readonly FileStream _file;

    private FileLock(FileStream file) => _file = file;

    /// <summary>Waits for the lock until the deadline; false is null.</summary>
    public static async Task<FileLock?> TakeAsync(string path, TimeSpan deadline, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (TryTake(path, alone: true, out var taken))
            {
                return taken;
            }

            if (TimeProvider.System.GetElapsedTime(started) > deadline)
            {
                return null;
            }

            await Task.Delay(50, cancellationToken);
        }
    }

    /// <summary>Takes the lock now or not at all.</summary>
    public static bool TryTake(string path, bool alone, [NotNullWhen(true)] out FileLock? taken)
    {
        try
        {
            // Read access on both sides: .NET locks shared for FileShare.Read and exclusively for FileShare.None.
            var share = alone ? FileShare.None : FileShare.Read;
            taken = new FileLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.Read, share));
            return true;
        }
        catch (IOException error) when (error is not (DirectoryNotFoundException or PathTooLongException))
        {
            taken = null;
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
