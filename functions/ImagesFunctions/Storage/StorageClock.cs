namespace ImagesFunctions.Storage;

/// <summary>
/// The time by the storage service's clock. Moments that one process writes are compared by others, so that a machine whose own
/// clock is days off must not write them by that. It costs no request: every answer of storage says the time.
/// </summary>
/// <param name="local">This machine's clock, which counts until the first answer and runs on between two of them.</param>
internal sealed class StorageClock(TimeProvider local)
{
    // The header has whole seconds.
    private static readonly TimeSpan s_fraction = TimeSpan.FromSeconds(1);

    private long _offset;

    /// <summary>The time now, as exactly as the answers so far tell: to about a second.</summary>
    public DateTimeOffset UtcNow => local.GetUtcNow().AddTicks(Volatile.Read(ref _offset));

    /// <summary>Learns from an answer that has just come.</summary>
    /// <param name="date">Its header <c>Date</c>; null where it has none, and says nothing.</param>
    /// <param name="took">How long the exchange took: that long ago at most the header was written.</param>
    public void Learn(DateTimeOffset? date, TimeSpan took)
    {
        if (date is not { } said)
        {
            return;
        }

        var offset = Volatile.Read(ref _offset);
        var now = local.GetUtcNow().AddTicks(offset);
        var latest = said + s_fraction + took;
        var correction =
            now < said ? said - now
            : now > latest ? latest - now
            : TimeSpan.Zero;
        if (correction != TimeSpan.Zero)
        {
            // Where another answer has corrected it meanwhile, that is enough.
            Interlocked.CompareExchange(ref _offset, offset + correction.Ticks, offset);
        }
    }
}
