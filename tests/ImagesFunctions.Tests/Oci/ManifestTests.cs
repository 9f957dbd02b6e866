using System.Diagnostics;
using System.Text;
using ImagesFunctions.Oci;
using static ImagesFunctions.Tests.Oci.Manifests;

namespace ImagesFunctions.Tests.Oci;

public sealed class ManifestTests
{
    [Fact]
    public void An_image_manifest_needs_its_config_and_layers()
    {
        var manifest = Parse(ImageJson, null);
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
        var index = Parse(IndexJson, null);
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
            Parse(ImageJson.Insert(1, "\"x-later\":{\"a\":[1,null,{}]},\"Config\":7,"), null)
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
    public void A_manifest_of_4_MiB_of_annotations_is_read_in_a_moment()
    {
        const int most = 250_000;
        var (whole, tenth) = (Json(most), Json(most / 10));
        Assert.InRange(whole.Length, 2_000_000, Manifest.MaxContent);

        // As much as ten of a tenth, and not ten times as much; the best of several. Both take about as long, so that others who run
        // here take as many turns from the one as from the other.
        var (best, bestOfTenths) = (Time(whole, most, times: 1), Time(tenth, most / 10, times: 10));
        for (var i = 0; i < 20 && best > bestOfTenths * 3; i++)
        {
            best = Min(best, Time(whole, most, times: 1));
            bestOfTenths = Min(bestOfTenths, Time(tenth, most / 10, times: 10));
        }

        Assert.InRange(best / bestOfTenths, 0, 3);

        static byte[] Json(int count)
        {
            var members = string.Join(',', Enumerable.Range(0, count).Select(i => $"\"{i:x}\":\"\""));
            return Encoding.UTF8.GetBytes(WithSize($"1,\"annotations\":{{{members}}}"));
        }

        static TimeSpan Time(byte[] json, int expected, int times)
        {
            var started = Stopwatch.GetTimestamp();
            for (var i = 0; i < times; i++)
            {
                Assert.Equal(expected, Manifest.Parse(json, null).Manifests[0].Annotations.Count);
            }

            return Stopwatch.GetElapsedTime(started);
        }

        static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
    }
}
