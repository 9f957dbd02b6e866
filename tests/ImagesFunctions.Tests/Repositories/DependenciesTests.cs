using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Oci;
using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.Repositories;

/// <summary>What manifests need, as rows.</summary>
public sealed class DependenciesTests(SharedNode shared) : IClassFixture<SharedNode>
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
        var needs = Dependencies.NeedsOf(Web, D("image"), manifest);
        Assert.Equal(151, needs.Count);
        Assert.Equal(
            needs.Select(n => n.Key).OrderDescending(StringComparer.Ordinal).Distinct(StringComparer.Ordinal),
            needs.Select(n => n.Key)
        );
        Assert.All(needs, need => Assert.Equal((App, D("image")), (need.App, need.By.Digest)));
    }

    [Theory]
    [InlineData("", "config, layer1, layer2")]
    [InlineData("config layer1 layer2", "")]
    [InlineData("config layer2", "layer1")]
    [InlineData("config layer1 -layer2", "layer2")]
    public async Task Of_an_image_those_blobs_are_missing_that_are_not_verified(string stored, string missing)
    {
        var repository = await PutAsync(
            stored
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(name => Blob(name.TrimStart('-'), name[0] == '-' ? Invalid : BlobState.Good).ToRow())
        );
        Assert.Equal(missing, await MissingAsync(repository, ImageOf("layer1", "layer2")));
    }

    [Fact]
    public async Task Of_an_index_those_manifests_are_missing_that_are_not_complete()
    {
        string[] names = ["complete", "hidden", "waiting", "deleted", "none"];
        var repository = await PutAsync([
            .. names[..4].Select((name, i) => Image(name, Enum.GetValues<ImageState>()[i]).ToRow()),
            // The blob of a manifest is no manifest.
            Blob("none").ToRow(),
        ]);
        var index = IndexOf([.. names.Select(name => (name, MediaTypes.OciManifest))]);
        Assert.Equal("hidden, waiting, deleted, none", await MissingAsync(repository, index));
    }

    private static IEnumerable<(string Name, string? Type)> NeedsOf(Manifest manifest) =>
        Dependencies
            .NeedsOf(Web, D("image"), manifest)
            .Select(need => (SomeRows.Text($"{need.Needed}"), need.ManifestType));

    private static Manifest ImageOf(params string[] layers) =>
        Manifests.Parse(
            $$"""
            {"config":{{Text("config", Manifests.ConfigType)}},
             "layers":[{{string.Join(',', layers.Select(layer => Text(layer, Layer)))}}]}
            """,
            MediaTypes.OciManifest
        );

    private static Manifest IndexOf(params (string Name, string Type)[] manifests) =>
        Manifests.Parse(
            $$"""{"manifests":[{{string.Join(',', manifests.Select(m => Text(m.Name, m.Type)))}}]}""",
            MediaTypes.OciIndex
        );

    private static string Text(string name, string type) =>
        $$"""{"mediaType":"{{type}}","digest":"{{D(name)}}","size":1}""";

    // Writes rows into a namespace that has none.
    private async Task<Repository> PutAsync(IEnumerable<TableRow> rows)
    {
        var repository = Repository.Of($"n{Guid.NewGuid():N}", App);
        Change[] changes = [.. rows.Select(row => new Change(row.Key, row))];
        if (changes.Length > 0)
        {
            var written = await shared.Node.Storage.ImageRows.WriteAsync(repository.Namespace, changes, Stop);
            Assert.True(written.IsDone);
        }

        return repository;
    }

    private async Task<string> MissingAsync(Repository repository, Manifest manifest) =>
        string.Join(
            ", ",
            (await Dependencies.MissingAsync(shared.Node.RowStore, repository, manifest, Stop)).Select(d =>
                SomeRows.Text($"{d}")
            )
        );
}
