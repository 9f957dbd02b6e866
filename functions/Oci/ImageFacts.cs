namespace ImagesFunctions.Oci;

/// <summary>What a list tells about an image beyond its digest, tags and size. Made once, when the image is committed.</summary>
public sealed record ImageFacts
{
    /// <summary>The facts of something that is no image: all empty.</summary>
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

    /// <summary>When the image was made, as its config says (RFC 3339), or null.</summary>
    public string? Created { get; init; }

    /// <summary>The facts of an image manifest.</summary>
    /// <param name="manifest">An image manifest, no index.</param>
    /// <param name="config">Its config.</param>
    /// <param name="layerFacts">What was seen in its layers while they were verified, in the manifest's order; null for a layer with nothing seen.</param>
    public static ImageFacts Of(Manifest manifest, ImageConfig config, IReadOnlyList<TarFacts?> layerFacts) =>
        new()
        {
            Args = config.Args,
            Env = config.Env,
            Labels = config.Labels,
            Created = config.Created,
            Initrd =
                manifest.Layers.Any(l =>
                    l.Annotations.ContainsKey(Descriptor.InitrdAnnotation) || MediaTypes.IsInitrd(l.MediaType)
                ) || layerFacts.Any(f => f?.OnlyFile == TarFacts.Initrd),
            Rom = manifest.Layers.Any(l => MediaTypes.IsRom(l.MediaType)),
            // A later layer's file covers an earlier one's.
            KernelArgs = layerFacts.LastOrDefault(f => f?.CommandLine is not null)?.CommandLine ?? "",
        };
}
