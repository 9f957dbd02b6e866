using ImagesFunctions.Oci;

namespace ImagesFunctions.Policy;

/// <summary>An image that goes because of the rules of its account.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Digest">The image's digest.</param>
/// <param name="Tags">The tags that go with it.</param>
/// <param name="Size">The length of its manifest, in bytes.</param>
/// <param name="IsIndex">Whether it is an index.</param>
public sealed record RetiredImage(
    Repository Repository,
    Digest Digest,
    IReadOnlyList<string> Tags,
    long Size,
    bool IsIndex
);
