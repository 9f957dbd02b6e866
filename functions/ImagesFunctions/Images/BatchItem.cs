using ImagesFunctions.Oci;

namespace ImagesFunctions.Images;

/// <summary>One item of a batch: an image by its digest, its tag, or both, as they were sent.</summary>
/// <param name="DigestText">The digest with its repository, well-formed or not, or null.</param>
/// <param name="TagText">The tag with its repository, well-formed or not, or null.</param>
internal sealed record BatchItem(string? DigestText = null, string? TagText = null)
{
    /// <summary>The name of a member that is malformed, or null.</summary>
    public string? MalformedMember =>
        DigestText is not null && Parse("digest", DigestText) is null ? "digest"
        : TagText is not null && Parse("tag", TagText) is null ? "tag"
        : null;

    /// <summary>Its name in answers.</summary>
    public string Name => DigestText ?? TagText!;

    /// <summary>The item with one more member; null when it has that already.</summary>
    public BatchItem? With(string name, string value) =>
        (name == "digest" ? DigestText : TagText) is not null ? null
        : name == "digest" ? this with { DigestText = value }
        : this with { TagText = value };

    /// <summary>The filter of the item, combined with the filter of the batch. The item must not be malformed.</summary>
    public ListFilter Filter(ListFilter all) =>
        all with
        {
            Digest = DigestText is null ? null : Parse("digest", DigestText),
            Tag = TagText is null ? null : Parse("tag", TagText),
        };

    /// <summary>The reference, or null when it is malformed or of the other kind.</summary>
    public static Reference? Parse(string name, string value) =>
        Reference.TryParse(value, out var reference) && (name == "digest") == (reference.Digest is not null)
            ? reference
            : null;

    /// <summary>The correct form of a member, as the end of a sentence.</summary>
    public static string Malformed(string name) =>
        name == "digest"
            ? "is malformed: use <user>/<app>@sha256:<hex>, or <app>@sha256:<hex> for an official image."
            : "is malformed: use <user>/<app>:<tag>, or <app>:<tag> for an official image.";
}
