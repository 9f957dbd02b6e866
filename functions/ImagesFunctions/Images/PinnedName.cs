namespace ImagesFunctions.Images;

/// <summary>The <c>url</c> of an image to pin, which may be an image of any registry.</summary>
internal static class PinnedName
{
    /// <summary>The correct form, as the end of a sentence.</summary>
    public const string Malformed =
        "is malformed: use <user>/<app>:<tag> or <user>/<app>@sha256:<hex>, with or without this host before it.";

    private static readonly string[] s_schemes = ["https+oci://", "https://", "http://", "oci://"];

    /// <summary>The image's name without scheme and host; null when the host is not this one.</summary>
    /// <param name="url">The address as it was sent.</param>
    /// <param name="host">The host of this installation, with its port where it has one.</param>
    public static string? Of(string url, string host)
    {
        var scheme = Array.Find(s_schemes, s => url.StartsWith(s, StringComparison.OrdinalIgnoreCase));
        var name = url[(scheme?.Length ?? 0)..];
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : name[..slash];
        // As Docker tells a host from the first part of a repository.
        var hasHost =
            scheme is not null
            || first == "localhost"
            || first.Contains('.', StringComparison.Ordinal)
            || first.Contains(':', StringComparison.Ordinal);
        return !hasHost ? name
            : string.Equals(first, host, StringComparison.OrdinalIgnoreCase) ? name[(slash + 1)..]
            : null;
    }
}
