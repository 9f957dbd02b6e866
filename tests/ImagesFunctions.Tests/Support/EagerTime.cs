using System.Collections.Concurrent;

namespace ImagesFunctions.Tests.Support;

/// <summary>
/// Time that has passed as soon as somebody waits for it. Who waits by it for a bounded number of times has done so at once, and
/// how long it would have taken can be told afterwards.
/// </summary>
/// <param name="moves">Whether the clock moves by each wait. It stands still where many wait at the same time, each for a while of its own.</param>
internal sealed class EagerTime(bool moves = true) : TimeProvider
{
    private readonly ConcurrentQueue<TimeSpan> _waits = [];
    private long _now;

    /// <summary>What was waited for, in order.</summary>
    public IReadOnlyList<TimeSpan> Waits => [.. _waits];

    /// <summary>All of it together.</summary>
    public TimeSpan Waited => new(_waits.Sum(wait => wait.Ticks));

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Lets time pass without anybody waiting.</summary>
    public void Pass(TimeSpan time) => Interlocked.Add(ref _now, time.Ticks);

    /// <inheritdoc/>
    public override long GetTimestamp() => Volatile.Read(ref _now);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(GetTimestamp());

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime > TimeSpan.Zero)
        {
            _waits.Enqueue(dueTime);
            if (moves)
            {
                Pass(dueTime);
            }
        }

        var at = dueTime < TimeSpan.Zero ? dueTime : TimeSpan.Zero;
        return System.CreateTimer(callback, state, at, Timeout.InfiniteTimeSpan);
    }
}
