using System.Text;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Oci;

public sealed class ImageFactsTests
{
    private const string Config = """
        {"created":"2026-01-02T03:04:05Z","architecture":"x86_64","os":"kraftcloud",
         "config":{"Entrypoint":["/app"],"Cmd":["-c","/etc/app.conf"],"Env":["PATH=/bin","A="],"Labels":{"a":"1","b":null}}}
        """;

    [Fact]
    public void Arguments_environment_labels_and_date_stand_in_the_config()
    {
        var facts = Facts(Config);
        Assert.Equal(["/app", "-c", "/etc/app.conf"], facts.Args);
        Assert.Equal(["PATH=/bin", "A="], facts.Env);
        Assert.Equal(new Dictionary<string, string> { ["a"] = "1", ["b"] = "" }, facts.Labels);
        Assert.Equal("2026-01-02T03:04:05Z", facts.Created);
        Assert.False(facts.Initrd);
        Assert.False(facts.Rom);
        Assert.Equal("", facts.KernelArgs);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"config":null}""")]
    [InlineData("""{"config":{"Entrypoint":null,"Cmd":null,"Env":null,"Labels":null},"created":null}""")]
    public void What_is_absent_is_empty(string config)
    {
        var facts = Facts(config);
        Assert.Empty(facts.Args);
        Assert.Empty(facts.Env);
        Assert.Empty(facts.Labels);
        Assert.Null(facts.Created);
    }

    [Theory]
    [InlineData("application/vnd.unikraft.initrd.v1", "", true, false)]
    [InlineData("application/vnd.unikraft.initrd.v1.tar+gzip", "", true, false)]
    [InlineData("application/vnd.unikraft.rom.v1", "", false, true)]
    [InlineData("application/vnd.unikraft.rom.v2", "", false, false)]
    [InlineData("application/vnd.oci.image.layer.v1.tar", "org.unikraft.kernel.initrd", true, false)]
    [InlineData("application/vnd.oci.image.layer.v1.tar", "org.unikraft.kernel.image", false, false)]
    public void An_initrd_or_a_ROM_shows_in_a_layers_type_or_annotation(
        string type,
        string annotation,
        bool initrd,
        bool rom
    )
    {
        var annotations = annotation.Length == 0 ? "{}" : $$"""{"{{annotation}}":"/x"}""";
        var facts = Facts("{}", [], (type, annotations));
        Assert.Equal((initrd, rom), (facts.Initrd, facts.Rom));
    }

    [Fact]
    public void An_initrd_shows_as_the_only_file_of_a_layer()
    {
        Assert.True(Facts("{}", [null, new TarFacts(TarFacts.Initrd, null)]).Initrd);
        Assert.False(Facts("{}", [new TarFacts(null, null), new TarFacts("etc/initrd", null)]).Initrd);
    }

    [Fact]
    public void The_last_layer_with_a_command_line_counts()
    {
        TarFacts?[] layers = [new TarFacts(null, "first"), null, new TarFacts(null, "last"), new TarFacts("a", null)];
        Assert.Equal("last", Facts("{}", layers).KernelArgs);
        Assert.Equal("", Facts("{}", [new TarFacts(null, "first"), new TarFacts(null, "")]).KernelArgs);
    }

    private static ImageFacts Facts(
        string config,
        IReadOnlyList<TarFacts?>? layerFacts = null,
        params (string Type, string Annotations)[] layers
    )
    {
        var manifest =
            layers.Length > 0 || layerFacts is null
                ? Manifest(layers)
                : Manifest([.. layerFacts.Select(_ => ("application/vnd.oci.image.layer.v1.tar", "{}"))]);
        var stored = manifest.Layers.Select((_, i) => new StoredLayer(1, layerFacts?.ElementAtOrDefault(i)));
        return ImageFacts.Of(manifest, ImageConfig.Read(Encoding.UTF8.GetBytes(config)), [.. stored]);
    }

    private static Manifest Manifest(params (string Type, string Annotations)[] layers)
    {
        var digest = "sha256:" + new string('a', 64);
        var list = layers.Select(l =>
            $$"""{"mediaType":"{{l.Type}}","digest":"{{digest}}","size":1,"annotations":{{l.Annotations}}}"""
        );
        var json = $$"""{"config":{"digest":"{{digest}}","size":1},"layers":[{{string.Join(',', list)}}]}""";
        return ImagesFunctions.Oci.Manifest.Parse(Encoding.UTF8.GetBytes(json), MediaTypes.OciManifest);
    }
}
