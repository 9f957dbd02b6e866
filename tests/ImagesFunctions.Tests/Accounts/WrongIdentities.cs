using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using ImagesFunctions.Accounts;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Accounts;

/// <summary>Tokens of a trusted issuer that are none: each is answered like a wrong password.</summary>
public sealed class WrongIdentities(KestrelFixture fixture) : AgainstAHost(fixture)
{
    /// <summary>What is wrong with a token, and how it is made.</summary>
    private static readonly Dictionary<string, Func<TestIssuer, string>> s_wrong = new(StringComparer.Ordinal)
    {
        ["another audience"] = i => i.Token(With(i, c => c["aud"] = "others")),
        ["no audience"] = i => i.Token(With(i, c => c.Remove("aud"))),
        ["another subject"] = i => i.Token(i.Claims("repo:acme/web:ref:refs/heads/other")),
        ["a subject with more behind it"] = i => i.Token(i.Claims("repo:acme/web:ref:refs/heads/main/x")),
        ["another issuer"] = i => i.Token(With(i, c => c["iss"] = $"{i.Issuer}/")),
        ["no issuer"] = i => i.Token(With(i, c => c.Remove("iss"))),
        ["an issuer that is no text"] = i => i.Token(With(i, c => c["iss"] = new JsonArray(i.Issuer))),
        ["over"] = i => i.Token(With(i, c => c["exp"] = TestIssuer.Now(-70))),
        ["never over"] = i => i.Token(With(i, c => c.Remove("exp"))),
        ["not yet begun"] = i => i.Token(With(i, c => c["nbf"] = TestIssuer.Now(120))),
        ["signed by nobody"] = i => Made(i, "none", _ => []),
        ["signed by nobody, in capitals"] = i => Made(i, "NONE", _ => []),
        ["without a signature"] = i => Made(i, "RS256", _ => []),
        ["signed with the public key as a secret"] = i =>
            Made(i, "HS256", bytes => HMACSHA256.HashData(i.Signer.Key.ExportSubjectPublicKeyInfo(), bytes)),
        ["signed with the PEM of the public key as a secret"] = i =>
            Made(
                i,
                "HS256",
                bytes =>
                    HMACSHA256.HashData(Encoding.ASCII.GetBytes(i.Signer.Key.ExportSubjectPublicKeyInfoPem()), bytes)
            ),
        ["signed by another key of the same name"] = i => Made(i, "RS256", Others),
        ["signed by the key that it brings"] = i =>
            TestIssuer.Token(
                i.Claims(),
                new JsonObject
                {
                    ["alg"] = "RS256",
                    ["kid"] = i.Signer.Id,
                    ["jku"] = "http://127.0.0.1:1/keys",
                    ["jwk"] = new JsonObject { ["kty"] = "oct", ["k"] = "AAAA" },
                },
                Others
            ),
        ["another algorithm than the signature's"] = i => Made(i, "PS256", i.Rs("RS256")),
        ["an algorithm of another kind of key"] = i => Made(i, "ES256", i.Rs("RS256")),
        ["a critical extension"] = i =>
            TestIssuer.Token(
                i.Claims(),
                new JsonObject
                {
                    ["alg"] = "RS256",
                    ["kid"] = i.Signer.Id,
                    ["crit"] = new JsonArray("b64"),
                    ["b64"] = false,
                },
                i.Rs("RS256")
            ),
        ["claims that were changed"] = i =>
        {
            var (good, other) = (i.Token(i.Claims()).Split('.'), i.Token(i.Claims("repo:acme/x")).Split('.'));
            return $"{other[0]}.{good[1]}.{other[2]}";
        },
        ["over 16 KiB"] = i => i.Token(With(i, c => c["more"] = new string('a', 13_000))),
        ["no JSON"] = _ => "eyJx.eyJx.eyJx",
        ["nothing"] = _ => "eyJ..",
    };

    public static TheoryData<string> WrongNames => [.. s_wrong.Keys];

    [Theory]
    [MemberData(nameof(WrongNames))]
    public async Task Any_other_token_is_401_like_any_wrong_password(string wrong)
    {
        await using var issuer = await TestIssuer.StartAsync();
        await TrustAsync(issuer, "push");
        Assert.Equal(HttpStatusCode.OK, (await BaseAsync(issuer.Token(issuer.Claims()))).Status);
        var password = await BaseAsync("a.wrong-password");

        var token = s_wrong[wrong](issuer);

        Assert.Equal(password.Whole, (await BaseAsync(token)).Whole);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Host.ListAsync(token)).Status);
    }

    [Fact]
    public async Task A_minute_of_skew_is_let_pass_and_15_KiB_are()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await TrustAsync(issuer, "pull");

        foreach (
            Action<JsonObject> change in (Action<JsonObject>[])
                [
                    c => c["exp"] = TestIssuer.Now(-40),
                    c => c["nbf"] = TestIssuer.Now(40),
                    c => c["more"] = new string('a', 11_000),
                    c => c["aud"] = new JsonArray("others", "images"),
                ]
        )
        {
            Assert.Equal(HttpStatusCode.OK, (await BaseAsync(issuer.Token(With(issuer, change)))).Status);
        }
    }

    /// <summary>Half of an escaped surrogate pair is no text: .NET throws where it is read or compared.</summary>
    [Theory]
    [InlineData("""{"s\ud802ub":1,""")]
    [InlineData("""{"more":"\udc00",""")]
    [InlineData("""{"aud":"\ud800",""")]
    [InlineData("""{"sub":["\ud800"],""")]
    public async Task What_a_claim_says_that_is_no_text_is_no_error(string begins)
    {
        await using var issuer = await TestIssuer.StartAsync();
        await TrustAsync(issuer, "push");
        var claims = issuer.Claims().ToJsonString();

        // Before the claims that are right, and behind them, where it counts.
        foreach (var text in (string[])[begins + claims[1..], $"{claims[..^1]},{begins[1..^1]}}}"])
        {
            var status = (await BaseAsync(issuer.Token(text))).Status;
            Assert.Contains(status, (HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.Unauthorized]);
        }
    }

    [Fact]
    public async Task With_any_character_changed_gone_or_doubled_it_is_401()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await TrustAsync(issuer, "push");
        var good = issuer.Token(issuer.Claims());
        Assert.Equal(HttpStatusCode.OK, (await BaseAsync(good)).Status);

        // The last one has bits that mean nothing.
        await Gen.Select(Gen.Int[0, good.Length - 2], Gen.Int[0, 3], Gen.Char[' ', '~'])
            .SampleAsync(
                async (at, how, with) =>
                {
                    var changed = how switch
                    {
                        0 => good[..at] + good[(at + 1)..],
                        1 => good[..at] + good[at] + good[at..],
                        2 => good[..at],
                        _ => good[..at] + with + good[(at + 1)..],
                    };
                    return changed == good || (await BaseAsync(changed)).Status == HttpStatusCode.Unauthorized;
                },
                iter: 300,
                threads: 2
            );
    }

    private async Task TrustAsync(TestIssuer issuer, string allow) =>
        await Host.Trust.AddAsync(
            Drop.Fresh("alice"),
            new TrustCondition(
                issuer.Issuer,
                "images",
                "repo:acme/*:ref:refs/heads/main",
                new Dictionary<string, string>(StringComparer.Ordinal)
            ),
            Grant.Parse(allow, []),
            TestContext.Current.CancellationToken
        );

    private Task<Reply> BaseAsync(string password) =>
        new RegistryClient(Host.Http, RegistryClient.Basic("anybody", password)).GetAsync("/v2/");

    private static JsonObject With(TestIssuer issuer, Action<JsonObject> change)
    {
        var claims = issuer.Claims();
        change(claims);
        return claims;
    }

    private static string Made(TestIssuer issuer, string algorithm, Func<byte[], byte[]> sign) =>
        TestIssuer.Token(issuer.Claims(), new JsonObject { ["alg"] = algorithm, ["kid"] = issuer.Signer.Id }, sign);

    private static byte[] Others(byte[] bytes)
    {
        using var key = RSA.Create(2048);
        return key.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }
}
