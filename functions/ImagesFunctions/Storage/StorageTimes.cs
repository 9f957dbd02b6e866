namespace ImagesFunctions.Storage;

/// <summary>How long storage is waited for.</summary>
public sealed record StorageTimes
{
    /// <summary>How long storage may make no progress while it has something to do: to take bytes, to answer, to send bytes.</summary>
    public TimeSpan Progress { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The same where storage copies bytes itself, and its progress cannot be seen.</summary>
    public TimeSpan Copy { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long an answer that holds no bytes of blobs may take from its first byte to its last: rows, lists of blobs, errors.</summary>
    public TimeSpan Answer { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>How long a request that transfers no bytes of blobs keeps its client waiting: from its beginning, or from the last byte of its body.</summary>
    public TimeSpan Request { get; init; } = TimeSpan.FromSeconds(55);

    /// <summary>What can be done without: from asking for a snapshot until it begins to come.</summary>
    public TimeSpan Optional { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How many bytes of what can be done without have to come in each further second.</summary>
    public long OptionalBytesPerSecond { get; init; } = 8L * 1024 * 1024;

    /// <summary>
    /// How long an answer of a table vouches that the table is still the same one: a table that is lost is made anew no sooner. Each
    /// process of a store has to have the same.
    /// </summary>
    public TimeSpan Vouches { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>What time is measured by.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
