namespace ImagesFunctions.Journal;

/// <summary>Waits between tries: exponential with full jitter, so that writers that failed together do not retry together.</summary>
public static class Backoff
{
    /// <summary>Waits a random time up to <paramref name="first"/>, doubled for each further failure, and at most <paramref name="max"/>.</summary>
    /// <param name="failedTries">The number of failed tries, at least 1.</param>
    /// <param name="first">The maximum wait after the first failure.</param>
    /// <param name="max">The maximum wait.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
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
