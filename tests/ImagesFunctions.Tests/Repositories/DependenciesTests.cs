using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Oci;
using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.Repositories;

/// <summary>What manifests need, as rows.</summary>
public sealed class DependenciesTests
{
    private const string Layer = Manifests.LayerType;

    [Fact]
    public void An_image_needs_its_config_and_layers_and_an_index_its_manifests_by_their_types()
    {
        Assert.Equal(
            ["config", "layer1", "layer2"],
            NeedsOf(ImageOf("layer1", "layer2", "layer1")).Select(n => n.Name).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            [("image", MediaTypes.OciManifest), ("list", MediaTypes.DockerList)],
            NeedsOf(IndexOf(("image", MediaTypes.OciManifest), ("list", MediaTypes.DockerList))).Order()
        );
        // What is no manifest in an index is needed as a blob.
        Assert.Equal([("layer", null)], NeedsOf(IndexOf(("layer", Layer))));
        Assert.Empty(NeedsOf(IndexOf()));
    }

    [Fact]
    public void What_may_be_elsewhere_is_not_needed()
    {
        var foreign =
            $$"""{"mediaType":"{{Layer}}","digest":"{{D("far")}}","size":1,"urls":["https://example.org/far"]}""";
        var manifest = Manifests.Parse(
            $$"""{"config":{{Text("config", Manifests.ConfigType)}},"layers":[{{foreign}},{{Text("near", Layer)}}]}""",
            MediaTypes.OciManifest
        );
        Assert.Equal(["config", "near"], NeedsOf(manifest).Select(n => n.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void What_one_refers_to_is_not_needed() =>
        Assert.Equal(
            [("config", null)],
            NeedsOf(
                Manifests.Parse(
                    $$"""{"config":{{Text("config", "a/b")}},"layers":[],"subject":{{Text("subject", MediaTypes.OciManifest)}}}""",
                    MediaTypes.OciManifest
                )
            )
        );

    [Fact]
    public void Rows_come_by_falling_keys_so_that_the_lowest_is_written_last()
    {
        var manifest = ImageOf([.. Enumerable.Range(0, 150).Select(i => $"layer{i}")]);
        var needs = Dependencies.Of(new BlobPath(Web, D("image")), manifest);
        Assert.Equal(151, needs.Count);
        Assert.Equal(
            needs.Select(n => n.Key).OrderDescending(StringComparer.Ordinal).Distinct(StringComparer.Ordinal),
            needs.Select(n => n.Key)
        );
        Assert.All(needs, need => Assert.Equal((App, D("image")), (need.App, need.By.Digest)));
    }

    private static IEnumerable<(string Name, string? Type)> NeedsOf(Manifest manifest) =>
        Dependencies
            .Of(new BlobPath(Web, D("image")), manifest)
            .Select(need => (SomeRows.Text($"{need.Needed}"), need.ManifestType));

    private static Manifest ImageOf(params string[] layers) =>
        Manifests.Parse(Manifests.ImageOf([.. layers.Select(D)], D("config")), MediaTypes.OciManifest);

    private static Manifest IndexOf(params (string Name, string Type)[] manifests) =>
        Manifests.Parse(Manifests.IndexOf([.. manifests.Select(m => (D(m.Name), m.Type))]), MediaTypes.OciIndex);

    private static string Text(string name, string type) => Manifests.Descriptor(D(name), type);
}
