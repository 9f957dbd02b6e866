using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace ImagesFunctions.Oci;

/// <summary>Content that breaks a rule of its specification. The message says which, in words for whoever made it.</summary>
public sealed class InvalidContentException(string message) : Exception(message);

/// <summary>
/// An image manifest or an index, of OCI or of Docker's version 2 schema 2, as far as a registry has to read it
/// (OCI image spec, manifest.md and image-index.md). The exact bytes stay in storage; nothing is written back from here.
/// </summary>
public sealed record Manifest
{
    /// <summary>The longest manifest, in bytes (OCI distribution spec, "Pushing Manifests": at least 4 MiB).</summary>
    public const int LongestContent = 4 * 1024 * 1024;

    /// <summary>The most descriptors one manifest or index may hold.</summary>
    public const int MostDescriptors = 10_000;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    private Manifest(string mediaType) => MediaType = mediaType;

    /// <summary>What the content is: one of the four types of <see cref="MediaTypes.IsManifest"/>.</summary>
    public string MediaType { get; }

    /// <summary>Whether this is an index, and not an image manifest.</summary>
    public bool IsIndex => MediaTypes.IsIndex(MediaType);

    /// <summary>The config; null in an index.</summary>
    public Descriptor? Config { get; private init; }

    /// <summary>The layers, in their order; empty in an index.</summary>
    public IReadOnlyList<Descriptor> Layers { get; private init; } = [];

    /// <summary>What an index names, in its order; empty in an image manifest.</summary>
    public IReadOnlyList<Descriptor> Manifests { get; private init; } = [];

    /// <summary>The manifest that this one refers to, which need not exist; or null.</summary>
    public Descriptor? Subject { get; private init; }

    /// <summary>The artifact type that it declares, or null.</summary>
    public string? ArtifactType { get; private init; }

    /// <summary>
    /// The artifact type that it is known by as a referrer: an image manifest that declares none goes by the media type of
    /// its config (OCI distribution spec, "Listing Referrers").
    /// </summary>
    public string? ReferrerType => ArtifactType ?? Config?.MediaType;

    /// <summary>The annotations of the manifest itself; empty when it has none.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; private init; } =
        new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>
    /// Whether a list may show this, as far as it says itself. Of an index, what it names has to be an image; of a config whose
    /// type does not tell (<see cref="MediaTypes.MayBeImageConfig"/>), the content decides.
    /// </summary>
    public bool IsImage => NotImage is null;

    /// <summary>Why this is not an image, in words that end a sentence; null when it is one by what it says itself.</summary>
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
    /// The content that has to be in the repository as blobs before this manifest counts, each digest once, and none
    /// that is needed as a manifest.
    /// </summary>
    public IEnumerable<Descriptor> NeededBlobs =>
        (IsIndex ? Manifests.Where(m => !m.IsManifest) : Layers.Prepend(Config!))
            .Where(d => !d.MayBeAbsent)
            .DistinctBy(d => d.Digest)
            .ExceptBy(NeededManifests.Select(m => m.Digest), d => d.Digest);

    /// <summary>The manifests that have to be committed before this index counts, each digest once.</summary>
    public IEnumerable<Descriptor> NeededManifests =>
        Manifests.Where(m => m.IsManifest && !m.MayBeAbsent).DistinctBy(m => m.Digest);

    /// <summary>Reads a manifest.</summary>
    /// <param name="content">The exact bytes, at most <see cref="LongestContent"/>.</param>
    /// <param name="declaredType">
    /// The media type that a descriptor or a header gives it, or null. It has to agree with the body's own
    /// <c>mediaType</c>; where both are absent, the shape decides.
    /// </param>
    /// <exception cref="InvalidContentException">The content is no manifest.</exception>
    public static Manifest Parse(ReadOnlyMemory<byte> content, string? declaredType)
    {
        return Read(content, root => Parse(root, declaredType));
    }

    private static Manifest Parse(JsonElement root, string? declaredType)
    {
        var bodyType = Text(root, "mediaType");
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

    /// <summary>Reads JSON strictly: one object, at most 64 levels deep, no member twice, text that is Unicode.</summary>
    /// <param name="content">The bytes.</param>
    /// <param name="read">Takes from the root what is wanted of it.</param>
    /// <exception cref="InvalidContentException">It is not that.</exception>
    internal static T Read<T>(ReadOnlyMemory<byte> content, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(content, Strict);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? read(document.RootElement)
                : throw new InvalidContentException("not a JSON object");
        }
        catch (JsonException error)
        {
            throw new InvalidContentException(Describe(error));
        }
        catch (InvalidOperationException)
        {
            // Bytes that are no UTF-8, or half of an escaped surrogate pair, show only when a text is read.
            throw new InvalidContentException("not valid JSON: a text is not valid Unicode");
        }
    }

    /// <summary>Where JSON is not what it has to be, in words for whoever made it.</summary>
    internal static string Describe(JsonException error) =>
        // The reader says what it expected in terms of itself. Only a member that stands twice has no position, but a name.
        error.LineNumber
            is { } line
            ? $"not valid JSON, or nested too deep, at line {line + 1}, byte {error.BytePositionInLine + 1}"
            : $"not valid JSON: {error.Message.Split(" LineNumber:", 2)[0].TrimEnd('.')}";

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
            Manifests = List(root, "manifests", ref descriptors),
            Subject = Optional(root, "subject", ref descriptors),
            ArtifactType = Text(root, "artifactType"),
            Annotations = Texts(root, "annotations"),
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
                Optional(root, "config", ref descriptors)
                ?? throw new InvalidContentException("an image manifest needs the member config"),
            Layers = List(root, "layers", ref descriptors),
            Subject = Optional(root, "subject", ref descriptors),
            ArtifactType = Text(root, "artifactType"),
            Annotations = Texts(root, "annotations"),
        };
    }

    private static List<Descriptor> List(JsonElement parent, string name, ref int descriptors)
    {
        var list = new List<Descriptor>();
        if (!parent.TryGetProperty(name, out var array) || array.ValueKind == JsonValueKind.Null)
        {
            return list;
        }

        if (array.ValueKind != JsonValueKind.Array)
        {
            throw new InvalidContentException($"{name} is not an array");
        }

        foreach (var element in array.EnumerateArray())
        {
            list.Add(ReadDescriptor(element, $"{name}[{list.Count}]", ref descriptors));
        }

        return list;
    }

    private static Descriptor? Optional(JsonElement parent, string name, ref int descriptors) =>
        parent.TryGetProperty(name, out var element) && element.ValueKind != JsonValueKind.Null
            ? ReadDescriptor(element, name, ref descriptors)
            : null;

    private static Descriptor ReadDescriptor(JsonElement element, string where, ref int descriptors)
    {
        if (++descriptors > MostDescriptors)
        {
            throw new InvalidContentException($"more than {MostDescriptors} descriptors");
        }

        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidContentException($"{where} is not an object");
        }

        if (!Digest.TryParse(Text(element, "digest"), out var digest))
        {
            throw new InvalidContentException($"{where}.digest is not a digest");
        }

        if (!digest.IsSupported)
        {
            throw new InvalidContentException(
                $"{where}.digest: the algorithm {digest.Algorithm} is not supported: use sha256 or sha512"
            );
        }

        if (
            !element.TryGetProperty("size", out var size)
            || size.ValueKind != JsonValueKind.Number
            || !size.TryGetInt64(out var bytes)
            || bytes < 0
        )
        {
            throw new InvalidContentException($"{where}.size is not a number of bytes");
        }

        var platform =
            element.TryGetProperty("platform", out var p) && p.ValueKind == JsonValueKind.Object
                ? new Platform(Text(p, "os"), Text(p, "architecture"))
                : null;
        var hasUrls =
            element.TryGetProperty("urls", out var urls)
            && urls.ValueKind == JsonValueKind.Array
            && urls.GetArrayLength() > 0;
        return new Descriptor(
            Text(element, "mediaType") ?? "",
            digest,
            bytes,
            Texts(element, "annotations"),
            platform,
            hasUrls
        );
    }

    /// <summary>A text member, or null when it is absent or null.</summary>
    /// <exception cref="InvalidContentException">It is something else.</exception>
    internal static string? Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) ? TextOf(value, name) : null;

    /// <summary>A member that maps names to texts; empty when it is absent or null.</summary>
    /// <exception cref="InvalidContentException">It is something else.</exception>
    internal static IReadOnlyDictionary<string, string> Texts(JsonElement parent, string name)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!parent.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return texts;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidContentException($"{name} is not an object");
        }

        foreach (var member in value.EnumerateObject())
        {
            // Not looked up by its name again: 4 MiB of members would take minutes.
            texts[member.Name] = TextOf(member.Value, member.Name) ?? "";
        }

        return texts;
    }

    private static string? TextOf(JsonElement value, string name) =>
        value.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String => value.GetString(),
            _ => throw new InvalidContentException($"{name} is not a string"),
        };
}
