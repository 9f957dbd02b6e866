using System.Collections.Concurrent;

namespace ImagesFunctions.Tests.Support;

/// <summary>Time that goes by a hundred times as fast, so that back-offs and intervals cost a test nothing.</summary>
internal sealed class FastTime : TimeProvider
{
    private const int Times = 100;

    private readonly ConcurrentQueue<TimeSpan> _waits = [];
    private readonly long _began = System.GetTimestamp();
    private readonly DateTimeOffset _origin = System.GetUtcNow();

    private readonly ConcurrentQueue<ITimer> _held = [];

    /// <summary>Waits that are shorter than this do not end before <see cref="Release"/>.</summary>
    public TimeSpan HoldBelow { get; set; }

    /// <summary>Ends what is held, and holds nothing more.</summary>
    public void Release()
    {
        HoldBelow = TimeSpan.Zero;
        while (_held.TryDequeue(out var timer))
        {
            timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>What was waited for, one after the other, in time of this kind.</summary>
    public IEnumerable<TimeSpan> Waits => _waits;

    public override long TimestampFrequency => System.TimestampFrequency;

    public override long GetTimestamp() => _began + ((System.GetTimestamp() - _began) * Times);

    public override DateTimeOffset GetUtcNow() => _origin + GetElapsedTime(_began);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime > TimeSpan.Zero)
        {
            _waits.Enqueue(dueTime);
        }

        if (dueTime > TimeSpan.Zero && dueTime < HoldBelow)
        {
            var held = System.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _held.Enqueue(held);
            return held;
        }

        return System.CreateTimer(callback, state, Scaled(dueTime), Scaled(period));
    }

    private static TimeSpan Scaled(TimeSpan time) => time == Timeout.InfiniteTimeSpan ? time : time / Times;
}
