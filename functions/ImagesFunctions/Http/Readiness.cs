using ImagesFunctions.Storage;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.Http;

/// <summary>Whether storage answers, with all its tables and containers. However many ask, it is asked once at a time.</summary>
/// <param name="storage">The storage account; may throw when none is configured.</param>
/// <param name="log">Learns the reason when it cannot be reached; callers do not.</param>
internal sealed partial class Readiness(Func<StorageAccount> storage, ILogger<Readiness> log)
{
    private readonly Lock _lock = new();
    private Task<bool> _read = Task.FromResult(false);

    /// <summary>How long a read may take before storage counts as away.</summary>
    public TimeSpan MaxRead { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Joins the read that is on its way, or begins one. It takes two seconds at most and never throws but for the caller's own end.</summary>
    public Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_read.IsCompleted)
            {
                // Of no one caller: the others go on waiting when the first one leaves.
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
            // The deadline holds even where the client forgets it.
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
