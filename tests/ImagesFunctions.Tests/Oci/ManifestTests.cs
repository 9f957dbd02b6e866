using System.Diagnostics;
using System.Globalization;
using System.Text;
using CsCheck;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Oci;

public sealed class ManifestTests
{
    private const string ConfigType = "application/vnd.oci.image.config.v1+json";
    private const string LayerType = "application/vnd.oci.image.layer.v1.tar";

    private static readonly string Image = $$"""
        {"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{Descriptor('a', ConfigType)}},
         "layers":[{{Descriptor('b', LayerType)}},{{Descriptor('c', LayerType)}}],"annotations":{"k":"v"} }
        """;

    private static readonly string Index = $$"""
        {"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[
          {"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{Hex('d')}}","size":7,
           "platform":{"os":"kraftcloud","architecture":"x86_64","os.features":["CONFIG_X"]},
           "annotations":{"org.opencontainers.image.ref.name":"latest"} },
          {"mediaType":"{{MediaTypes.DockerList}}","digest":"{{Hex('e')}}","size":8}]}
        """;

    [Fact]
    public void An_image_manifest_needs_its_config_and_layers()
    {
        var manifest = Parse(Image, null);
        Assert.Equal(MediaTypes.OciManifest, manifest.MediaType);
        Assert.False(manifest.IsIndex);
        Assert.True(manifest.IsImage);
        Assert.Equal(ConfigType, manifest.Config?.MediaType);
        Assert.Equal([Hex('a'), Hex('b'), Hex('c')], manifest.NeededBlobs.Select(d => d.Digest.ToString()));
        Assert.Empty(manifest.NeededManifests);
    }

    [Fact]
    public void An_index_needs_its_manifests_and_tells_their_platforms()
    {
        var index = Parse(Index, null);
        Assert.True(index is { IsIndex: true, IsImage: true, Config: null });
        Assert.Equal([Hex('d'), Hex('e')], index.NeededManifests.Select(d => d.Digest.ToString()));
        Assert.Empty(index.NeededBlobs);
        Assert.Equal(new Platform("kraftcloud", "x86_64"), index.Manifests[0].Platform);
        Assert.Equal("latest", index.Manifests[0].Annotations["org.opencontainers.image.ref.name"]);
        Assert.Null(index.Manifests[1].Platform);
    }

    [Fact]
    public void Content_named_twice_is_needed_once()
    {
        var image = Parse(
            $$"""{"config":{{Descriptor('a', ConfigType)}},"layers":[{{Descriptor('b', LayerType)}},{{Descriptor('a', LayerType)}},{{Descriptor('b', LayerType)}}]}""",
            null
        );
        Assert.Equal([Hex('a'), Hex('b')], image.NeededBlobs.Select(d => d.Digest.ToString()));
    }

    [Fact]
    public void Content_that_an_index_names_as_a_manifest_and_as_something_else_is_needed_once()
    {
        var index = Parse(
            $$"""{"manifests":[{{Descriptor('a', LayerType)}},{{Descriptor('a', MediaTypes.OciManifest)}},{{Descriptor('b', LayerType)}}]}""",
            null
        );
        Assert.Equal([Hex('a')], index.NeededManifests.Select(d => d.Digest.ToString()));
        Assert.Equal([Hex('b')], index.NeededBlobs.Select(d => d.Digest.ToString()));
    }

    [Fact]
    public void Layers_from_elsewhere_and_subjects_are_not_needed()
    {
        const string foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
        var image = Parse(
            $$"""
            {"config":{{Descriptor('a', ConfigType)}},"subject":{{Descriptor('e', MediaTypes.OciManifest)}},"layers":[
              {"mediaType":"{{LayerType}}","digest":"{{Hex('b')}}","size":1,"urls":["https://example.com/b"]},
              {"mediaType":"{{LayerType}}","digest":"{{Hex('c')}}","size":1,"urls":[]},
              {{Descriptor('d', foreign)}}]}
            """,
            null
        );
        Assert.Equal([Hex('a'), Hex('c')], image.NeededBlobs.Select(d => d.Digest.ToString()));
        Assert.False(image.IsImage);
        Assert.Equal(Hex('e'), image.Subject?.Digest.ToString());
    }

    [Theory]
    [InlineData(ConfigType, true)]
    [InlineData("application/vnd.docker.container.image.v1+json", true)]
    [InlineData("application/vnd.oci.empty.v1+json", false)]
    [InlineData("application/vnd.example.sbom", false)]
    public void A_manifest_is_an_image_by_its_config(string configType, bool isImage) =>
        Assert.Equal(
            isImage,
            Parse(
                $$"""{"config":{{Descriptor('a', configType)}},"layers":[{{Descriptor('b', LayerType)}}]}""",
                null
            ).IsImage
        );

    [Theory]
    [InlineData(null, null, "config", MediaTypes.OciManifest)]
    [InlineData("", null, "config", MediaTypes.OciManifest)]
    [InlineData(null, null, "manifests", MediaTypes.OciIndex)]
    [InlineData(MediaTypes.DockerManifest, null, "config", MediaTypes.DockerManifest)]
    [InlineData(null, MediaTypes.DockerManifest, "config", MediaTypes.DockerManifest)]
    [InlineData(MediaTypes.DockerList, MediaTypes.DockerList, "manifests", MediaTypes.DockerList)]
    public void The_type_is_what_is_declared_or_the_bodys_own_or_what_its_shape_says(
        string? declared,
        string? own,
        string shape,
        string expected
    ) => Assert.Equal(expected, Parse(Shape(own, shape), declared).MediaType);

    [Theory]
    [InlineData(MediaTypes.OciManifest, MediaTypes.DockerManifest, "config", "but its mediaType is")]
    [InlineData(MediaTypes.OciIndex, null, "config", "an index has no config and no layers")]
    [InlineData(MediaTypes.OciManifest, null, "manifests", "an image manifest has no member manifests")]
    [InlineData("application/json", null, "config", "application/json is not a manifest's media type")]
    [InlineData(null, "application/json", "config", "application/json is not a manifest's media type")]
    public void Types_that_disagree_are_refused(string? declared, string? own, string shape, string reason) =>
        AssertRefused(Shape(own, shape), declared, reason);

    public static TheoryData<string, string> Refused =>
        new()
        {
            { "", "not valid JSON" },
            { "[]", "not a JSON object" },
            { "null", "not a JSON object" },
            { "7", "not a JSON object" },
            { Image[..^5], "not valid JSON" },
            { Image + "{}", "not valid JSON" },
            { "{} // why", "not valid JSON" },
            { $$"""{"config":{{Descriptor('a', ConfigType)}},}""", "not valid JSON" },
            { $"{{\"x\":{new string('[', 1_000)}{new string(']', 1_000)}}}", "not valid JSON" },
            { Image.Replace("\"layers\"", "\"config\":null,\"layers\"", StringComparison.Ordinal), "config" },
            { Image.Replace("\"layers\"", "\"c\\u006fnfig\":null,\"layers\"", StringComparison.Ordinal), "config" },
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
    [MemberData(nameof(Refused))]
    public void What_breaks_a_rule_is_refused_with_its_reason(string json, string reason) =>
        AssertRefused(json, null, reason);

    [Theory]
    [InlineData("layers")]
    [InlineData("annotations")]
    [InlineData("subject")]
    [InlineData("mediaType")]
    [InlineData("artifactType")]
    public void A_null_member_is_an_absent_one(string name) =>
        Assert.Equal(
            name != "layers",
            Parse(
                name == "layers"
                    ? $$"""{"config":{{Descriptor('a', ConfigType)}},"layers":null}"""
                    : $$"""{"config":{{Descriptor('a', ConfigType)}},"layers":[{{Descriptor('b', LayerType)}}],"{{name}}":null}""",
                null
            ).IsImage
        );

    [Fact]
    public void A_null_list_of_manifests_is_an_empty_one() =>
        Assert.Empty(Parse("""{"manifests":null}""", null).Manifests);

    [Fact]
    public void Unknown_members_mean_nothing() =>
        Assert.Equal(
            [Hex('a'), Hex('b'), Hex('c')],
            Parse(Image.Insert(1, "\"x-later\":{\"a\":[1,null,{}]},\"Config\":7,"), null)
                .NeededBlobs.Select(d => d.Digest.ToString())
        );

    [Theory]
    [InlineData(10_000, true)]
    [InlineData(10_001, false)]
    public void An_index_holds_at_most_10_000_descriptors(int count, bool fits)
    {
        var index =
            $$"""{"manifests":[{{string.Join(',', Enumerable.Range(0, count).Select(i => Descriptor(i, MediaTypes.OciManifest)))}}]}""";
        if (fits)
        {
            Assert.Equal(count, Parse(index, null).NeededManifests.Count());
        }
        else
        {
            AssertRefused(index, null, "more than 10000 descriptors");
        }
    }

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
        var twice = Image.Replace("\"layers\"", "\"config\":null,\"layers\"", StringComparison.Ordinal);
        foreach (var json in (string[])["", "{", "{}{}", twice])
        {
            var error = Assert.Throws<InvalidContentException>(() => Parse(json, null));
            Assert.DoesNotContain("(line ,", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("LineNumber", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("byte )", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_manifest_of_4_MiB_of_annotations_is_read_in_a_moment()
    {
        const int most = 250_000;
        var (whole, tenth) = (Json(most), Json(most / 10));
        Assert.InRange(whole.Length, 2_000_000, Manifest.MaxContent);

        // Ten times as long takes ten times as much, and not a hundred times; the best of several, because others run here too.
        var (best, bestOfTenth) = (Time(whole, most), Time(tenth, most / 10));
        for (var i = 0; i < 20 && best > bestOfTenth * 30; i++)
        {
            best = Min(best, Time(whole, most));
            bestOfTenth = Min(bestOfTenth, Time(tenth, most / 10));
        }

        Assert.InRange(best / bestOfTenth, 0, 30);

        static byte[] Json(int count)
        {
            var members = string.Join(',', Enumerable.Range(0, count).Select(i => $"\"{i:x}\":\"\""));
            return Encoding.UTF8.GetBytes(WithSize($"1,\"annotations\":{{{members}}}"));
        }

        static TimeSpan Time(byte[] json, int expected)
        {
            var started = Stopwatch.GetTimestamp();
            Assert.Equal(expected, Manifest.Parse(json, null).Manifests[0].Annotations.Count);
            return Stopwatch.GetElapsedTime(started);
        }

        static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
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
                    var bytes = Encoding.UTF8.GetBytes(isIndex ? Index : Image);
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

    private static Manifest Parse(string json, string? declared) =>
        Manifest.Parse(Encoding.UTF8.GetBytes(json), declared);

    private static void AssertRefused(string json, string? declared, string reason)
    {
        var error = Assert.Throws<InvalidContentException>(() => Parse(json, declared));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    private static string Shape(string? own, string shape)
    {
        var type = own is null ? "" : $"\"mediaType\":\"{own}\",";
        return shape == "config"
            ? $"{{{type}\"config\":{Descriptor('a', ConfigType)}}}"
            : $"{{{type}\"manifests\":[]}}";
    }

    private static string With(string members) => $$"""{"manifests":[{ {{members}} }]}""";

    private static string WithSize(string? size) =>
        With($"\"digest\":\"{Hex('a')}\"" + (size is null ? "" : $",\"size\":{size}"));

    private static string Hex(char letter) => "sha256:" + new string(letter, 64);

    private static string Descriptor(char letter, string type) =>
        $$"""{"mediaType":"{{type}}","digest":"{{Hex(letter)}}","size":1}""";

    private static string Descriptor(int number, string type) =>
        $$"""{"mediaType":"{{type}}","digest":"sha256:{{number.ToString("x64", CultureInfo.InvariantCulture)}}","size":1}""";
}
