using System.Diagnostics.CodeAnalysis;

namespace ImagesFunctions.Oci;

/// <summary>A repository and the tag or the digest of one of its images, as <c>repository:tag</c> or <c>repository@digest</c>.</summary>
public sealed record Reference
{
    private Reference(Repository repository, string? tag, Digest? digest)
    {
        Repository = repository;
        Tag = tag;
        Digest = digest;
    }

    /// <summary>The repository.</summary>
    public Repository Repository { get; }

    /// <summary>The tag, or null when the reference is by digest.</summary>
    public string? Tag { get; }

    /// <summary>The digest, or null when the reference is by tag.</summary>
    public Digest? Digest { get; }

    /// <summary>
    /// Parses a reference in the form of the Images API; a repository of one path part is an official one.
    /// False when it is malformed or has neither a tag nor a digest.
    /// </summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Reference? reference)
    {
        reference = null;
        var split = text?.IndexOfAny(['@', ':']) ?? -1;
        if (split < 0 || !Repository.TryParseDisplayName(text![..split], out var repository))
        {
            return false;
        }

        var rest = text[(split + 1)..];
        if (text[split] == ':')
        {
            reference = IsTag(rest) ? new Reference(repository, rest, null) : null;
        }
        else if (Oci.Digest.TryParse(rest, out var digest))
        {
            reference = new Reference(repository, null, digest);
        }

        return reference is not null;
    }

    /// <summary>
    /// The tag in an annotation <c>org.opencontainers.image.ref.name</c>: skopeo and podman write a whole reference there, such as
    /// <c>docker.io/library/alpine:3.20</c>. The text itself where it is not a reference with a tag.
    /// </summary>
    public static string TagOf(string name)
    {
        var last = name.Split('@', 2)[0].Split('/')[^1];
        var colon = last.LastIndexOf(':');
        return colon < 0 ? name : last[(colon + 1)..];
    }

    /// <summary>Whether this is a tag: up to 128 letters, digits, <c>_</c>, <c>.</c> and <c>-</c>, the first no <c>.</c> or <c>-</c> (OCI distribution spec).</summary>
    public static bool IsTag([NotNullWhen(true)] string? text) =>
        text is { Length: > 0 and <= 128 }
        && text[0] is not ('.' or '-')
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');
}
