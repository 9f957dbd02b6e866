using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Listing;

/// <summary>A note about a stored manifest: why no list shows it, or which facts are missing.</summary>
/// <param name="Kind"><c>not_image</c>: it is in the registry, and no list shows it. <c>left_out</c>: it is listed, without what could not be read. <c>deleted</c>: it was deleted, and index.json still names it.</param>
/// <param name="Repository">Its repository, with the namespace.</param>
/// <param name="Manifest">Its digest.</param>
/// <param name="Reason">Why, as the end of a sentence.</param>
/// <param name="Tags">Its tags in ordinal order.</param>
public sealed record ImageNote(
    string Kind,
    string Repository,
    string Manifest,
    string Reason,
    IReadOnlyList<string> Tags
)
{
    /// <summary>The kind of something that is not an image.</summary>
    public const string NotImage = "not_image";

    /// <summary>The kind of an image whose config could not be read as a whole.</summary>
    public const string LeftOut = "left_out";

    /// <summary>The kind of a manifest that was deleted, and that an <c>index.json</c> still names.</summary>
    public const string Deleted = "deleted";

    /// <summary>The notes about the manifests of a namespace; about what is not an image only where it has a tag.</summary>
    internal static IReadOnlyList<ImageNote> Of(string @namespace, NamespaceRows rows)
    {
        var tags = rows.Tags.Values.ToLookup(t => (t.App, t.Digest, t.Generation), t => t.Tag);
        var notes = new List<ImageNote>();
        foreach (var row in rows.Images.Values.Where(r => r.State == ImageState.Complete))
        {
            var own = tags[(row.App, row.Digest, row.Generation)].Order(StringComparer.Ordinal).ToList();
            var repository = $"{@namespace}/{row.App}";
            if (!row.IsImage && own.Count > 0)
            {
                notes.Add(new ImageNote(NotImage, repository, row.Digest.ToString(), WhyNot(row), own));
            }
            else if (row is { IsImage: true, LeftOut: { } reason })
            {
                notes.Add(new ImageNote(LeftOut, repository, row.Digest.ToString(), reason, own));
            }
        }

        return notes;
    }

    /// <summary>Why a manifest is not an image, as the end of a sentence.</summary>
    internal static string WhyNot(ImageRow row) =>
        row.NotImage
        // A row of an earlier version.
        ?? (
            row.Subject is { } subject
                ? $"it refers to {subject}, as signatures do"
                : "its config is not an image's, or it is an index of artifacts"
        );
}
