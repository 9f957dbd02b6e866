using ImagesFunctions.Policy;

namespace ImagesFunctions.Pages;

/// <summary>Who did something.</summary>
/// <param name="Name">The id of a token, or the subject of an identity.</param>
/// <param name="Issuer">The issuer of the identity; "" for a token of the account.</param>
/// <param name="Path">Where it stands among the tokens; "" for who may not see them, and for an identity.</param>
public sealed record AuthorLine(string Name, string Issuer, string Path)
{
    /// <summary>Who did something in a namespace, as far as the viewer is told: only its own account's are.</summary>
    /// <param name="viewer">Who looks.</param>
    /// <param name="namespace">The namespace.</param>
    /// <param name="by">Who did it; null where nobody is known.</param>
    /// <returns>Null where nobody is known, or the viewer is not told.</returns>
    internal static AuthorLine? Of(Viewer viewer, string @namespace, Author? by) =>
        by is null || !viewer.Access.Owns(@namespace) ? null
        : by.Token is { } token
            ? new AuthorLine(token, "", viewer.HasAllRights ? $"{TokenForms.Path}#{ElementOf(token)}" : "")
        : new AuthorLine(by.Subject is { Length: > 0 } subject ? subject : "somebody", by.Issuer!, "");

    /// <summary>The id of the line of a token on the page of tokens.</summary>
    internal static string ElementOf(string token) => $"token-{token}";
}
