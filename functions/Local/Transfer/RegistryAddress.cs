using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary>An image in a registry: where it is, its repository, and its tag or digest.</summary>
/// <param name="Registry">Scheme, host and port.</param>
/// <param name="Repository">The repository as the registry calls it.</param>
/// <param name="Reference">A tag or a digest.</param>
internal sealed record RegistryAddress(Uri Registry, string Repository, string Reference)
{
    private const string DockerHub = "docker.io";

    /// <summary>Whether the reference is a digest.</summary>
    public bool IsDigest => Reference.Contains(':', StringComparison.Ordinal);

    /// <summary>The path of a manifest.</summary>
    public string Manifest(string reference) => $"/v2/{Repository}/manifests/{reference}";

    /// <summary>The path of a blob.</summary>
    public string Blob(Digest digest) => $"/v2/{Repository}/blobs/{digest}";

    /// <summary>Parses <c>repository:tag</c> or <c>repository@digest</c> of a registry that is known; null where it is none.</summary>
    public static RegistryAddress? Parse(Uri registry, string? text)
    {
        var at = text?.IndexOf('@', StringComparison.Ordinal) ?? -1;
        var split = at >= 0 ? at : text?.LastIndexOf(':') ?? -1;
        if (split <= 0 || text!.LastIndexOf('/') > split)
        {
            return null;
        }

        var (repository, rest) = (text[..split], text[(split + 1)..]);
        var isReference = at >= 0 ? Digest.TryParse(rest, out _) : Oci.Reference.IsTag(rest);
        return isReference && Oci.Repository.TryParse($"a/{repository}", out _)
            ? new RegistryAddress(registry, repository, rest)
            : null;
    }

    /// <summary>
    /// Parses one with its registry: <c>http://127.0.0.1:7071/demo/web:v1</c>, or <c>host/repository:tag</c>, which is reached by https but on
    /// this machine. A name of Docker Hub may be short (<c>alpine:3.20</c>), as it is everywhere else.
    /// </summary>
    public static RegistryAddress? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        if (text.IndexOf("://", StringComparison.Ordinal) is var scheme and > 0)
        {
            var path = text.IndexOf('/', scheme + 3);
            return path > 0 && Uri.TryCreate(text[..path], UriKind.Absolute, out var registry)
                ? Parse(registry, text[(path + 1)..])
                : null;
        }

        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var host = slash < 0 ? "" : text[..slash];
        if (
            host.Length == 0
            || (
                !host.Contains('.', StringComparison.Ordinal)
                && !host.Contains(':', StringComparison.Ordinal)
                && host != "localhost"
            )
        )
        {
            (host, text) = (DockerHub, $"{DockerHub}/{(slash < 0 ? "library/" : "")}{text}");
        }

        var rest = text[(host.Length + 1)..];
        if (host == DockerHub)
        {
            host = "registry-1.docker.io";
            rest = rest.Contains('/', StringComparison.Ordinal) ? rest : $"library/{rest}";
        }

        return Uri.TryCreate($"https://{host}", UriKind.Absolute, out var address)
            ? Parse(address.IsLoopback ? new Uri($"http://{host}") : address, rest)
            : null;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Registry.Authority}/{Repository}{(IsDigest ? '@' : ':')}{Reference}";
}
