using System.Diagnostics.CodeAnalysis;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Policy;

/// <summary>A pattern of tags: <c>*</c> stands for any characters, also for none. It has to match the whole tag.</summary>
public sealed record TagPattern
{
    // As long as a tag may be (OCI distribution spec, "Pulling manifests").
    private const int MaxLength = 128;

    private TagPattern(string text) => Text = text;

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>Parses a pattern. False for what could match no tag.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out TagPattern? pattern)
    {
        pattern =
            text is { Length: > 0 and <= MaxLength }
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-' or '*')
                ? new TagPattern(text)
                : null;
        return pattern is not null;
    }

    /// <summary>Whether it matches a tag.</summary>
    public bool Matches(string tag) => Wildcard.Matches(Text, tag);

    /// <inheritdoc/>
    public override string ToString() => Text;
}
