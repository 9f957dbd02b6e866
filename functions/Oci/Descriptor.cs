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
    /// <summary>The annotation of a layer that holds a Unikraft kernel.</summary>
    public const string KernelAnnotation = "org.unikraft.kernel.image";

    /// <summary>The annotation of a layer that holds a Unikraft kernel for debuggers, which nothing boots.</summary>
    public const string KernelDebugAnnotation = "org.unikraft.kernel.imagedbg";

    /// <summary>The annotation of a layer that holds an initial ram disk.</summary>
    public const string InitrdAnnotation = "org.unikraft.kernel.initrd";

    // BuildKit's annotation of an attestation, which is a manifest about another one of its index.
    private const string AttestationAnnotation = "vnd.docker.reference.type";

    /// <summary>Whether this layer is something that could run: a file system, a kernel, an initial ram disk or a ROM.</summary>
    public bool CanRun =>
        Annotations.ContainsKey(KernelAnnotation)
        || Annotations.ContainsKey(InitrdAnnotation)
        || MediaTypes.IsKernel(MediaType)
        || MediaTypes.IsInitrd(MediaType)
        || MediaTypes.IsRom(MediaType)
        || (MediaTypes.IsFileSystem(MediaType) && !Annotations.ContainsKey(KernelDebugAnnotation));

    /// <summary>
    /// Whether this is the descriptor of a manifest, in an index. One without a media type counts as one: its content says what it
    /// is.
    /// </summary>
    public bool IsManifest => MediaType.Length == 0 || MediaTypes.IsManifest(MediaType);

    /// <summary>Whether this is an attestation of BuildKit, which is a manifest of no platform.</summary>
    public bool IsAttestation => Annotations.ContainsKey(AttestationAnnotation) || Platform is { IsUnknown: true };

    /// <summary>Whether a repository that holds a manifest with this layer may be without its content.</summary>
    public bool MayBeAbsent => HasUrls || MediaTypes.IsNonDistributable(MediaType);
}

/// <summary>The platform that a manifest of an index is for (OCI image spec, image-index.md).</summary>
/// <param name="Os">Such as <c>linux</c> or <c>kraftcloud</c>.</param>
/// <param name="Architecture">Such as <c>amd64</c> or <c>x86_64</c>.</param>
public sealed record Platform(string? Os, string? Architecture)
{
    /// <summary>Whether it is <c>unknown/unknown</c>.</summary>
    public bool IsUnknown => Os == "unknown" && Architecture == "unknown";
}
