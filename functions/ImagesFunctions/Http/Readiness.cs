using ImagesFunctions.Storage;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.Http;

/// <summary>Whether storage answers, with all its tables and containers. Callers at the same time share one check.</summary>
/// <param name="storage">The storage account; throws when none is configured.</param>
/// <param name="log">Gets the reason when storage cannot be reached; callers do not.</param>
internal sealed partial class Readiness(Func<StorageAccount> storage, ILogger<Readiness> log)
{
    private readonly Lock _lock = new();
    private Task<bool> _read = Task.FromResult(false);

    /// <summary>How long a check may take before storage counts as away.</summary>
    public TimeSpan MaxRead { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Joins the check that is running, or starts one. It takes <see cref="MaxRead"/> at most, and throws only when it is cancelled.</summary>
    public Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_read.IsCompleted)
            {
                // Not cancelled by one caller: the others still wait for it.
                _read = Task.Run(ReadAsync, CancellationToken.None);
            }

            return _read.WaitAsync(cancellationToken);
        }
    }

    private async Task<bool> ReadAsync()
    {
        using var deadline = new CancellationTokenSource(MaxRead);
        try
        {
            // Holds even if the client ignores the token.
            await storage().DemandAsync(deadline.Token).WaitAsync(deadline.Token);
            return true;
        }
        catch (Exception error)
        {
            LogNotReady(log, StorageErrors.Reason(error));
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Not ready, storage does not answer: {Reason}")]
    private static partial void LogNotReady(ILogger logger, string reason);
}
