using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>The result of a removal.</summary>
/// <param name="Found">Whether there was something to remove.</param>
/// <param name="NeededBy">The live index or image that needs it, so that nothing was removed; or null.</param>
/// <param name="IsPinned">Whether it is pinned, so that nothing was removed.</param>
internal sealed record RemovalResult(bool Found, Digest? NeededBy = null, bool IsPinned = false)
{
    /// <summary>Its blob, which the commit marks; null where there is none, or nothing was removed.</summary>
    public MarkedBlob? Marked { get; init; }
}

/// <summary>A verified blob whose row a commit marks: the first step of its removal.</summary>
/// <param name="blob">The row as it was.</param>
internal sealed class MarkedBlob(BlobRow blob)
{
    private VersionTag? _version;

    /// <summary>The change that marks it, if the row is unchanged.</summary>
    public Change Change =>
        new(blob.Key, (blob with { State = BlobState.Deleting }).ToRow(), blob.RowETag)
        {
            Written = version => _version = version,
        };

    /// <summary>The ETag of its bytes.</summary>
    public string BlobETag => blob.BlobETag;

    /// <summary>The row as the commit has left it; null where only a read can tell its version.</summary>
    public BlobRow? Row => _version is { } version ? blob with { State = BlobState.Deleting, RowETag = version } : null;
}
