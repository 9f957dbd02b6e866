using Microsoft.Extensions.Time.Testing;

namespace ImagesFunctions.Tests.Ingest;

/// <summary>Time that has passed at once for whoever waits for it.</summary>
internal sealed class SkippingTime : FakeTimeProvider
{
    /// <summary>How long each wait was to take, in their order.</summary>
    public List<TimeSpan> Waits { get; } = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        Waits.Add(dueTime);
        // Not here: whoever waits has to have the timer first.
        ThreadPool.QueueUserWorkItem(_ => Advance(dueTime));
        return timer;
    }
}
