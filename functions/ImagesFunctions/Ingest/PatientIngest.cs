using ImagesFunctions.Journal;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Ingest;

/// <summary>
/// Takes in blobs for the Functions host, which tries a blob a few times without a pause and then gives it up: where storage
/// fails, the blob is tried again after growing pauses before the failure is handed on.
/// </summary>
/// <remarks>
/// The host does not tell the worker which try it is, so every call starts afresh. A fault of our own is handed on at once:
/// no wait mends it.
/// </remarks>
/// <param name="landed">Takes a blob in: see <see cref="BlobIngest.LandedAsync(string, CancellationToken)"/>.</param>
/// <param name="wait">The shortest time before a failure of storage is thrown.</param>
/// <param name="time">Measures the pauses.</param>
internal sealed class PatientIngest(Func<string, CancellationToken, Task> landed, TimeSpan wait, TimeProvider time)
{
    /// <summary>The setting of how long a call outlasts storage that fails, a duration like <c>2m</c>.</summary>
    public const string WaitSetting = "OutageWait";

    /// <summary>How long that is where nothing is set.</summary>
    public static readonly TimeSpan DefaultWait = TimeSpan.FromMinutes(2);

    /// <summary>The longest pause after the first failure. It doubles with each one.</summary>
    internal static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause at all, and so the longest that a blob waits for storage that is back.</summary>
    internal static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(30);

    /// <summary>As <see cref="BlobIngest.LandedAsync(string, CancellationToken)"/>, again and again while storage fails.</summary>
    /// <param name="path">The path inside the container.</param>
    /// <param name="cancellationToken">Cancels the operation, a pause too.</param>
    /// <exception cref="StorageUnavailableException">Storage has failed all the time.</exception>
    /// <remarks>Exceptions of the Azure SDK say the same, or come at once where waiting is of no use.</remarks>
    public async Task LandedAsync(string path, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        for (var failures = 1; ; failures++)
        {
            TimeSpan left;
            try
            {
                await landed(path, cancellationToken);
                return;
            }
            catch (Exception error)
                when (StorageErrors.MayPass(error)
                    && !cancellationToken.IsCancellationRequested
                    && (left = wait - time.GetElapsedTime(started)) > TimeSpan.Zero
                )
            {
                var pause = Pause(failures);
                await Task.Delay(pause < left ? pause : left, time, cancellationToken);
            }
        }
    }

    // Between half of it and all of it, so that those who failed together do not come back together.
    private static TimeSpan Pause(int failures) =>
        TimeSpan.FromSeconds(
            Math.Min(MaxPause.TotalSeconds, FirstPause.TotalSeconds * Math.Pow(2, failures - 1))
                * (0.5 + (Random.Shared.NextDouble() / 2))
        );
}
