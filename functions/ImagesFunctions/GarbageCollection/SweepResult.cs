namespace ImagesFunctions.GarbageCollection;

/// <summary>What a sweep does, by kind.</summary>
public enum SweepKind
{
    /// <summary>Blobs that nothing needs, removed.</summary>
    Blobs,

    /// <summary>Their bytes, and those of the manifests of images that rules let go.</summary>
    Bytes,

    /// <summary>Images of deleted indexes, removed.</summary>
    Children,

    /// <summary>Images that the rules of their account let go, removed.</summary>
    Images,

    /// <summary>Removals that were killed half-way, finished.</summary>
    Removals,

    /// <summary>Blobs whose event was lost, or whose bytes were taken away or changed unseen: taken in.</summary>
    Events,

    /// <summary>Rows of deleted indexes of which nothing is left, and of indexes that never became complete, removed.</summary>
    Indexes,

    /// <summary>Rows of <c>index.json</c> files that are gone, removed.</summary>
    Layouts,

    /// <summary>Rows of tags that lead nowhere, removed.</summary>
    Tags,

    /// <summary>Rows of referrers that are gone, removed.</summary>
    Referrers,

    /// <summary>Rows of who needs what, of those who are gone, removed.</summary>
    Needs,

    /// <summary>Refusals that have expired, removed.</summary>
    Refusals,

    /// <summary>Facts that no image's row names and digests of boot tars of images that are gone, removed.</summary>
    Facts,

    /// <summary>Upload sessions that have expired, removed.</summary>
    Sessions,

    /// <summary>Staged blobs of upload sessions that are gone, removed.</summary>
    Uploads,

    /// <summary>Log entries, trimmed.</summary>
    LogEntries,

    /// <summary>Things that were left for the next sweep, because others kept changing them or storage failed.</summary>
    Left,

    /// <summary>Namespaces that were given up in the middle; the log says why.</summary>
    Failed,

    /// <summary>Files of undelivered events whose paths were looked at again, removed.</summary>
    DeadLetters,

    /// <summary>Files of undelivered events that could not be read, or not be taken in now; the log says why.</summary>
    DeadLettersLeft,

    /// <summary>Walks over all namespaces that take longer than the setting says; the log says how long.</summary>
    WalkLate,
}

/// <summary>What one sweep did, or would do.</summary>
/// <param name="Counts">How many of each kind; kinds with none are left out.</param>
/// <param name="IsDryRun">Whether nothing was changed. What a removal would make removable is not counted then.</param>
public sealed record SweepResult(IReadOnlyDictionary<SweepKind, long> Counts, bool IsDryRun)
{
    /// <summary>How many of a kind.</summary>
    public long this[SweepKind kind] => Counts.GetValueOrDefault(kind);

    /// <summary>One line a kind, in the order of the kinds; none when there was nothing to do.</summary>
    public IEnumerable<string> Lines =>
        Counts.OrderBy(c => c.Key).Select(c => $"{(IsDryRun ? "would: " : "")}{Text(c.Key)}: {c.Value}");

    /// <inheritdoc/>
    public override string ToString() => Counts.Count == 0 ? "nothing to do" : string.Join(", ", Lines);

    private static string Text(SweepKind kind) =>
        kind switch
        {
            SweepKind.Blobs => "blobs removed that nobody needs",
            SweepKind.Bytes => "bytes of those",
            SweepKind.Children => "images removed of deleted indexes",
            SweepKind.Images => "images removed by rules of retention",
            SweepKind.Removals => "removals finished that were killed",
            SweepKind.Events => "blobs taken in whose event was lost",
            SweepKind.Indexes => "index rows removed",
            SweepKind.Layouts => "rows removed of index.json files that are gone",
            SweepKind.Tags => "dead tag rows removed",
            SweepKind.Referrers => "dead referrer rows removed",
            SweepKind.Needs => "dead rows of needs removed",
            SweepKind.Refusals => "expired refusals removed",
            SweepKind.Facts => "facts removed that no image names",
            SweepKind.Sessions => "expired upload sessions removed",
            SweepKind.Uploads => "staged blobs removed",
            SweepKind.LogEntries => "log entries trimmed",
            SweepKind.Left => "left for the next sweep",
            SweepKind.Failed => "namespaces given up",
            SweepKind.DeadLetters => "files of undelivered events taken in",
            SweepKind.DeadLettersLeft => "files of undelivered events left",
            SweepKind.WalkLate => "walks over all namespaces that take too long",
            _ => kind.ToString(),
        };
}

/// <summary>Counts while several things are swept at once.</summary>
internal sealed class SweepCounts
{
    private readonly long[] _counts = new long[Enum.GetValues<SweepKind>().Length];

    public long this[SweepKind kind] => Volatile.Read(ref _counts[(int)kind]);

    public void Add(SweepKind kind, long count = 1) => Interlocked.Add(ref _counts[(int)kind], count);

    /// <summary>Adds what others have counted.</summary>
    public void Add(SweepCounts others)
    {
        foreach (var kind in Enum.GetValues<SweepKind>())
        {
            Add(kind, others[kind]);
        }
    }

    public SweepResult Result(bool isDryRun) =>
        new(
            Enum.GetValues<SweepKind>()
                .Where(kind => _counts[(int)kind] > 0)
                .ToDictionary(kind => kind, kind => _counts[(int)kind]),
            isDryRun
        );
}
