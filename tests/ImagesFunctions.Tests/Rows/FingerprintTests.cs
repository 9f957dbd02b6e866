using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Rows;

public sealed class FingerprintTests
{
    [Fact]
    public void The_same_has_the_same_and_nothing_else_has()
    {
        var digest = SomeRows.D("layer");
        Assert.Equal(Fingerprint.Of("web", digest), Fingerprint.Of("web", Digest.Sha256("layer"u8)));
        Assert.Equal(Fingerprint.Of("web", digest), Fingerprint.Of("web", $"{digest}"));
        UInt128[] all =
        [
            Fingerprint.Of("web", digest),
            Fingerprint.Of("web2", digest),
            Fingerprint.Of("we", digest),
            Fingerprint.Of("web", SomeRows.D("other")),
            Fingerprint.Of("web", Digest.Of("sha512", "layer"u8)),
            Fingerprint.Of("web", $"{digest}!latest"),
            Fingerprint.Of($"{digest}"),
            Fingerprint.Of(""),
        ];
        Assert.Equal(all.Length, all.Distinct().Count());
        // An app's name holds no "!": what stands before it is told from what stands behind it.
        Assert.NotEqual(Fingerprint.Of("a", "b/c"), Fingerprint.Of("a/b", "c"));
    }

    [Fact]
    public void A_hundred_thousand_texts_have_as_many()
    {
        var prints = new HashSet<UInt128>();
        for (var i = 0; i < 100_000; i++)
        {
            Assert.True(prints.Add(Fingerprint.Of($"{i}")));
        }
    }
}
