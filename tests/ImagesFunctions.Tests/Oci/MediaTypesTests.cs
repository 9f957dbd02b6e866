using System.Text;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Oci;

/// <summary>Media types are compared without case (RFC 6838, section 4.2) and kept as they were sent.</summary>
public sealed class MediaTypesTests
{
    private const string Hex = "sha256:00000000000000000000000000000000000000000000000000000000000000aa";

    public static TheoryData<string> Manifests =>
        [
            MediaTypes.OciManifest.ToUpperInvariant(),
            MediaTypes.DockerManifest.ToUpperInvariant(),
            "Application/Vnd.Oci.Image.Manifest.V1+JSON",
        ];

    public static TheoryData<string> Indexes =>
        [
            MediaTypes.OciIndex.ToUpperInvariant(),
            MediaTypes.DockerList.ToUpperInvariant(),
            "Application/Vnd.Oci.Image.Index.V1+JSON",
        ];

    [Theory]
    [MemberData(nameof(Manifests))]
    public void An_image_manifest_is_one_in_any_case(string type)
    {
        Assert.True(MediaTypes.IsImageManifest(type) && MediaTypes.IsManifest(type) && !MediaTypes.IsIndex(type));
        var manifest = Parse(
            $$"""{"mediaType":"{{type}}",{{Config("APPLICATION/VND.OCI.IMAGE.CONFIG.V1+JSON")}},"layers":[{{Layer("APPLICATION/VND.OCI.IMAGE.LAYER.V1.TAR")}}]}"""
        );
        Assert.Equal((type, true, false), (manifest.MediaType, manifest.IsImage, manifest.IsIndex));
    }

    [Theory]
    [MemberData(nameof(Indexes))]
    public void An_index_and_its_children_are_manifests_in_any_case(string type)
    {
        Assert.True(MediaTypes.IsIndex(type) && MediaTypes.IsManifest(type) && !MediaTypes.IsImageManifest(type));
        var index = Parse(
            $$"""{"mediaType":"{{type}}","manifests":[{"mediaType":"{{type}}","digest":"{{Hex}}","size":1}]}"""
        );
        Assert.Equal((type, true), (index.MediaType, index.IsIndex));
        Assert.Equal(type, Assert.Single(index.NeededManifests).MediaType);
        Assert.Empty(index.NeededBlobs);
    }

    [Theory]
    [InlineData("APPLICATION/VND.OCI.IMAGE.CONFIG.V1+JSON", true)]
    [InlineData("Application/vnd.Docker.Container.Image.v1+json", true)]
    [InlineData("APPLICATION/VND.OCI.EMPTY.V1+JSON", false)]
    public void The_config_makes_an_image_in_any_case(string type, bool isImage) =>
        Assert.Equal(
            isImage,
            Parse(
                $$"""{{{Config(type)}},"layers":[{{Layer("Application/vnd.docker.image.rootfs.DIFF.tar")}}]}"""
            ).IsImage
        );

    [Theory]
    [InlineData("APPLICATION/VND.UNIKRAFT.INITRD.V1", true, false)]
    [InlineData("Application/Vnd.Unikraft.Initrd.V1.Tar+GZIP", true, false)]
    [InlineData("APPLICATION/VND.UNIKRAFT.ROM.V1", false, true)]
    public void An_initrd_and_a_ROM_are_seen_in_any_case(string type, bool initrd, bool rom)
    {
        var manifest = Parse($$"""{{{Config(MediaTypes.OciManifest)}},"layers":[{{Layer(type)}}]}""");
        var facts = ImageFacts.Of(manifest, ImageConfig.Read("{}"u8.ToArray()), [null]);
        Assert.Equal((initrd, rom), (facts.Initrd, facts.Rom));
    }

    [Theory]
    [InlineData("APPLICATION/VND.OCI.IMAGE.LAYER.NONDISTRIBUTABLE.V1.TAR")]
    [InlineData("Application/Vnd.Docker.Image.Rootfs.Foreign.Diff.Tar.Gzip")]
    public void A_layer_that_may_not_be_distributed_may_be_absent_in_any_case(string type)
    {
        var manifest = Parse($$"""{{{Config(MediaTypes.OciManifest)}},"layers":[{{Layer(type)}}]}""");
        Assert.DoesNotContain(manifest.NeededBlobs, needed => needed.MediaType == type);
    }

    [Fact]
    public void A_declared_type_and_the_bodys_may_differ_in_case_and_the_declared_one_is_kept()
    {
        var declared = MediaTypes.OciManifest.ToUpperInvariant();
        var body = $$"""{"mediaType":"{{MediaTypes.OciManifest}}",{{Config(MediaTypes.OciManifest)}}}""";
        Assert.Equal(declared, Manifest.Parse(Encoding.UTF8.GetBytes(body), declared).MediaType);
    }

    private static Manifest Parse(string body) => Manifest.Parse(Encoding.UTF8.GetBytes(body), null);

    private static string Config(string type) => $"\"config\":{Layer(type)}";

    private static string Layer(string type) =>
        $$"""{"mediaType":"{{type}}","digest":"sha256:{{Convert.ToHexStringLower(
            System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(type))
        )}}","size":2}""";
}
