using System.Diagnostics.CodeAnalysis;

namespace ImagesFunctions.Oci;

/// <summary>
/// A file of an OCI image layout in the blob container (OCI image spec, image-layout.md): a <see cref="BlobPath"/>, an
/// <see cref="IndexPath"/> or a <see cref="MarkerPath"/>.
/// </summary>
/// <param name="Repository">The repository whose layout the file belongs to.</param>
public abstract record LayoutPath(Repository Repository)
{
    /// <summary>The path inside the layout.</summary>
    protected abstract string File { get; }

    /// <summary>The path inside the container.</summary>
    public sealed override string ToString() => $"{Repository}/{File}";

    /// <summary>The namespace whose rows tell about this path; null when its first part is no namespace.</summary>
    public static string? NamespaceOf(string path)
    {
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && Repository.IsNamespace(path[..slash]) ? path[..slash] : null;
    }

    /// <summary>
    /// Reads a path inside the container, from its end, because <c>blobs</c> and <c>index.json</c> are legal parts of a
    /// repository's name. When false, <paramref name="refusal"/> says in one sentence what is wrong.
    /// </summary>
    public static bool TryParse(
        string path,
        [NotNullWhen(true)] out LayoutPath? layoutPath,
        [NotNullWhen(false)] out string? refusal
    )
    {
        layoutPath = null;
        var parts = path.Split('/');
        Digest? digest = null;
        refusal = parts switch
        {
            [.., IndexPath.Name] or [.., MarkerPath.Name] => null,
            [.., BlobPath.Folder, var algorithm, var encoded] => RefusalOf(algorithm, encoded, out digest),
            _ =>
                "not a file of an OCI image layout: expected <namespace>/<app>/blobs/<algorithm>/<encoded>, .../index.json or .../oci-layout",
        };
        if (refusal is not null)
        {
            return false;
        }

        var name = string.Join('/', parts[..^(digest is null ? 1 : 3)]);
        if (!Repository.TryParse(name, out var repository))
        {
            refusal =
                name.Length > Repository.MaxName
                    ? $"the repository name is longer than {Repository.MaxName} characters"
                    : $"'{name}' is not a repository name (<namespace>/<app>; official/<app> has exactly two parts)";
            return false;
        }

        if (digest is { IsSupported: false })
        {
            refusal = $"the digest algorithm {digest.Algorithm} is not supported: use sha256 or sha512";
            return false;
        }

        layoutPath =
            digest is not null ? new BlobPath(repository, digest)
            : parts[^1] == IndexPath.Name ? new IndexPath(repository)
            : new MarkerPath(repository);
        return true;
    }

    private static string? RefusalOf(string algorithm, string encoded, out Digest? digest) =>
        Digest.TryParse(algorithm, encoded, out digest) ? null : $"'{algorithm}:{encoded}' is not a digest";
}

/// <summary>The blob of a digest: <c>namespace/app/blobs/algorithm/encoded</c>.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Digest">The digest that names the blob.</param>
public sealed record BlobPath(Repository Repository, Digest Digest) : LayoutPath(Repository)
{
    internal const string Folder = "blobs";

    /// <inheritdoc/>
    protected override string File => $"{Folder}/{Digest.Algorithm}/{Digest.Encoded}";
}

/// <summary>The index of a layout: <c>namespace/app/index.json</c>.</summary>
/// <param name="Repository">The repository.</param>
public sealed record IndexPath(Repository Repository) : LayoutPath(Repository)
{
    internal const string Name = "index.json";

    /// <inheritdoc/>
    protected override string File => Name;
}

/// <summary>The file that marks a folder as a layout and says its version: <c>namespace/app/oci-layout</c>.</summary>
/// <param name="Repository">The repository.</param>
public sealed record MarkerPath(Repository Repository) : LayoutPath(Repository)
{
    internal const string Name = "oci-layout";

    /// <inheritdoc/>
    protected override string File => Name;
}
