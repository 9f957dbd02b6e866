using System.Diagnostics.CodeAnalysis;

namespace ImagesFunctions.Oci;

/// <summary>
/// A pattern of apps: path parts with slashes between them, such as <c>web</c>, <c>web/*</c> or <c>team/**</c>. It has to match the whole
/// name. <c>*</c> stands for any characters inside one part; a part <c>**</c> stands for any number of whole parts, also for none:
/// <c>web/**</c> is <c>web</c> and all that is below it.
/// </summary>
public sealed class RepositoryPattern : IEquatable<RepositoryPattern>
{
    private const string AnyParts = "**";

    private readonly string[] _parts;

    private RepositoryPattern(string text)
    {
        Text = text;
        _parts = text.Split('/');
    }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>Parses a pattern. False for what could match no name: other characters, an empty part, more than 255 characters.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out RepositoryPattern? pattern)
    {
        pattern = null;
        if (text is not { Length: > 0 and <= Repository.MaxName } || !text.Split('/').All(IsPart))
        {
            return false;
        }

        pattern = new RepositoryPattern(text);
        return true;
    }

    /// <summary>Whether it matches an app: the name of a repository without its namespace.</summary>
    public bool Matches(string app)
    {
        var names = app.Split('/');
        // The last `**` takes one part more whenever what follows it does not match: an earlier one need never take more.
        var (at, name, star, starName) = (0, 0, -1, 0);
        while (name < names.Length)
        {
            if (at < _parts.Length && _parts[at] == AnyParts)
            {
                (star, starName) = (at++, name);
            }
            else if (at < _parts.Length && Wildcard.Matches(_parts[at], names[name]))
            {
                (at, name) = (at + 1, name + 1);
            }
            else if (star >= 0)
            {
                (at, name) = (star + 1, ++starName);
            }
            else
            {
                return false;
            }
        }

        return _parts.Skip(at).All(p => p == AnyParts);
    }

    /// <inheritdoc/>
    public bool Equals(RepositoryPattern? other) => other?.Text == Text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as RepositoryPattern);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Text);

    /// <inheritdoc/>
    public override string ToString() => Text;

    // `**` is a part of its own: inside another one it would look as if it crossed slashes.
    private static bool IsPart(string part) =>
        part == AnyParts
        || (
            part.Length > 0
            && !part.Contains(AnyParts, StringComparison.Ordinal)
            && part.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-' or '*')
        );
}
