using ImagesFunctions.Storage;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.Http;

/// <summary>Whether storage answers, with all its tables and containers. Callers at the same time share one check.</summary>
/// <param name="storage">The storage account; throws when none is configured.</param>
/// <param name="log">Gets the reason when storage cannot be reached; callers do not.</param>
internal sealed class Readiness(Func<StorageAccount> storage, ILogger<Readiness> log)
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
        IReadOnlyList<(string Name, Task Asked)> all = [];
        try
        {
            all = StorageSetup.Ask(storage(), deadline.Token);
            // Holds even if the client ignores the token.
            await Task.WhenAll(all.Select(one => one.Asked)).WaitAsync(deadline.Token);
            return true;
        }
        catch (Exception error)
        {
            log.LogError(
                "Not ready, storage does not answer: {Reason}",
                all.Count == 0 ? StorageErrors.Reason(error) : ReasonOf(all)
            );
            return false;
        }
    }

    // One that is missing is named, also where another one does not answer.
    private string ReasonOf(IEnumerable<(string Name, Task Asked)> all) =>
        string.Join(
            "; ",
            all.Where(one => !one.Asked.IsCompletedSuccessfully)
                .Select(one =>
                    one.Asked.Exception is { } failure
                        ? $"{one.Name}: {StorageErrors.Reason(failure.InnerExceptions[0])}"
                        : $"{one.Name}: no answer within {MaxRead.TotalSeconds:0.###} s"
                )
        );
}
