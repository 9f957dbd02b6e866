namespace ImagesFunctions.Oci;

/// <summary>A reference to content: what it is, how long, and its digest (OCI image spec, descriptor.md).</summary>
/// <param name="MediaType">The media type that the descriptor declares; "" when it declares none.</param>
/// <param name="Digest">The content's digest, of a supported algorithm.</param>
/// <param name="Size">The content's length in bytes, as declared. What is stored decides, not this.</param>
/// <param name="Annotations">The descriptor's annotations; empty when it has none.</param>
/// <param name="Platform">The platform, in an index; else null.</param>
/// <param name="HasUrls">Whether the content may be fetched from elsewhere and so need not exist here.</param>
public sealed record Descriptor(
    string MediaType,
    Digest Digest,
    long Size,
    IReadOnlyDictionary<string, string> Annotations,
    Platform? Platform,
    bool HasUrls
)
{
    /// <summary>Whether a repository that holds a manifest with this layer may be without its content.</summary>
    public bool MayBeAbsent => HasUrls || MediaTypes.IsNonDistributable(MediaType);
}

/// <summary>The platform that a manifest of an index is for (OCI image spec, image-index.md).</summary>
/// <param name="Os">Such as <c>linux</c> or <c>kraftcloud</c>.</param>
/// <param name="Architecture">Such as <c>amd64</c> or <c>x86_64</c>.</param>
public sealed record Platform(string? Os, string? Architecture);
