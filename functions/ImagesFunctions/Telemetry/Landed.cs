namespace ImagesFunctions.Telemetry;

/// <summary>What came of a blob that landed.</summary>
/// <param name="Outcome">One of a few words.</param>
/// <param name="Lag">How long ago the blob was written; null where that says nothing about how long its ingest took.</param>
internal readonly record struct Landed(string Outcome, TimeSpan? Lag = null)
{
    /// <summary>Nothing stands at the path any more.</summary>
    public static readonly Landed Gone = new("gone");

    /// <summary>It does not count, and the refusal says why.</summary>
    public static readonly Landed Refused = new("refused");

    /// <summary>Storage keeps it as it is, so that it can be neither read nor removed now.</summary>
    public static readonly Landed Held = new("held");

    /// <summary>It was good before.</summary>
    public static readonly Landed Known = new("known");

    /// <summary>A layout's index was read.</summary>
    public static readonly Landed Index = new("index");

    /// <summary>A file of a layout that says nothing.</summary>
    public static readonly Landed Ignored = new("ignored");

    /// <summary>It is new and good.</summary>
    /// <param name="lag">How long ago it was written, by one clock.</param>
    public static Landed Committed(TimeSpan lag) => new("committed", lag);
}
