namespace ImagesFunctions.Journal;

/// <summary>Waits between tries: exponential, with full jitter, so that those who failed together do not try together.</summary>
public static class Backoff
{
    /// <summary>Waits a random time up to <paramref name="first"/> doubled once a failed try, and never over <paramref name="max"/>.</summary>
    /// <param name="failedTries">How many tries have failed, 1 or more.</param>
    /// <param name="first">The longest wait after the first failure.</param>
    /// <param name="max">The longest wait at all.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static Task DelayAsync(int failedTries, TimeSpan first, TimeSpan max, CancellationToken cancellationToken)
    {
        var bound = Math.Min(
            max.TotalMilliseconds,
            first.TotalMilliseconds * Math.Pow(2, Math.Min(failedTries, 30) - 1)
        );
        // Jitter needs no secret randomness.
        return Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.NextDouble() * bound), cancellationToken);
    }
}
