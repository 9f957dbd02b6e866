using ImagesFunctions.Oci;

namespace ImagesFunctions.Images;

/// <summary>An image, an index or another manifest of a store.</summary>
/// <param name="Repository">Its repository.</param>
/// <param name="Digest">The digest of its manifest.</param>
/// <param name="MediaType">The media type of its manifest.</param>
/// <param name="Tags">Its tags, in ordinal order.</param>
public sealed record StoredImage(Repository Repository, Digest Digest, string MediaType, IReadOnlyList<string> Tags)
{
    /// <summary>The sum of the sizes of its distinct layers and configs, in bytes; 0 for what is not an image.</summary>
    public long Size { get; init; }

    /// <summary>Whether lists may show it.</summary>
    public bool IsImage { get; init; }

    /// <summary>When it was committed; null where an earlier version did that.</summary>
    public DateTimeOffset? Pushed { get; init; }

    /// <summary>Whether a pin holds it.</summary>
    public bool IsPinned { get; init; }
}

/// <summary>What an image is made of, and what belongs to it.</summary>
/// <param name="Image">The image.</param>
/// <param name="Manifest">Its manifest.</param>
/// <param name="Bytes">The manifest as it is stored.</param>
public sealed record ImageDetails(StoredImage Image, Manifest Manifest, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Its config as it is stored; null where it has none.</summary>
    public ReadOnlyMemory<byte>? Config { get; init; }

    /// <summary>What its config and layers say.</summary>
    public ImageFacts Facts { get; init; } = ImageFacts.None;

    /// <summary>The manifests that refer to it, such as signatures (OCI distribution spec, "Listing Referrers").</summary>
    public IReadOnlyList<ImageReferrer> Referrers { get; init; } = [];

    /// <summary>The day (UTC) on which it was pulled last; null where that is not known, and where no rule of its account counts pulls.</summary>
    public DateOnly? LastPulled { get; init; }

    /// <summary>The indexes that name it: it cannot be removed before them.</summary>
    public IReadOnlyList<Digest> NeededBy { get; init; } = [];
}

/// <summary>A manifest that refers to another one.</summary>
/// <param name="Digest">Its digest.</param>
/// <param name="ArtifactType">Its artifact type; its media type where it has none.</param>
/// <param name="Size">The length of the manifest in bytes.</param>
public sealed record ImageReferrer(Digest Digest, string ArtifactType, long Size);

/// <summary>The result of a removal.</summary>
/// <param name="Found">Whether there was an image.</param>
/// <param name="NeededBy">An index that needs it, so that nothing was removed; or null.</param>
/// <param name="IsPinned">Whether it is pinned, so that nothing was removed.</param>
public sealed record ImageRemoval(bool Found, Digest? NeededBy, bool IsPinned)
{
    /// <summary>Whether it was removed.</summary>
    public bool IsDone => Found && NeededBy is null && !IsPinned;
}
