using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ImagesFunctions.Accounts;
using Microsoft.IdentityModel.Tokens;

namespace ImagesFunctions.Fuzz.Targets;

/// <summary>
/// Tokens of issuers (JSON Web Tokens): reading one never fails, it is read again from the header that carries it, and a rule is about
/// exactly the claims that its definition names. An input is a token; or, on a line each, the parts that one is made of.
/// </summary>
internal static class IdentityTarget
{
    private const string User = "robot";

    private static readonly TrustCondition s_condition = new(
        "https://issuer.example",
        "images",
        "repo:acme/*:ref:refs/heads/*",
        new Dictionary<string, string>(StringComparer.Ordinal) { ["oid"] = "1" }
    );

    // The definition, in other words than the product's.
    private static readonly Regex s_subject = new(
        "^repo:acme/[^:/]*:ref:refs/heads/[^:/]*$",
        RegexOptions.NonBacktracking | RegexOptions.Singleline
    );

    public static void Check(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        CheckToken(text);
        var parts = text.Split('\n', 3);
        CheckToken(string.Join('.', Enumerable.Range(0, 3).Select(i => Base64UrlEncoder.Encode(Part(parts, i)))));
        CheckClaims(Part(parts, 1));
    }

    private static string Part(string[] parts, int number) => number < parts.Length ? parts[number] : "";

    private static void CheckToken(string text)
    {
        if (!IdentityToken.IsOne(text))
        {
            return;
        }

        if (Identities.Read(text) is { } read)
        {
            Holds.True(read.Issuer.Length > 0 && read.Alg is not null, "a token without an issuer or an algorithm");
            Holds.True(
                read.Kid is null or { Length: <= 1_024 },
                "the name of a key is longer than those that are looked for"
            );
        }

        if (text.All(char.IsAscii))
        {
            var basic = Convert.ToBase64String(Encoding.ASCII.GetBytes($"{User}:{text}"));
            Holds.True(
                IdentityToken.TryParseBasic(basic, out var user, out var token) && user == User && token == text,
                "the token, as a password"
            );
        }
    }

    private static void CheckClaims(string json)
    {
        JsonDocument claims;
        try
        {
            claims = JsonDocument.Parse(json);
        }
        catch (JsonException)
        {
            return;
        }

        using (claims)
        {
            var root = claims.RootElement;
            var isMeant =
                Values(root, "aud").Contains("images", StringComparer.Ordinal)
                && Values(root, "sub").Any(s_subject.IsMatch)
                && Values(root, "oid").Contains("1", StringComparer.Ordinal);
            Holds.Same(isMeant, s_condition.IsMetBy(root), $"whether a rule is about {json}");
            var subject = TrustCondition.SubjectOf(root);
            Holds.True(
                subject is null || Values(root, "sub").Contains(subject, StringComparer.Ordinal),
                "a subject that the claims do not have"
            );
        }
    }

    // A claim's value, or those of an array, as texts. What is no valid Unicode has none.
    private static string[] Values(JsonElement claims, string name)
    {
        if (claims.ValueKind != JsonValueKind.Object)
        {
            return [];
        }

        var claim = claims.EnumerateObject().LastOrDefault(c => IsNamed(c, name)).Value;
        return claim.ValueKind switch
        {
            JsonValueKind.Undefined => [],
            JsonValueKind.Array => [.. claim.EnumerateArray().SelectMany(Scalar)],
            _ => Scalar(claim),
        };
    }

    private static bool IsNamed(JsonProperty claim, string name)
    {
        try
        {
            return claim.Name == name;
        }
        catch (InvalidOperationException)
        {
            // Half of an escaped surrogate pair.
            return false;
        }
    }

    private static string[] Scalar(JsonElement value)
    {
        try
        {
            return value.ValueKind switch
            {
                JsonValueKind.String => [value.GetString()!],
                JsonValueKind.Number => [value.GetRawText()],
                JsonValueKind.True => ["true"],
                JsonValueKind.False => ["false"],
                _ => [],
            };
        }
        catch (InvalidOperationException)
        {
            return [];
        }
    }
}
