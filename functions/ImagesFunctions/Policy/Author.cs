using System.Collections.Concurrent;

namespace ImagesFunctions.Policy;

/// <summary>
/// Who has changed something: the holder of one of the account's tokens, or of a token of an issuer that the account trusts. Never a
/// secret.
/// </summary>
public sealed record Author
{
    private const char Separator = '\n';
    private const int MaxText = 1_024;

    // Rows of one author are many, and authors few.
    private const int MaxKnown = 1_024;
    private static readonly ConcurrentDictionary<string, Author> s_known = new(StringComparer.Ordinal);

    private Author(string text)
    {
        Text = text;
        var parts = text.Split(Separator, 2);
        Token = parts.Length == 1 ? text : null;
        Issuer = parts.Length == 1 ? null : parts[0];
        Subject = parts.Length == 1 ? null : parts[1];
    }

    /// <summary>The id of the token; null for one of an issuer.</summary>
    public string? Token { get; }

    /// <summary>The claim <c>iss</c>; null for a token of the account's own.</summary>
    public string? Issuer { get; }

    /// <summary>The claim <c>sub</c>, "" where there is none; null for a token of the account's own.</summary>
    public string? Subject { get; }

    /// <summary>As rows and the log have it: the token's id, or issuer and subject with a line break between them.</summary>
    public string Text { get; }

    /// <summary>The holder of a token of the account's own.</summary>
    /// <param name="id">The token's id, which is no secret.</param>
    public static Author OfToken(string id) => Of(Visible(id));

    /// <summary>The holder of a token of an issuer (OpenID Connect Core 1.0, section 2).</summary>
    /// <param name="issuer">The claim <c>iss</c>.</param>
    /// <param name="subject">The claim <c>sub</c>; null where there is none. Of a longer one 1,024 characters are kept.</param>
    public static Author OfIdentity(string issuer, string? subject) =>
        Of($"{Visible(issuer)}{Separator}{Visible(subject ?? "")}");

    /// <summary>Reads <see cref="Text"/>; null where a row has none, as those of drops and of earlier versions.</summary>
    public static Author? Parse(string? text) => text is null ? null : Of(text);

    /// <inheritdoc/>
    public override string ToString() => Token ?? $"{Issuer} {Subject}";

    private static Author Of(string text)
    {
        if (s_known.TryGetValue(text, out var known))
        {
            return known;
        }

        var author = new Author(text);
        return s_known.Count < MaxKnown ? s_known.GetOrAdd(text, author) : author;
    }

    // An issuer may have written anything into its tokens.
    private static string Visible(string text) =>
        string.Create(
            Math.Min(text.Length, MaxText),
            text,
            static (to, from) =>
            {
                for (var i = 0; i < to.Length; i++)
                {
                    to[i] = char.IsControl(from[i]) || char.IsSurrogate(from[i]) ? '\uFFFD' : from[i];
                }
            }
        );
}
