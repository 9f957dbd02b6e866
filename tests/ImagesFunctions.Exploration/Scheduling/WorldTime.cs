namespace ImagesFunctions.Exploration.Scheduling;

/// <summary>
/// The clock of a process. How long it waits decides nothing: a timer expires when the chooser says so, because a machine may be as
/// slow as it likes. Each that expires lets a millisecond pass.
/// </summary>
/// <param name="world">The world.</param>
/// <param name="actor">The process.</param>
public sealed class WorldTime(World world, Actor actor) : TimeProvider
{
    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override long GetTimestamp() => world.Now.Ticks;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + world.Now;

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(world, actor, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class Timer(World world, Actor actor, TimerCallback callback, object? state) : ITimer
    {
        private Step? _step;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Dispose();
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                _step = world.Add(actor, StepKind.Timer, "a timer", Expire);
            }

            return true;
        }

        public void Dispose()
        {
            if (_step is not null)
            {
                world.Remove(_step);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Expire()
        {
            world.Pass(TimeSpan.FromMilliseconds(1));
            callback(state);
        }
    }
}

/// <summary>Draws the longest wait each time: whether there is a timer at all must not depend on chance.</summary>
public sealed class LongestWait : Random
{
    /// <inheritdoc/>
    public override double NextDouble() => 1 - 1e-9;
}
