namespace ImagesFunctions.Journal;

/// <summary>Waits between tries: exponential with full jitter, so that writers that failed together do not retry together.</summary>
public static class Backoff
{
    // Beyond this many the bound of any sensible first wait is far over the maximum.
    private const int MaxDoublings = 30;

    /// <summary>Waits a random time up to <paramref name="first"/> doubled once a failed try, and never over <paramref name="max"/>.</summary>
    /// <param name="failedTries">How many tries have failed, 1 or more.</param>
    /// <param name="first">The longest wait after the first failure.</param>
    /// <param name="max">The longest wait at all.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static Task DelayAsync(int failedTries, TimeSpan first, TimeSpan max, CancellationToken cancellationToken) =>
        DelayAsync(failedTries, first, max, TimeProvider.System, cancellationToken);

    /// <summary>As the other overload, by a clock of the caller's.</summary>
    public static Task DelayAsync(
        int failedTries,
        TimeSpan first,
        TimeSpan max,
        TimeProvider time,
        CancellationToken cancellationToken
    ) => DelayAsync(failedTries, first, max, time, Random.Shared, cancellationToken);

    /// <summary>As the other overload, with a jitter of the caller's.</summary>
    public static Task DelayAsync(
        int failedTries,
        TimeSpan first,
        TimeSpan max,
        TimeProvider time,
        Random random,
        CancellationToken cancellationToken
    ) =>
        // Jitter needs no secret randomness.
        Task.Delay(random.NextDouble() * Bound(failedTries, first, max), time, cancellationToken);

    /// <summary>The longest that <see cref="DelayAsync(int, TimeSpan, TimeSpan, CancellationToken)"/> waits.</summary>
    public static TimeSpan Bound(int failedTries, TimeSpan first, TimeSpan max) =>
        TimeSpan.FromMilliseconds(
            Math.Min(
                max.TotalMilliseconds,
                first.TotalMilliseconds * Math.Pow(2, Math.Min(failedTries, MaxDoublings) - 1)
            )
        );
}
