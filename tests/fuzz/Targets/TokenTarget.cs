using System.Text;
using ImagesFunctions.Accounts;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Fuzz.Targets;

/// <summary>
/// Tokens: what is read has the form of a token, is read again from each form in which a client may send it, and never from the
/// name of another account.
/// </summary>
internal static class TokenTarget
{
    // The longest text that is read.
    private const int MaxText = 1_024;

    public static void Check(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        if (Credentials.TryParse(text, out var token))
        {
            CheckToken(token);
        }

        if (Credentials.TryParseBasic(text, out var basic))
        {
            CheckToken(basic);
        }

        // The text that a token is the base64 of, too: else most inputs fail at once.
        if (Credentials.TryParse(Convert.ToBase64String(input), out var pair))
        {
            CheckToken(pair);
            Holds.True(text.Contains(pair.Secret, StringComparison.Ordinal), "another secret than was sent");
        }

        Holds.True(!Credentials.IsAccount(text) || Repository.IsNamespace(text), "an account's name is a namespace");
    }

    private static void CheckToken(Credentials token)
    {
        Holds.True(Repository.IsNamespace(token.Account), "the account is no name");
        Holds.True(token.Id.Length == 8 && token.Id.All(char.IsAsciiHexDigitLower), "the id has another form");
        Holds.Same(64, token.SecretHash.Length, "the length of the hash");
        if (token.Text.Length > MaxText)
        {
            return;
        }

        Holds.True(Credentials.TryParse(token.Text, out var again) && again == token, "the token, read again");
        var urlSafe = token.Text.Replace('+', '-').Replace('/', '_').TrimEnd('=');
        Holds.True(Credentials.TryParse(urlSafe, out again) && again == token, "the token, safe for URLs");
        Holds.True(
            Credentials.TryParseBasic(Base64($"robot${token.Account}.users.kraftcloud:{token.Text}"), out again)
                && again == token,
            "the token as the password of its account"
        );
        Holds.True(
            !Credentials.TryParseBasic(Base64($"a-{token.Account}:{token.Text}"), out _),
            "the token is that of another account"
        );
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
