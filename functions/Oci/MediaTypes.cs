namespace ImagesFunctions.Oci;

/// <summary>
/// The media types that this registry knows. Content of all others is opaque. Types are compared without case
/// (RFC 6838, section 4.2), and stored and served as they were sent.
/// </summary>
public static class MediaTypes
{
    /// <summary>OCI image manifest.</summary>
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";

    /// <summary>OCI image index.</summary>
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";

    /// <summary>Docker image manifest, version 2, schema 2.</summary>
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

    /// <summary>Docker manifest list.</summary>
    public const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// <summary>Whether two types are the same, regardless of case.</summary>
    public static bool AreSame(string? one, string? other) =>
        string.Equals(one, other, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether this is one of the two image manifest types.</summary>
    public static bool IsImageManifest(string? mediaType) =>
        AreSame(mediaType, OciManifest) || AreSame(mediaType, DockerManifest);

    /// <summary>Whether this is one of the two index types.</summary>
    public static bool IsIndex(string? mediaType) => AreSame(mediaType, OciIndex) || AreSame(mediaType, DockerList);

    /// <summary>Whether content of this type is read as a manifest.</summary>
    public static bool IsManifest(string? mediaType) => IsImageManifest(mediaType) || IsIndex(mediaType);

    /// <summary>Whether a config of this type makes its manifest an image; any other makes it an artifact.</summary>
    public static bool IsImageConfig(string? mediaType) =>
        AreSame(mediaType, "application/vnd.oci.image.config.v1+json")
        || AreSame(mediaType, "application/vnd.docker.container.image.v1+json");

    /// <summary>
    /// Whether only the content shows if a manifest's config is an image config: as Docker of 2016 pushed them.
    /// </summary>
    public static bool MayBeImageConfig(string manifestType, string? configType) =>
        AreSame(manifestType, DockerManifest) && AreSame(configType, "application/octet-stream");

    /// <summary>Whether a layer is part of a file system, of OCI's types, of Docker's, or of one of the lazy formats.</summary>
    public static bool IsFileSystem(string mediaType) =>
        BeginsWith(mediaType, "application/vnd.oci.image.layer.")
        || BeginsWith(mediaType, "application/vnd.docker.image.rootfs.")
        || BeginsWith(mediaType, "application/vnd.unikraft.image.layer.v1")
        || BeginsWith(mediaType, "application/vnd.erofs.layer.v1");

    /// <summary>Whether a layer is a Unikraft kernel by its type.</summary>
    public static bool IsKernel(string mediaType) =>
        BeginsWith(mediaType, "application/vnd.unikraft.kernel.v1")
        || AreSame(mediaType, "application/vnd.unikraft.image.v1");

    /// <summary>Whether a layer is a Unikraft initial ram disk by its type.</summary>
    public static bool IsInitrd(string mediaType) => BeginsWith(mediaType, "application/vnd.unikraft.initrd.v1");

    /// <summary>Whether a layer is a Unikraft ROM.</summary>
    public static bool IsRom(string mediaType) => AreSame(mediaType, "application/vnd.unikraft.rom.v1");

    /// <summary>Whether a layer of this type may be absent, because its licence forbids to distribute it (OCI image spec, layer.md).</summary>
    public static bool IsNonDistributable(string mediaType) =>
        BeginsWith(mediaType, "application/vnd.oci.image.layer.nondistributable.")
        || BeginsWith(mediaType, "application/vnd.docker.image.rootfs.foreign.");

    private static bool BeginsWith(string mediaType, string start) =>
        mediaType.StartsWith(start, StringComparison.OrdinalIgnoreCase);
}
