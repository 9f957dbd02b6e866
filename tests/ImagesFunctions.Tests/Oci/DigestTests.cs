using System.Security.Cryptography;
using CsCheck;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Oci;

public sealed class DigestTests
{
    private static readonly string Hex64 = new('a', 64);
    private static readonly string Hex128 = new('0', 128);

    public static TheoryData<string> WellFormed =>
        [
            $"sha256:{Hex64}",
            $"sha512:{Hex128}",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8",
            "sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564=",
            "a.b_c-d+e:x",
            $"x:{new string('y', 254)}",
        ];

    public static TheoryData<string?> Malformed =>
        [
            (string?)null,
            "",
            ":",
            "sha256",
            "sha256:",
            $":{Hex64}",
            $"sha256:{Hex64[1..]}",
            $"sha256:{Hex64}a",
            $"sha256:{Hex64.ToUpperInvariant()}",
            $"sha256:{Hex64[1..]}g",
            $"sha512:{Hex64}",
            $"sha256:{Hex128}",
            $"SHA256:{Hex64}",
            $" sha256:{Hex64}",
            $"sha256:{Hex64}\n",
            "+a:x",
            "a+:x",
            "a++b:x",
            "a:b:c",
            "a:b/c",
            "a:é",
            $"x:{new string('y', 255)}",
        ];

    [Theory]
    [MemberData(nameof(WellFormed))]
    public void A_digest_inside_the_grammar_is_read_and_written_back(string text)
    {
        Assert.True(Digest.TryParse(text, out var digest));
        Assert.Equal(text, digest.ToString());
        Assert.True(Digest.TryParse(digest.Algorithm, digest.Encoded, out var again));
        Assert.Equal(digest, again);
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public void A_digest_outside_the_grammar_is_not_read(string? text)
    {
        Assert.False(Digest.TryParse(text, out var digest));
        Assert.Null(digest);
        if (text?.Split(':', 2) is [var algorithm, var encoded])
        {
            Assert.False(Digest.TryParse(algorithm, encoded, out _));
        }
    }

    [Theory]
    [InlineData("sha256", 64, true)]
    [InlineData("sha512", 128, true)]
    [InlineData("sha384", 96, false)]
    [InlineData("sha1", 40, false)]
    public void Only_sha256_and_sha512_can_be_verified(string algorithm, int length, bool supported)
    {
        Assert.True(Digest.TryParse(algorithm, new string('0', length), out var digest));
        Assert.Equal(supported, digest.IsSupported);
        if (supported)
        {
            Assert.Equal(length, Digest.Of(algorithm, []).Encoded.Length);
        }
        else
        {
            Assert.Throws<NotSupportedException>(() => Digest.Of(algorithm, []));
        }
    }

    [Fact]
    public void A_hash_of_another_length_makes_no_digest() =>
        Assert.Throws<ArgumentException>(() => Digest.FromHash("sha512", new byte[32]));

    [Fact]
    public void The_digest_is_the_hash_of_the_content() =>
        Gen
            .Byte.Array[0, 300]
            .Sample(
                content =>
                {
                    var digest = Digest.Sha256(content);
                    Assert.Equal(digest, Digest.FromHash("sha256", SHA256.HashData(content)));
                    var long512 = Digest.Of("sha512", content);
                    Assert.Equal(long512, Digest.FromHash("sha512", SHA512.HashData(content)));
                    Assert.True(Digest.TryParse(long512.ToString(), out var read));
                    Assert.Equal(long512, read);
                    Assert.Equal(64, long512.ShortKey.Length);
                    Assert.NotEqual(digest.ShortKey, long512.ShortKey);
                },
                iter: 200,
                threads: 1
            );

    [Fact]
    public void No_text_makes_it_throw() =>
        Gen.String.Sample(
            text =>
            {
                if (Digest.TryParse(text, out var digest))
                {
                    Assert.Equal(text, digest.ToString());
                }
            },
            iter: 5_000,
            threads: 1
        );
}
