namespace ImagesFunctions.Telemetry;

/// <summary>The result of taking in a blob.</summary>
/// <param name="Outcome">One of a few words.</param>
/// <param name="Lag">How long ago the blob was written; null where the ingest has no lag to measure.</param>
internal readonly record struct Landed(string Outcome, TimeSpan? Lag = null)
{
    /// <summary>There is no blob at the path.</summary>
    public static readonly Landed Gone = new("gone");

    /// <summary>The blob is refused; the refusal says why.</summary>
    public static readonly Landed Refused = new("refused");

    /// <summary>Storage keeps the blob as it is, so that it can be neither read nor removed now.</summary>
    public static readonly Landed Held = new("held");

    /// <summary>The blob was verified before.</summary>
    public static readonly Landed Known = new("known");

    /// <summary>The index of a layout was applied.</summary>
    public static readonly Landed Index = new("index");

    /// <summary>A file without meaning here.</summary>
    public static readonly Landed Ignored = new("ignored");

    /// <summary>The blob is new and verified.</summary>
    /// <param name="lag">How long ago it was written, by the storage service's clock.</param>
    public static Landed Committed(TimeSpan lag) => new("committed", lag);
}
