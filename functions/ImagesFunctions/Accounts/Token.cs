using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Accounts;

/// <summary>A token as it is stored: without its secret, which only the text of the token holds.</summary>
/// <param name="Account">The account that it belongs to.</param>
/// <param name="Id">8 hexadecimal digits; public, names the token in lists and logs.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Expires">When it expires; null: never.</param>
/// <param name="Grant">What it may do; null: nothing that this version knows of.</param>
public sealed record Token(string Account, string Id, DateTimeOffset Created, DateTimeOffset? Expires, Grant? Grant)
{
    /// <summary>Whether it had ended by itself when it was read, by the storage service's clock.</summary>
    public bool IsExpired { get; init; }

    /// <summary>The day (UTC) on which it was used last, a minute ago or longer; null where no use is known.</summary>
    public DateOnly? UsedOn { get; init; }

    /// <summary>What its maker wrote down about it; null: nothing.</summary>
    public string? Label { get; init; }
}

/// <summary>
/// The credentials of a client: an account and the secret of one of its tokens. Their text is the base64 of
/// <c>robot$&lt;account&gt;.users.kraftcloud:&lt;secret&gt;</c>, KraftCloud's own form.
/// </summary>
internal sealed record Credentials(string Account, string Id, string Secret)
{
    private const string Prefix = "robot$";
    private const string Suffix = ".users.kraftcloud";
    private const int MaxText = 1_024;

    public string Text => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Prefix}{Account}{Suffix}:{Id}.{Secret}"));

    /// <summary>The only form in which a secret is stored. A secret has 256 random bits, so a plain hash is enough.</summary>
    public string SecretHash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Secret)));

    public static Credentials New(string account) =>
        new(
            account,
            RandomNumberGenerator.GetHexString(8, lowercase: true),
            RandomNumberGenerator.GetHexString(64, lowercase: true)
        );

    /// <summary>
    /// Whether an account may have this name: one part of a repository's name that stays what it is as a user name, with prefix and
    /// suffix and without. One that ends in the suffix itself would be another account's wherever it logs in.
    /// </summary>
    public static bool IsAccount([NotNullWhen(true)] string? name) =>
        Repository.IsNamespace(name) && AccountOf(name) == name && AccountOf($"{Prefix}{name}{Suffix}") == name;

    /// <summary>Reads a token's text: standard or url-safe base64, padded or not, with or without prefix and suffix.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Credentials? credentials)
    {
        credentials = null;
        if (text is null or { Length: 0 or > MaxText })
        {
            return false;
        }

        var base64 = text.Replace('-', '+').Replace('_', '/').TrimEnd('=');
        Span<byte> bytes = stackalloc byte[MaxText];
        if (!Convert.TryFromBase64String(base64.PadRight((base64.Length + 3) / 4 * 4, '='), bytes, out var length))
        {
            return false;
        }

        // Bytes that are not UTF-8 decode to replacement characters, which are not valid in an account's name.
        return TryParsePair(Encoding.UTF8.GetString(bytes[..length]), out credentials);
    }

    /// <summary>
    /// Reads the value of an Authorization header of the scheme Basic: the base64 of <c>user:password</c>. The user is the
    /// account, with or without prefix and suffix; the password is the token's secret or its whole text.
    /// </summary>
    public static bool TryParseBasic(string? value, [NotNullWhen(true)] out Credentials? credentials)
    {
        credentials = null;
        Span<byte> bytes = stackalloc byte[2 * MaxText];
        if (value is null or { Length: > 2 * MaxText } || !Convert.TryFromBase64String(value, bytes, out var length))
        {
            return false;
        }

        var pair = Encoding.UTF8.GetString(bytes[..length]);
        if (TryParsePair(pair, out credentials))
        {
            return true;
        }

        // A user name has no colon (RFC 7617, 2).
        var colon = pair.IndexOf(':', StringComparison.Ordinal);
        if (
            colon > 0
            && TryParse(pair[(colon + 1)..], out credentials)
            && AccountOf(pair[..colon]) == credentials.Account
        )
        {
            return true;
        }

        // The token of another account is not valid under this user name.
        credentials = null;
        return false;
    }

    private static bool TryParsePair(string pair, [NotNullWhen(true)] out Credentials? credentials)
    {
        credentials = null;
        if (pair.Split(':') is not [var user, var secret] || secret.Split('.') is not [var id, var random])
        {
            return false;
        }

        var account = AccountOf(user);
        if (!Repository.IsNamespace(account) || id.Length != 8 || !id.All(char.IsAsciiHexDigitLower))
        {
            return false;
        }

        credentials = new Credentials(account, id, random);
        return true;
    }

    /// <summary>The account that a user name names, with prefix and suffix or without.</summary>
    public static string AccountOf(string user)
    {
        var account = user.StartsWith(Prefix, StringComparison.Ordinal) ? user[Prefix.Length..] : user;
        return account.EndsWith(Suffix, StringComparison.Ordinal) ? account[..^Suffix.Length] : account;
    }
}
