namespace ImagesFunctions.Listing;

/// <summary>What is listed, what waits and what was refused: the answer to "why is my drop not listed?"</summary>
/// <param name="Listed">Images that count, sorted by repository and digest.</param>
/// <param name="Waiting">Manifests that miss something.</param>
/// <param name="Refused">Blobs that do not count.</param>
/// <param name="PendingTags">Tags whose image is not there yet.</param>
/// <param name="Unseen">Paths of blobs that no event was delivered for yet, or other bytes than those.</param>
public sealed record IngestStatus(
    IReadOnlyList<StatusImage> Listed,
    IReadOnlyList<WaitingManifest> Waiting,
    IReadOnlyList<RefusedBlob> Refused,
    IReadOnlyList<PendingTag> PendingTags,
    IReadOnlyList<string> Unseen
)
{
    /// <summary>What there is to say about manifests that are committed.</summary>
    public IReadOnlyList<ImageNote> Notes { get; init; } = [];

    /// <summary>Whether there is nothing to tell.</summary>
    public bool IsEmpty =>
        Listed.Count + Waiting.Count + Refused.Count + PendingTags.Count + Unseen.Count + Notes.Count == 0;
}

/// <summary>An image that counts.</summary>
public sealed record StatusImage(string Repository, string Digest, IReadOnlyList<string> Tags, long Size);

/// <summary>A manifest that waits for these digests: its own, if its blob has not landed.</summary>
public sealed record WaitingManifest(string Repository, string Manifest, IReadOnlyList<string> Missing);

/// <summary>A blob that does not count. State is <c>refused</c> for bad input, <c>failed</c> where storage failed five times.</summary>
public sealed record RefusedBlob(string Path, string Reason, string? ActualDigest, string State, DateTimeOffset At);

/// <summary>A tag that waits for its image.</summary>
public sealed record PendingTag(string Repository, string Tag, string Digest);
