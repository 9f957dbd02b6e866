namespace ImagesFunctions.Oci;

/// <summary>What lists show of an image beyond digest, tags and size. Made once, when the image is committed.</summary>
public sealed record ImageFacts
{
    /// <summary>Empty facts: of what is not an image.</summary>
    public static ImageFacts None { get; } = new();

    /// <summary>Entrypoint followed by Cmd.</summary>
    public IReadOnlyList<string> Args { get; init; } = [];

    /// <summary>The environment, each <c>NAME=value</c>.</summary>
    public IReadOnlyList<string> Env { get; init; } = [];

    /// <summary>The config's labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } =
        new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Whether the image has an initial ram disk.</summary>
    public bool Initrd { get; init; }

    /// <summary>Whether the image has a ROM.</summary>
    public bool Rom { get; init; }

    /// <summary>The kernel's command line: the text of <c>/unikraft/cmdline.txt</c>, or "".</summary>
    public string KernelArgs { get; init; } = "";

    /// <summary>When the image was created, as its config says (RFC 3339), or null.</summary>
    public string? Created { get; init; }

    /// <summary>The layers with a role in a unikernel image, in the manifest's order; empty for an ordinary container image.</summary>
    public IReadOnlyList<ImageComponent> Components { get; init; } = [];

    /// <summary>The platforms of an index, in its order; empty for a manifest.</summary>
    public IReadOnlyList<ImagePlatform> Platforms { get; init; } = [];

    /// <summary>The facts of an image manifest.</summary>
    /// <param name="manifest">An image manifest, not an index.</param>
    /// <param name="config">Its config.</param>
    /// <param name="stored">Its stored layers, in the manifest's order; null for a layer that is not stored here.</param>
    public static ImageFacts Of(Manifest manifest, ImageConfig config, IReadOnlyList<StoredLayer?> stored)
    {
        var layers = manifest.Layers.Zip(stored, (layer, known) => (Layer: layer, Known: known)).ToList();
        return new ImageFacts
        {
            Args = config.Args,
            Env = config.Env,
            Labels = config.Labels,
            Created = config.Created,
            Initrd = layers.Exists(l => ImageComponent.IsInitrd(l.Layer, l.Known?.Tar)),
            Rom = manifest.Layers.Any(l => MediaTypes.IsRom(l.MediaType)),
            // A later layer's file covers an earlier one's.
            KernelArgs = layers.FindLast(l => l.Known?.Tar?.CommandLine is not null).Known?.Tar?.CommandLine ?? "",
            Components = [.. layers.Select(l => ComponentOf(l.Layer, l.Known)).OfType<ImageComponent>()],
        };
    }

    private static ImageComponent? ComponentOf(Descriptor layer, StoredLayer? known) =>
        ImageComponent.RoleOf(layer, known?.Tar) is { } role
            ? new ImageComponent(
                role,
                layer.Digest.ToString(),
                layer.MediaType,
                known?.Size ?? layer.Size,
                layer.Annotations
            )
            : null;
}
