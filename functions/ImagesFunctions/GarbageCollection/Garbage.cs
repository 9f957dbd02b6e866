using ImagesFunctions.Blobs;
using ImagesFunctions.Ingest;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>
/// The sweeper's decisions about one namespace. The caller has a suspicion; here everything is read again and decided in
/// the namespace's order, so that a suspicion may be old or wrong. Each answers how many rows changed, or <see cref="Busy"/>.
/// </summary>
internal sealed class Garbage
{
    /// <summary>Others changed what the decision read as often as it was made: left for the next sweep.</summary>
    public const int Busy = -1;

    /// <summary>The most rows of a kind to decide about at once: a waiting tag takes two.</summary>
    public const int MaxRows = 40;

    public Garbage(
        RowStore rowStore,
        Content content,
        Removal removal,
        BlobIngest ingest,
        LayoutIndex layoutIndex,
        SweepAge age,
        bool dryRun
    )
    {
        var commit = new GarbageCommit(rowStore, dryRun);
        Blobs = new BlobGarbage(commit, removal, ingest, age);
        Retention = new RetentionGarbage(commit, Blobs, content, age);
        Rows = new RowGarbage(commit, content, age);
        Dependencies = new DependencyGarbage(commit, layoutIndex, age);
    }

    /// <summary>About blobs, and images that are blobs.</summary>
    public BlobGarbage Blobs { get; }

    /// <summary>About images that rules let go.</summary>
    public RetentionGarbage Retention { get; }

    /// <summary>About rows that stand for nothing any more.</summary>
    public RowGarbage Rows { get; }

    /// <summary>About rows that say who needs what.</summary>
    public DependencyGarbage Dependencies { get; }
}
