namespace ImagesFunctions.Pages;

/// <summary>A part of an image, as a piece of a bar.</summary>
/// <param name="Label">What it is.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Style">The number of its colour.</param>
public sealed record SizePart(string Label, long Bytes, int Style);

/// <summary>A layer of an image.</summary>
/// <param name="Digest">Its digest.</param>
/// <param name="MediaType">Its media type.</param>
/// <param name="Size">Its size in bytes, as the manifest says.</param>
/// <param name="Role">What it is for; "" for a file system.</param>
/// <param name="CreatedBy">The command that made it; "" where that is not known.</param>
public sealed record LayerLine(string Digest, string MediaType, long Size, string Role, string CreatedBy);

/// <summary>A manifest that an index names.</summary>
/// <param name="Platform">Its platform, or what else it is.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="Path">Its page.</param>
public sealed record PlatformLine(string Platform, string Digest, string Path);

/// <summary>A manifest that refers to the image.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Type">Its artifact type; "" where it has none.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="Path">Its page.</param>
public sealed record ReferrerLine(string Kind, string Type, string Digest, string Path);

/// <summary>What a manifest and its config say.</summary>
public sealed record ImageContent
{
    /// <summary>What nothing is known of.</summary>
    public static ImageContent None { get; } = new();

    /// <summary>The layers, in their order.</summary>
    public IReadOnlyList<LayerLine> Layers { get; init; } = [];

    /// <summary>What an index names.</summary>
    public IReadOnlyList<PlatformLine> Platforms { get; init; } = [];

    /// <summary>The platform of the image; "" where it is not known.</summary>
    public string Platform { get; init; } = "";

    /// <summary>The manifest as text; "" where it cannot be had now.</summary>
    public string Manifest { get; init; } = "";

    /// <summary>The config as text; "" where there is none.</summary>
    public string Config { get; init; } = "";
}

/// <summary>The page of an image, or of another manifest.</summary>
public sealed record ImageView
{
    /// <summary>The repository.</summary>
    public required NamedPath Repository { get; init; }

    /// <summary>The tag or short digest by which it was asked for.</summary>
    public required string Name { get; init; }

    /// <summary>What it is: an image, an index of images, or why it is none.</summary>
    public required string Kind { get; init; }

    /// <summary>The digest.</summary>
    public required string Digest { get; init; }

    /// <summary>The media type.</summary>
    public required string MediaType { get; init; }

    /// <summary>The size in bytes; 0 of what is not an image.</summary>
    public long Size { get; init; }

    /// <summary>When it came; null where that is not known.</summary>
    public DateTimeOffset? Pushed { get; init; }

    /// <summary>Who pushed it; null where nobody is known.</summary>
    public AuthorLine? PushedBy { get; init; }

    /// <summary>When the tag by which it was asked for was set; null where that is not known.</summary>
    public DateTimeOffset? Tagged { get; init; }

    /// <summary>Who set that tag; null where nobody is known.</summary>
    public AuthorLine? TaggedBy { get; init; }

    /// <summary>The day (UTC) on which it was pulled last; null where that is not known.</summary>
    public DateOnly? Pulled { get; init; }

    /// <summary>When it was made, as its config says; "" where it does not.</summary>
    public string Created { get; init; } = "";

    /// <summary>Whether a pin holds.</summary>
    public bool IsPinned { get; init; }

    /// <summary>Its tags, of very many the first ones.</summary>
    public IReadOnlyList<NamedPath> Tags { get; init; } = [];

    /// <summary>The manifest that it refers to; null where it refers to none.</summary>
    public NamedPath? Subject { get; init; }

    /// <summary>Lines to type.</summary>
    public IReadOnlyList<CommandLine> Commands { get; init; } = [];

    /// <summary>Kernel, initial RAM disk, ROMs and the rest.</summary>
    public IReadOnlyList<SizePart> Parts { get; init; } = [];

    /// <summary>Entrypoint followed by Cmd.</summary>
    public IReadOnlyList<string> Args { get; init; } = [];

    /// <summary>The kernel's command line.</summary>
    public string KernelArgs { get; init; } = "";

    /// <summary>The environment, each <c>NAME=value</c>.</summary>
    public IReadOnlyList<string> Env { get; init; } = [];

    /// <summary>The labels, by name.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Labels { get; init; } = [];

    /// <summary>What manifest and config say.</summary>
    public ImageContent Content { get; init; } = ImageContent.None;

    /// <summary>What refers to it, of very many the first ones.</summary>
    public IReadOnlyList<ReferrerLine> Referrers { get; init; } = [];

    /// <summary>The form that deletes it; "" for who may not.</summary>
    public string DeletePath { get; init; } = "";

    /// <summary>The form that deletes the tag by which it was asked for; "" where it was asked for by digest.</summary>
    public string DeleteTagPath { get; init; } = "";

    /// <summary>The time of the page.</summary>
    public DateTimeOffset Now { get; init; }
}
