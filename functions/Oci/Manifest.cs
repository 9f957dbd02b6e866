using System.Text.Json;

namespace ImagesFunctions.Oci;

/// <summary>Content that breaks a rule of its specification. The message says which, for the author of the content.</summary>
public sealed class InvalidContentException(string message) : Exception(message);

/// <summary>
/// An image manifest or an index, of OCI or of Docker's version 2 schema 2, as far as a registry has to read it
/// (OCI image spec, manifest.md and image-index.md). It is never serialized: storage keeps the exact bytes.
/// </summary>
public sealed record Manifest
{
    /// <summary>The maximum length of a manifest, in bytes (OCI distribution spec, "Pushing Manifests": at least 4 MiB).</summary>
    public const int MaxContent = 4 * 1024 * 1024;

    /// <summary>The maximum number of descriptors of a manifest or index.</summary>
    public const int MaxDescriptors = 10_000;

    private Manifest(string mediaType) => MediaType = mediaType;

    /// <summary>Its media type: one of the four types of <see cref="MediaTypes.IsManifest"/>.</summary>
    public string MediaType { get; }

    /// <summary>Whether this is an index, and not an image manifest.</summary>
    public bool IsIndex => MediaTypes.IsIndex(MediaType);

    /// <summary>The config; null in an index.</summary>
    public Descriptor? Config { get; private init; }

    /// <summary>The layers, in their order; empty in an index.</summary>
    public IReadOnlyList<Descriptor> Layers { get; private init; } = [];

    /// <summary>The descriptors of an index, in their order; empty in an image manifest.</summary>
    public IReadOnlyList<Descriptor> Manifests { get; private init; } = [];

    /// <summary>The manifest that this one refers to, which need not exist; or null.</summary>
    public Descriptor? Subject { get; private init; }

    /// <summary>The artifact type that it declares, or null.</summary>
    public string? ArtifactType { get; private init; }

    /// <summary>
    /// Its artifact type as a referrer: where an image manifest declares none, the media type of its config (OCI distribution
    /// spec, "Listing Referrers").
    /// </summary>
    public string? ReferrerType => ArtifactType ?? Config?.MediaType;

    /// <summary>The annotations of the manifest itself; empty when it has none.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; private init; } =
        new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>
    /// Whether lists may show it, by the manifest alone. An index also has to name an image. Where the type of the config is
    /// ambiguous (<see cref="MediaTypes.MayBeImageConfig"/>), the content of the config decides.
    /// </summary>
    public bool IsImage => NotImage is null;

    /// <summary>Why lists may not show it, as the end of a sentence; null when they may.</summary>
    public string? NotImage
    {
        get
        {
            if (Subject is not null)
            {
                return $"it refers to {Subject.Digest}, as signatures do";
            }

            if (IsIndex)
            {
                return ArtifactType is null ? null : $"it is an index of the artifact type {ArtifactType}";
            }

            var config = Config!.MediaType;
            return !MediaTypes.IsImageConfig(config) && !MediaTypes.MayBeImageConfig(MediaType, config)
                    ? $"its config is of the type {(config.Length == 0 ? "''" : config)}, which is no image's"
                : Layers.Any(l => l.CanRun) ? null
                : "none of its layers is a file system, a kernel, an initrd or a ROM";
        }
    }

    /// <summary>
    /// The blobs that have to be in the repository before this manifest counts, each digest once, without those that are needed as
    /// manifests.
    /// </summary>
    public IEnumerable<Descriptor> NeededBlobs =>
        (IsIndex ? Manifests.Where(m => !m.IsManifest) : Layers.Prepend(Config!))
            .Where(d => !d.MayBeAbsent)
            .DistinctBy(d => d.Digest)
            .ExceptBy(NeededManifests.Select(m => m.Digest), d => d.Digest);

    /// <summary>The manifests that have to be committed before this index counts, each digest once.</summary>
    public IEnumerable<Descriptor> NeededManifests =>
        Manifests.Where(m => m.IsManifest && !m.MayBeAbsent).DistinctBy(m => m.Digest);

    /// <summary>Parses a manifest.</summary>
    /// <param name="content">The exact bytes, at most <see cref="MaxContent"/>.</param>
    /// <param name="declaredType">
    /// The media type that a descriptor or a header gives it, or null. It has to agree with the body's own
    /// <c>mediaType</c>; where both are absent, the shape decides.
    /// </param>
    /// <exception cref="InvalidContentException">The content is not a valid manifest.</exception>
    public static Manifest Parse(ReadOnlyMemory<byte> content, string? declaredType)
    {
        return ManifestJson.Read(content, root => Parse(root, declaredType));
    }

    private static Manifest Parse(JsonElement root, string? declaredType)
    {
        var bodyType = ManifestJson.Text(root, "mediaType");
        var declared = declaredType is { Length: > 0 } ? declaredType : null;
        if (bodyType is not null && declared is not null && !MediaTypes.AreSame(bodyType, declared))
        {
            throw new InvalidContentException($"declared as {declared}, but its mediaType is {bodyType}");
        }

        var mediaType =
            declared
            ?? bodyType
            ?? (root.TryGetProperty("manifests", out _) ? MediaTypes.OciIndex : MediaTypes.OciManifest);
        if (!MediaTypes.IsManifest(mediaType))
        {
            throw new InvalidContentException($"{mediaType} is not a manifest's media type");
        }

        if (
            root.TryGetProperty("schemaVersion", out var version)
            && !(version.ValueKind == JsonValueKind.Number && version.TryGetInt32(out var number) && number == 2)
        )
        {
            throw new InvalidContentException("schemaVersion is not 2");
        }

        var descriptors = 0;
        return MediaTypes.IsIndex(mediaType)
            ? ReadIndex(root, mediaType, ref descriptors)
            : ReadImage(root, mediaType, ref descriptors);
    }

    private static Manifest ReadIndex(JsonElement root, string mediaType, ref int descriptors)
    {
        if (root.TryGetProperty("layers", out _) || root.TryGetProperty("config", out _))
        {
            throw new InvalidContentException("an index has no config and no layers");
        }

        if (!root.TryGetProperty("manifests", out _))
        {
            throw new InvalidContentException("an index needs the member manifests");
        }

        return new Manifest(mediaType)
        {
            Manifests = ManifestJson.List(root, "manifests", ref descriptors),
            Subject = ManifestJson.Optional(root, "subject", ref descriptors),
            ArtifactType = ManifestJson.Text(root, "artifactType"),
            Annotations = ManifestJson.Texts(root, "annotations"),
        };
    }

    private static Manifest ReadImage(JsonElement root, string mediaType, ref int descriptors)
    {
        if (root.TryGetProperty("manifests", out _))
        {
            throw new InvalidContentException("an image manifest has no member manifests");
        }

        return new Manifest(mediaType)
        {
            Config =
                ManifestJson.Optional(root, "config", ref descriptors)
                ?? throw new InvalidContentException("an image manifest needs the member config"),
            Layers = ManifestJson.List(root, "layers", ref descriptors),
            Subject = ManifestJson.Optional(root, "subject", ref descriptors),
            ArtifactType = ManifestJson.Text(root, "artifactType"),
            Annotations = ManifestJson.Texts(root, "annotations"),
        };
    }
}
