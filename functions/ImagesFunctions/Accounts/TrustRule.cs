using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Accounts;

/// <summary>That an account trusts tokens of an OpenID Connect issuer, and what those may do.</summary>
/// <param name="Account">The account.</param>
/// <param name="Id">8 hexadecimal digits; names the rule in lists.</param>
/// <param name="Condition">Which tokens it is about.</param>
/// <param name="Grant">What they may do.</param>
/// <param name="Created">When it was made.</param>
public sealed record TrustRule(
    string Account,
    string Id,
    TrustCondition Condition,
    Grant Grant,
    DateTimeOffset Created
);

/// <summary>Which tokens of an issuer a rule is about.</summary>
/// <param name="Issuer">The claim <c>iss</c>, exactly.</param>
/// <param name="Audience">One of the claim <c>aud</c>.</param>
/// <param name="Subject">The claim <c>sub</c>; <c>*</c> stands for any characters but <c>:</c> and <c>/</c>. Null: any.</param>
/// <param name="Claims">Further claims and their values; of an array one value has to be it.</param>
public sealed record TrustCondition(
    string Issuer,
    string Audience,
    string? Subject,
    IReadOnlyDictionary<string, string> Claims
)
{
    private const int MaxText = 1_024;
    private const int MaxClaims = 20;

    /// <summary>Parses claims as people write them.</summary>
    /// <param name="claims">Each <c>name=value</c>.</param>
    /// <exception cref="FormatException">One has no name, or a name comes twice.</exception>
    public static IReadOnlyDictionary<string, string> ParseClaims(IEnumerable<string> claims)
    {
        var parsed = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var claim in claims)
        {
            var end = claim.IndexOf('=', StringComparison.Ordinal);
            if (end < 1)
            {
                throw new FormatException($"'{claim}' is no claim like oid=1234");
            }

            if (!parsed.TryAdd(claim[..end], claim[(end + 1)..]))
            {
                throw new FormatException($"the claim {claim[..end]} is named twice");
            }
        }

        return parsed;
    }

    /// <summary>The hash under which the rules of an issuer lie.</summary>
    internal static string HashOf(string issuer) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(issuer)));

    /// <summary>Refuses conditions that would be met by anybody's tokens, or by none.</summary>
    /// <param name="loopback">Whether an issuer on this machine may be asked without TLS.</param>
    /// <exception cref="FormatException">The message says what is wrong.</exception>
    internal void Demand(bool loopback)
    {
        if (!IsIssuer(Issuer, loopback))
        {
            throw new FormatException(
                $"'{Issuer}' is no issuer: it has to be an https address without query, exactly as the claim iss has it"
            );
        }

        if (Subject is null && Claims.Count == 0)
        {
            throw new FormatException(
                "a rule needs a subject or a claim: else everybody with a token of the issuer would be meant"
            );
        }

        if (Claims.Count > MaxClaims)
        {
            throw new FormatException($"{Claims.Count} claims: there may be {MaxClaims}");
        }

        foreach (var text in Claims.Keys.Concat(Claims.Values).Append(Audience).Append(Subject ?? "any"))
        {
            if (text.Length is 0 or > MaxText || text.Any(char.IsControl))
            {
                throw new FormatException(
                    $"audience, subject and claims have 1 to {MaxText} characters, none of them control characters"
                );
            }
        }
    }

    /// <summary>Whether an address may be an issuer's, and so may be asked for its keys.</summary>
    internal static bool IsIssuer(string text, bool loopback) =>
        text.Length <= MaxText
        && Uri.TryCreate(text, UriKind.Absolute, out var address)
        && IsAddress(address, loopback)
        && address is { UserInfo: "", Query: "", Fragment: "" };

    /// <summary>Whether documents may be asked for at an address: by TLS, or on this machine.</summary>
    internal static bool IsAddress(Uri address, bool loopback) =>
        address.Scheme == Uri.UriSchemeHttps
        || (loopback && address is { IsLoopback: true } && address.Scheme == Uri.UriSchemeHttp);

    /// <summary>Whether the claims of a token of the issuer meet it.</summary>
    internal bool IsMetBy(JsonElement claims) =>
        Has(claims, "aud", audience => audience == Audience)
        && (Subject is null || Has(claims, "sub", IsSubject))
        && Claims.All(c => Has(claims, c.Key, value => value == c.Value));

    /// <summary>The claim <c>sub</c>; null where it is none that has a text.</summary>
    internal static string? SubjectOf(JsonElement claims) => Find(claims, "sub") is { } subject ? Text(subject) : null;

    private static bool Has(JsonElement claims, string name, Func<string, bool> isWanted)
    {
        if (Find(claims, name) is not { } claim)
        {
            return false;
        }

        return claim.ValueKind == JsonValueKind.Array
            ? claim.EnumerateArray().Any(one => Text(one) is { } text && isWanted(text))
            : Text(claim) is { } value && isWanted(value);
    }

    private static string? Text(JsonElement claim) =>
        claim.ValueKind switch
        {
            JsonValueKind.String => Valid(claim.GetString),
            JsonValueKind.Number => claim.GetRawText(),
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            _ => null,
        };

    // The last one of this name; null where there is none.
    private static JsonElement? Find(JsonElement claims, string name)
    {
        JsonElement? found = null;
        foreach (var claim in claims.ValueKind == JsonValueKind.Object ? claims.EnumerateObject() : default)
        {
            if (Valid(() => claim.Name) == name)
            {
                found = claim.Value;
            }
        }

        return found;
    }

    // Null where a text is no valid Unicode: half of an escaped surrogate pair.
    private static string? Valid(Func<string?> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    // Part by part: the same separators at the same places.
    private bool IsSubject(string subject)
    {
        ReadOnlySpan<char> pattern = Subject;
        ReadOnlySpan<char> rest = subject;
        while (true)
        {
            var (wanted, found) = (pattern.IndexOfAny(':', '/'), rest.IndexOfAny(':', '/'));
            if (wanted < 0 || found < 0)
            {
                return wanted < 0 && found < 0 && Wildcard.Matches(pattern, rest);
            }

            if (pattern[wanted] != rest[found] || !Wildcard.Matches(pattern[..wanted], rest[..found]))
            {
                return false;
            }

            pattern = pattern[(wanted + 1)..];
            rest = rest[(found + 1)..];
        }
    }
}
