using System.Text.Json.Serialization;

namespace ImagesFunctions.Oci;

/// <summary>The role of a layer in a unikernel image.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ComponentRole>))]
public enum ComponentRole
{
    /// <summary>The kernel.</summary>
    Kernel,

    /// <summary>The kernel with its symbols, for debuggers.</summary>
    KernelDebug,

    /// <summary>The initial ram disk.</summary>
    Initrd,

    /// <summary>Raw bytes that the machine maps; not a tar.</summary>
    Rom,
}

/// <summary>A layer with a role in a unikernel image.</summary>
/// <param name="Role">The role.</param>
/// <param name="Digest">The layer's digest.</param>
/// <param name="MediaType">The media type that the manifest declares.</param>
/// <param name="Size">The length of the layer as it is stored, in bytes; as declared where it is not stored here.</param>
/// <param name="Annotations">The annotations of the layer's descriptor; empty when it has none.</param>
public sealed record ImageComponent(
    ComponentRole Role,
    string Digest,
    string MediaType,
    long Size,
    IReadOnlyDictionary<string, string> Annotations
)
{
    /// <summary>The role of a layer; null for any other layer, such as a file system.</summary>
    /// <param name="layer">Its descriptor.</param>
    /// <param name="tar">What was found in it, or null.</param>
    public static ComponentRole? RoleOf(Descriptor layer, TarFacts? tar) =>
        layer.Annotations.ContainsKey(Descriptor.KernelDebugAnnotation) ? ComponentRole.KernelDebug
        : MediaTypes.IsRom(layer.MediaType) ? ComponentRole.Rom
        : IsInitrd(layer, tar) ? ComponentRole.Initrd
        : IsKernel(layer, tar) ? ComponentRole.Kernel
        : null;

    /// <summary>Whether a layer is an initial ram disk: by annotation, media type, or its only file.</summary>
    /// <param name="layer">Its descriptor.</param>
    /// <param name="tar">What was found in it, or null.</param>
    public static bool IsInitrd(Descriptor layer, TarFacts? tar) =>
        layer.Annotations.ContainsKey(Descriptor.InitrdAnnotation)
        || MediaTypes.IsInitrd(layer.MediaType)
        || tar?.OnlyFile == TarFacts.Initrd;

    private static bool IsKernel(Descriptor layer, TarFacts? tar) =>
        layer.Annotations.ContainsKey(Descriptor.KernelAnnotation)
        || MediaTypes.IsKernel(layer.MediaType)
        || tar?.OnlyFile == TarFacts.Kernel;
}

/// <summary>A platform that an index has an image for.</summary>
/// <param name="Os">As in the index, or null.</param>
/// <param name="Architecture">As in the index, or null.</param>
/// <param name="Digest">The digest of the platform's manifest.</param>
public sealed record ImagePlatform(string? Os, string? Architecture, string Digest);

/// <summary>A stored layer.</summary>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Tar">What was found in it while it was verified, or null.</param>
public sealed record StoredLayer(long Size, TarFacts? Tar);
