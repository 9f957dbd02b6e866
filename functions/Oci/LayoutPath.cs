using System.Diagnostics.CodeAnalysis;

namespace ImagesFunctions.Oci;

/// <summary>
/// A path inside the blob container, read as a file of an OCI image layout (image-layout.md of the OCI image spec):
/// <c>namespace/app/blobs/algorithm/encoded</c>, <c>namespace/app/index.json</c> or <c>namespace/app/oci-layout</c>.
/// </summary>
public sealed record LayoutPath
{
    private LayoutPath(Repository repository, Digest? digest, bool isIndex)
    {
        Repository = repository;
        Digest = digest;
        IsIndex = isIndex;
    }

    /// <summary>The repository that the file belongs to.</summary>
    public Repository Repository { get; }

    /// <summary>The digest that a blob is named by; null for <c>index.json</c> and <c>oci-layout</c>.</summary>
    public Digest? Digest { get; }

    /// <summary>Whether the file is the layout's <c>index.json</c>.</summary>
    public bool IsIndex { get; }

    /// <summary>The path of a blob of a repository.</summary>
    public static string Of(Repository repository, Digest digest) =>
        $"{repository}/blobs/{digest.Algorithm}/{digest.Encoded}";

    /// <summary>The path of a repository's <c>index.json</c>.</summary>
    public static string IndexOf(Repository repository) => $"{repository}/index.json";

    /// <summary>
    /// The namespace whose rows tell about this path, or null when its first part is no namespace: then nobody's do.
    /// </summary>
    public static string? NamespaceOf(string path)
    {
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && Repository.IsNamespace(path[..slash]) ? path[..slash] : null;
    }

    /// <summary>
    /// Reads a path from its end, because <c>blobs</c> and <c>index.json</c> are legal parts of a repository's name.
    /// When false, <paramref name="refusal"/> says in one sentence what is wrong.
    /// </summary>
    public static bool TryParse(
        string path,
        [NotNullWhen(true)] out LayoutPath? layoutPath,
        [NotNullWhen(false)] out string? refusal
    )
    {
        layoutPath = null;
        refusal = null;
        var parts = path.Split('/');
        Digest? digest = null;
        int nameParts;
        if (parts is [.., "index.json"] or [.., "oci-layout"])
        {
            nameParts = parts.Length - 1;
        }
        else if (parts is [.., "blobs", var algorithm, var encoded])
        {
            nameParts = parts.Length - 3;
            if (!Oci.Digest.TryParse(algorithm, encoded, out digest))
            {
                refusal = $"'{algorithm}:{encoded}' is not a digest";
                return false;
            }
        }
        else
        {
            refusal =
                "not a file of an OCI image layout: expected <namespace>/<app>/blobs/<algorithm>/<encoded>, .../index.json or .../oci-layout";
            return false;
        }

        var name = string.Join('/', parts[..nameParts]);
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

        layoutPath = new LayoutPath(repository, digest, digest is null && parts[^1] == "index.json");
        return true;
    }
}
