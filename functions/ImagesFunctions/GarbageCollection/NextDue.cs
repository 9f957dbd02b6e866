namespace ImagesFunctions.GarbageCollection;

/// <summary>The earliest moment at which something is to be looked at again that a sweep has found too young.</summary>
internal sealed class NextDue
{
    private long _ticks = long.MaxValue;

    /// <summary>The moment; null where there is nothing to look at again.</summary>
    public DateTimeOffset? At =>
        Volatile.Read(ref _ticks) is var ticks && ticks == long.MaxValue
            ? null
            : new DateTimeOffset(ticks, TimeSpan.Zero);

    /// <summary>Something is to be looked at again at a moment.</summary>
    public void Add(DateTimeOffset at)
    {
        var seen = Volatile.Read(ref _ticks);
        while (at.UtcTicks < seen)
        {
            var now = Interlocked.CompareExchange(ref _ticks, at.UtcTicks, seen);
            if (now == seen)
            {
                return;
            }

            seen = now;
        }
    }
}
