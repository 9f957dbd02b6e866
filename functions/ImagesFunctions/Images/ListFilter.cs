using ImagesFunctions.Oci;

namespace ImagesFunctions.Images;

/// <summary>A filter of images. All conditions that are given have to hold.</summary>
internal sealed record ListFilter
{
    /// <summary>The namespace, or null for all that the caller may see.</summary>
    public string? Namespace { get; init; }

    /// <summary>The app inside the namespace, or null for all of them.</summary>
    public string? App { get; init; }

    /// <summary>Only images that have a tag.</summary>
    public bool Tagged { get; init; }

    /// <summary>An image by its repository and digest, or null.</summary>
    public Reference? Digest { get; init; }

    /// <summary>An image by its repository and tag, or null.</summary>
    public Reference? Tag { get; init; }

    /// <summary>Whether at most one image matches.</summary>
    public bool IsForOne => Digest is not null || Tag is not null;

    /// <summary>
    /// False when nothing of a namespace can match; else the one app of it that can match, or null for all.
    /// </summary>
    public bool TryScope(string @namespace, out string? app)
    {
        app = null;
        foreach (
            var (wantedNamespace, wantedApp) in (ReadOnlySpan<(string?, string?)>)
                [
                    (Namespace, App),
                    (Digest?.Repository.Namespace, Digest?.Repository.App),
                    (Tag?.Repository.Namespace, Tag?.Repository.App),
                ]
        )
        {
            if (
                (wantedNamespace ?? @namespace) != @namespace
                || (app is not null && wantedApp is not null && app != wantedApp)
            )
            {
                return false;
            }

            app ??= wantedApp;
        }

        return true;
    }
}
