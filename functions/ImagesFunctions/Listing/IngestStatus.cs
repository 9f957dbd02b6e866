namespace ImagesFunctions.Listing;

/// <summary>What is listed, what waits and what is refused: the answer to "why is my drop not listed?"</summary>
/// <param name="Listed">Listed images, sorted by repository and digest.</param>
/// <param name="Waiting">Manifests with missing dependencies.</param>
/// <param name="Refused">Refused blobs.</param>
/// <param name="PendingTags">Tags that wait for their image.</param>
/// <param name="Unseen">Paths of blobs whose event was not delivered yet.</param>
public sealed record IngestStatus(
    IReadOnlyList<StatusImage> Listed,
    IReadOnlyList<WaitingManifest> Waiting,
    IReadOnlyList<RefusedBlob> Refused,
    IReadOnlyList<PendingTag> PendingTags,
    IReadOnlyList<string> Unseen
)
{
    /// <summary>Notes about committed manifests.</summary>
    public IReadOnlyList<ImageNote> Notes { get; init; } = [];

    /// <summary>Whether it is empty.</summary>
    public bool IsEmpty =>
        Listed.Count + Waiting.Count + Refused.Count + PendingTags.Count + Unseen.Count + Notes.Count == 0;
}

/// <summary>A listed image.</summary>
public sealed record StatusImage(string Repository, string Digest, IReadOnlyList<string> Tags, long Size);

/// <summary>A manifest that waits for these digests; for its own where its blob has not landed.</summary>
public sealed record WaitingManifest(string Repository, string Manifest, IReadOnlyList<string> Missing);

/// <summary>A refused blob. State is <c>refused</c> for bad input, <c>failed</c> where storage failed until the host gave up.</summary>
public sealed record RefusedBlob(string Path, string Reason, string? ActualDigest, string State, DateTimeOffset At);

/// <summary>A tag that waits for its image.</summary>
public sealed record PendingTag(string Repository, string Tag, string Digest);
