namespace ImagesFunctions.Telemetry;

/// <summary>The result of taking in a blob.</summary>
/// <param name="Outcome">One of a few words.</param>
/// <param name="LastModified">When the blob was written, by the storage service's clock; null where the ingest has no lag to measure.</param>
internal readonly record struct Landed(string Outcome, DateTimeOffset? LastModified = null)
{
    /// <summary>There is no blob at the path.</summary>
    public static readonly Landed Gone = new("gone");

    /// <summary>The blob is refused; the refusal says why.</summary>
    public static readonly Landed Refused = new("refused");

    /// <summary>The blob was verified before.</summary>
    public static readonly Landed Known = new("known");

    /// <summary>The index of a layout was applied.</summary>
    public static readonly Landed Index = new("index");

    /// <summary>A file without meaning here.</summary>
    public static readonly Landed Ignored = new("ignored");

    /// <summary>The blob is new and verified.</summary>
    public static Landed Committed(DateTimeOffset lastModified) => new("committed", lastModified);
}
