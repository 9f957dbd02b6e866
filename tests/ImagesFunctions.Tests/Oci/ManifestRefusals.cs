using System.Text;
using CsCheck;
using ImagesFunctions.Oci;
using static ImagesFunctions.Tests.Oci.Manifests;

namespace ImagesFunctions.Tests.Oci;

public sealed class ManifestRefusals
{
    public static TheoryData<string, string> RefusedShapes =>
        new()
        {
            { "", "not valid JSON" },
            { "[]", "not a JSON object" },
            { "null", "not a JSON object" },
            { "7", "not a JSON object" },
            { ImageJson[..^5], "not valid JSON" },
            { ImageJson + "{}", "not valid JSON" },
            { "{} // why", "not valid JSON" },
            { $$"""{"config":{{Descriptor('a', ConfigType)}},}""", "not valid JSON" },
            { $"{{\"x\":{new string('[', 1_000)}{new string(']', 1_000)}}}", "not valid JSON" },
            { ImageJson.Replace("\"layers\"", "\"config\":null,\"layers\"", StringComparison.Ordinal), "config" },
            { ImageJson.Replace("\"layers\"", "\"c\\u006fnfig\":null,\"layers\"", StringComparison.Ordinal), "config" },
            { "{}", "needs the member config" },
            { """{"layers":[]}""", "needs the member config" },
            { """{"config":null,"layers":[]}""", "needs the member config" },
            { """{"config":[]}""", "config is not an object" },
            { """{"config":{}}""", "config.digest is not a digest" },
            { """{"manifests":{}}""", "manifests is not an array" },
            { """{"manifests":[null]}""", "manifests[0] is not an object" },
            { """{"manifests":["x"]}""", "manifests[0] is not an object" },
            { """{"manifests":[],"layers":null}""", "an index has no config and no layers" },
            {
                $$"""{"manifests":[],"config":{{Descriptor('a', ConfigType)}}}""",
                "an index has no config and no layers"
            },
            { """{"schemaVersion":1,"manifests":[]}""", "schemaVersion is not 2" },
            { """{"schemaVersion":2.5,"manifests":[]}""", "schemaVersion is not 2" },
            { """{"schemaVersion":"2","manifests":[]}""", "schemaVersion is not 2" },
            { """{"schemaVersion":99999999999999999999,"manifests":[]}""", "schemaVersion is not 2" },
            { """{"mediaType":7,"manifests":[]}""", "mediaType is not a string" },
            { """{"manifests":[],"artifactType":{}}""", "artifactType is not a string" },
        };

    public static TheoryData<string, string> RefusedMembers =>
        new()
        {
            { With("\"digest\":7,\"size\":1"), "digest is not a string" },
            { With("\"size\":1"), "manifests[0].digest is not a digest" },
            { With("\"digest\":\"sha256:abc\",\"size\":1"), "manifests[0].digest is not a digest" },
            { With("\"digest\":\"md5:d41d8cd98f00b204e9800998ecf8427e\",\"size\":1"), "md5 is not supported" },
            { WithSize(null), "size is not a number of bytes" },
            { WithSize("-1"), "size is not a number of bytes" },
            { WithSize("1.5"), "size is not a number of bytes" },
            { WithSize("1e400"), "size is not a number of bytes" },
            { WithSize("9223372036854775808"), "size is not a number of bytes" },
            { WithSize("\"1\""), "size is not a number of bytes" },
            { WithSize("null"), "size is not a number of bytes" },
            { WithSize("1,\"mediaType\":7"), "mediaType is not a string" },
            { WithSize("1,\"annotations\":[]"), "annotations is not an object" },
            { WithSize("1,\"annotations\":{\"a\":7}"), "a is not a string" },
            { WithSize("1,\"annotations\":{\"a\":\"1\",\"a\":\"2\"}"), "not valid JSON" },
            { WithSize("1,\"platform\":{\"os\":7}"), "os is not a string" },
            { WithSize("1,\"annotations\":{\"a\":\"\\ud800\"}"), "not valid Unicode" },
            { WithSize("1,\"annotations\":{\"\\udc00\":\"a\"}"), "not valid" },
            { """{"mediaType":"\ud800","manifests":[]}""", "not valid Unicode" },
        };

    [Theory]
    [InlineData(MediaTypes.OciManifest, MediaTypes.DockerManifest, "config", "but its mediaType is")]
    [InlineData(MediaTypes.OciIndex, null, "config", "an index has no config and no layers")]
    [InlineData(MediaTypes.OciManifest, null, "manifests", "an image manifest has no member manifests")]
    [InlineData("application/json", null, "config", "application/json is not a manifest's media type")]
    [InlineData(null, "application/json", "config", "application/json is not a manifest's media type")]
    public void Types_that_disagree_are_refused(string? declared, string? own, string shape, string reason) =>
        AssertRefused(Shape(own, shape), declared, reason);

    [Theory]
    [MemberData(nameof(RefusedShapes))]
    [MemberData(nameof(RefusedMembers))]
    public void What_breaks_a_rule_is_refused_with_its_reason(string json, string reason) =>
        AssertRefused(json, null, reason);

    [Fact]
    public void Text_that_is_not_UTF_8_is_refused()
    {
        var bytes = Encoding.UTF8.GetBytes(WithSize("1,\"annotations\":{\"a\":\"?\"}"));
        bytes[Array.IndexOf(bytes, (byte)'?')] = 0xff;
        Assert.Contains(
            "not valid Unicode",
            Assert.Throws<InvalidContentException>(() => Manifest.Parse(bytes, null)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_refusal_is_a_sentence_without_gaps()
    {
        var twice = ImageJson.Replace("\"layers\"", "\"config\":null,\"layers\"", StringComparison.Ordinal);
        foreach (var json in (string[])["", "{", "{}{}", twice])
        {
            var error = Assert.Throws<InvalidContentException>(() => Parse(json, null));
            Assert.DoesNotContain("(line ,", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("LineNumber", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("byte )", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Random_bytes_are_refused_and_nothing_else_happens() =>
        Gen.Byte.Array[0, 200].Sample(bytes => OnlyRefuses(bytes, null), iter: 5_000, threads: 1);

    [Fact]
    public void A_mutated_manifest_is_read_or_refused_and_nothing_else_happens()
    {
        // Bytes that mean something in JSON hit more than random ones.
        var hit = Gen.Select(
            Gen.Int[0, 10_000],
            Gen.Frequency((1, Gen.Byte), (2, Gen.Char["{}[]\",:\\u0d8-.en7"].Select(c => (byte)c)))
        );
        var type = Gen.Int[0, 2]
            .Select(i =>
                i switch
                {
                    0 => null,
                    1 => MediaTypes.OciManifest,
                    _ => MediaTypes.OciIndex,
                }
            );
        Gen.Select(Gen.Bool, hit.Array[1, 8], type)
            .Sample(
                (isIndex, hits, declared) =>
                {
                    var bytes = Encoding.UTF8.GetBytes(isIndex ? IndexJson : ImageJson);
                    foreach (var (at, value) in hits)
                    {
                        bytes[at % bytes.Length] = value;
                    }

                    OnlyRefuses(bytes, declared);
                },
                iter: 20_000,
                threads: 1
            );
    }

    private static void OnlyRefuses(byte[] bytes, string? declared)
    {
        try
        {
            var manifest = Manifest.Parse(bytes, declared);
            _ = manifest.NeededBlobs.Count() + manifest.NeededManifests.Count();
        }
        catch (InvalidContentException error)
        {
            Assert.NotEmpty(error.Message);
        }
    }
}
