using ImagesFunctions.Journal;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Ingest;

/// <summary>
/// Takes in blobs for the Functions host, which retries a few times without a pause and then gives up. While storage fails, this
/// retries with growing pauses before it throws.
/// </summary>
/// <remarks>
/// The host does not tell the worker which try it is, so every call starts anew. Errors that waiting cannot fix are thrown at
/// once.
/// </remarks>
/// <param name="landed">Takes a blob in: see <see cref="BlobIngest.LandedAsync(string, CancellationToken)"/>.</param>
/// <param name="wait">The shortest time before a failure of storage is thrown.</param>
/// <param name="time">Measures the pauses.</param>
internal sealed class PatientIngest(Func<string, CancellationToken, Task> landed, TimeSpan wait, TimeProvider time)
{
    /// <summary>The setting of how long a call retries while storage fails, a duration like <c>2m</c>.</summary>
    public const string WaitSetting = "OutageWait";

    /// <summary>The default of <see cref="WaitSetting"/>.</summary>
    public static readonly TimeSpan DefaultWait = TimeSpan.FromMinutes(2);

    /// <summary>The longest pause after the first failure; doubles with each failure.</summary>
    internal static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause, and so the longest wait of a blob after storage is back.</summary>
    internal static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(30);

    /// <summary>As <see cref="BlobIngest.LandedAsync(string, CancellationToken)"/>, with retries while storage fails.</summary>
    /// <param name="path">The path inside the container.</param>
    /// <param name="cancellationToken">Cancels the operation and its pauses.</param>
    /// <exception cref="StorageUnavailableException">Storage failed until the end of the wait.</exception>
    /// <remarks>Exceptions of the Azure SDK mean the same; those that waiting cannot fix are thrown at once.</remarks>
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

    // With jitter, so that calls that failed together do not retry together.
    private static TimeSpan Pause(int failures) =>
        TimeSpan.FromSeconds(
            Math.Min(MaxPause.TotalSeconds, FirstPause.TotalSeconds * Math.Pow(2, failures - 1))
                * (0.5 + (Random.Shared.NextDouble() / 2))
        );
}
