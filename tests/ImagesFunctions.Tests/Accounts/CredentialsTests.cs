using System.Text;
using CsCheck;
using ImagesFunctions.Accounts;

namespace ImagesFunctions.Tests.Accounts;

public sealed class CredentialsTests
{
    private const string Secret = "0123abcd.5ec7e7";

    [Theory]
    [InlineData("robot$alice.users.kraftcloud:" + Secret)]
    [InlineData("alice:" + Secret)]
    [InlineData("robot$alice:" + Secret)]
    [InlineData("alice.users.kraftcloud:" + Secret)]
    public void A_token_is_read_with_and_without_prefix_and_suffix(string pair)
    {
        var padded = Convert.ToBase64String(Encoding.UTF8.GetBytes(pair));
        foreach (var text in Forms(padded))
        {
            Assert.True(Credentials.TryParse(text, out var credentials));
            Assert.Equal(new Credentials("alice", "0123abcd", "5ec7e7"), credentials);
        }
    }

    [Fact]
    public void Every_form_of_base64_is_read_whatever_the_length_and_the_letters() =>
        // ">" and "?" make the letters in which standard and url-safe differ.
        Gen.Char["ab>?~\u00ff"]
            .Array[1, 40]
            .Select(letters => new string(letters))
            .Sample(
                secret =>
                {
                    var expected = new Credentials("alice", "0123abcd", secret);
                    var padded = Convert.ToBase64String(Encoding.UTF8.GetBytes($"alice:0123abcd.{secret}"));
                    foreach (var text in Forms(padded))
                    {
                        Assert.True(Credentials.TryParse(text, out var credentials));
                        Assert.Equal(expected, credentials);
                    }
                },
                iter: 1_000,
                threads: 1
            );

    [Theory]
    [InlineData("alice")]
    [InlineData("a")]
    [InlineData("official")]
    [InlineData("x.users.kraftcloud")]
    [InlineData("a-b_c.d")]
    public void A_new_token_is_read_back_and_hides_its_secret(string account)
    {
        var made = Credentials.New(account);
        Assert.True(Credentials.TryParse(made.Text, out var read));
        Assert.Equal(made, read);
        Assert.Equal(64, made.SecretHash.Length);
        Assert.DoesNotContain(made.Secret, made.SecretHash, StringComparison.Ordinal);
        Assert.NotEqual(made.Secret, Credentials.New(account).Secret);
        Assert.StartsWith(
            $"robot${account}.users.kraftcloud:",
            Encoding.UTF8.GetString(Convert.FromBase64String(made.Text)),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("alice")]
    [InlineData(":")]
    [InlineData(":" + Secret)]
    [InlineData("alice:")]
    [InlineData("alice:0123abcd")]
    [InlineData("alice:0123abcd.a.b")]
    [InlineData("alice:0123ABCD.a")]
    [InlineData("alice:123.a")]
    [InlineData("alice:0123abcg.a")]
    [InlineData("alice:" + Secret + ":more")]
    [InlineData("Alice:" + Secret)]
    [InlineData("alice/app:" + Secret)]
    [InlineData("robot$:" + Secret)]
    [InlineData("robot$.users.kraftcloud:" + Secret)]
    [InlineData("robot$robot$alice:" + Secret)]
    [InlineData("ali\u00e9:" + Secret)]
    public void Any_other_pair_is_no_token(string pair)
    {
        Assert.False(Credentials.TryParse(Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)), out var credentials));
        Assert.Null(credentials);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("=")]
    [InlineData("====")]
    [InlineData("a")]
    [InlineData("alice:" + Secret)]
    [InlineData("YWxpY2U6\u00e9")]
    public void What_is_no_base64_is_no_token(string? text) => Assert.False(Credentials.TryParse(text, out _));

    [Fact]
    public void A_text_beyond_1_024_letters_is_no_token()
    {
        var pair = $"alice:0123abcd.{new string('a', 753)}";
        Assert.True(Credentials.TryParse(Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)), out _));
        Assert.False(Credentials.TryParse(Convert.ToBase64String(Encoding.UTF8.GetBytes(pair + "a")), out _));
    }

    [Theory]
    [InlineData("x.users.kraftcloud")]
    [InlineData("users.kraftcloud.users.kraftcloud")]
    [InlineData("robot$x")]
    [InlineData("x:y")]
    [InlineData("X")]
    [InlineData("x/y")]
    [InlineData("")]
    [InlineData(null)]
    public void A_name_that_its_own_token_would_not_name_is_no_accounts(string? name) =>
        Assert.False(Credentials.IsAccount(name));

    /// <summary>In each form that a user name may have (docs of KraftCloud).</summary>
    [Theory]
    [InlineData("alice")]
    [InlineData("robot")]
    [InlineData("robot-x")]
    [InlineData("users.kraftcloud")]
    [InlineData("xusers.kraftcloud")]
    [InlineData("x.users.kraftcloud.y")]
    [InlineData("official")]
    public void An_account_logs_in_by_its_name_in_every_form(string name)
    {
        Assert.True(Credentials.IsAccount(name));
        var credentials = Credentials.New(name);
        Assert.True(Credentials.TryParse(credentials.Text, out var read));
        Assert.Equal(credentials, read);
        foreach (
            var user in (string[])[name, $"robot${name}.users.kraftcloud", $"robot${name}", $"{name}.users.kraftcloud"]
        )
        {
            foreach (var password in (string[])[credentials.Text, $"{credentials.Id}.{credentials.Secret}"])
            {
                var pair = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));
                Assert.True(Credentials.TryParseBasic(pair, out read), user);
                Assert.Equal(credentials, read);
            }
        }
    }

    [Fact]
    public void Garbage_never_throws()
    {
        Gen.String.Sample(
            text =>
            {
                _ = Credentials.TryParse(text, out _);
            },
            iter: 5_000,
            threads: 1
        );
        Gen.Byte.Array[0, 800]
            .Sample(
                bytes =>
                {
                    _ = Credentials.TryParse(Convert.ToBase64String(bytes), out _);
                },
                iter: 2_000,
                threads: 1
            );
    }

    private static IEnumerable<string> Forms(string padded)
    {
        var urlSafe = padded.Replace('+', '-').Replace('/', '_');
        return [padded, padded.TrimEnd('='), urlSafe, urlSafe.TrimEnd('=')];
    }
}
