using System.Net;
using System.Text.Json.Nodes;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Acceptance;

/// <summary>Lists show what could run, with the facts of what would; all else can be pulled, and says why it is not listed.</summary>
public sealed class WhatIsAnImage(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private readonly string _repository = $"{Drop.Fresh("alice")}/web";
    private readonly Layout _layout = new();

    private string Account => _repository.Split('/')[0];

    // Each makes a manifest that is not an image; the second one is what the problem says.
    private static readonly Dictionary<string, (Func<Layout, JsonObject> Make, string Why)> Others = new(
        StringComparer.Ordinal
    )
    {
        ["a signature of cosign"] = (
            l => l.AddCosign("application/vnd.dev.cosign.simplesigning.v1+json", "{\"critical\":{}}"),
            "none of its layers"
        ),
        ["an attestation of cosign"] = (
            l => l.AddCosign("application/vnd.dsse.envelope.v1+json", "{}"),
            "none of its layers"
        ),
        ["an SBOM of cosign attach"] = (l => l.AddCosign("text/spdx+json", "{}"), "none of its layers"),
        ["an SBOM of another type"] = (l => l.AddCosign("application/vnd.cyclonedx+xml", "<a/>"), "none of its layers"),
        ["a referrer"] = (l => l.AddReferrer(l.AddImage("subject")), "it refers to sha256:"),
        ["the referrers fallback tag"] = (
            l => l.AddIndex(Layout.OciIndex, l.AddReferrer(l.AddImage("subject"))),
            "it names no image"
        ),
        ["an index of attestations alone"] = (
            l => l.AddIndex(Layout.OciIndex, l.AddAttestation(l.AddImage("subject"))),
            "it names no image"
        ),
        ["an empty index"] = (l => l.AddIndex(Layout.OciIndex), "it names no image"),
        ["an index of an empty index"] = (
            l => l.AddIndex(Layout.OciIndex, l.AddIndex(Layout.OciIndex)),
            "it names no image"
        ),
        ["a cache of BuildKit in its old form"] = (
            l =>
                l.AddIndex(
                    Layout.OciIndex,
                    l.Add(Layout.OciLayer, [1, 2]),
                    l.Add("application/vnd.buildkit.cacheconfig.v0", "{}"u8.ToArray())
                ),
            "it names no image"
        ),
        ["a cache of BuildKit in its new form"] = (
            l =>
                l.AddManifest(
                    l.Add("application/vnd.buildkit.cacheconfig.v0", "{}"u8.ToArray()),
                    l.Add(Layout.OciLayer, [1, 2])
                ),
            "its config is of the type application/vnd.buildkit.cacheconfig.v0"
        ),
        ["an image without layers"] = (l => l.AddLayers(), "none of its layers"),
        ["a kernel for debuggers alone"] = (
            l => l.AddLayers((Layout.OciTar, "org.unikraft.kernel.imagedbg")),
            "none of its layers"
        ),
        ["a plugin of Docker"] = (
            l =>
                l.AddImageOf(
                    """{"interface":{"types":[]},"entrypoint":["/p"],"rootfs":{"type":"layers","diff_ids":[]}}""",
                    "application/octet-stream",
                    Layout.DockerManifest
                ),
            "not an image's by its content"
        ),
        ["octets in a manifest of Docker"] = (
            l => l.AddImageOf("\u0001\u0002", "application/octet-stream", Layout.DockerManifest),
            "not an image's by its content"
        ),
        ["an octet-stream in a manifest of OCI"] = (
            l => l.AddImageOf("""{"architecture":"amd64","os":"linux"}""", "application/octet-stream"),
            "its config is of the type application/octet-stream"
        ),
    };

    public static TheoryData<string> OtherNames => [.. Others.Keys];

    public static TheoryData<string, string?> RunnableLayers =>
        new()
        {
            { Layout.OciTar, null },
            { Layout.OciLayer, null },
            { "application/vnd.oci.image.layer.v1.tar+zstd", null },
            { "application/vnd.docker.image.rootfs.diff.tar.gzip", null },
            { "application/vnd.unikraft.rom.v1", null },
            { "application/vnd.unikraft.initrd.v1", null },
            { "application/octet-stream", "org.unikraft.kernel.image" },
            { "application/octet-stream", "org.unikraft.kernel.initrd" },
        };

    [Theory]
    [MemberData(nameof(OtherNames))]
    public async Task What_could_not_run_is_pulled_and_not_listed_and_says_why(string name)
    {
        var (make, why) = Others[name];
        var client = await RegistryClient.ForAsync(Host, Account);
        var token = await Host.TokenForAsync(Account);
        var other = make(_layout);
        var image = _layout.AddImage("beside");

        await client.PushAsync(_repository, _layout.Index(Layout.Tagged(other, "other"), Layout.Tagged(image, "v")));

        Assert.Equal([_layout.Listed(_repository, image, "beside", "v")], await TaggedAsync(token), Same);
        var pulled = await client.GetAsync($"/v2/{_repository}/manifests/other");
        Assert.Equal((HttpStatusCode.OK, Layout.Digest(other)), (pulled.Status, pulled["Docker-Content-Digest"]));
        var problem = Assert.Single(await ProblemsAsync(token));
        Assert.Equal(
            ("not_image", _repository, Layout.Digest(other), "other"),
            (Text(problem, "kind"), Text(problem, "repository"), Text(problem, "manifest"), Tags(problem))
        );
        Assert.Contains(why, Text(problem, "reason"), StringComparison.Ordinal);
        var byTag = await Host.GetAsync($"v1/images/tag/{_repository}:other", $"Bearer {token}");
        Assert.Equal(HttpStatusCode.NotFound, byTag.Status);
        Assert.Matches(
            $"^No image with name '{_repository}:other': it is in the registry, but not an image, because .*{why}",
            Text(byTag.Json, "message")
        );
        var stranger = await Host.TokenForAsync(Drop.Fresh("bob"));
        var unseen = await Host.GetAsync($"v1/images/tag/{_repository}:other", $"Bearer {stranger}");
        Assert.Equal($"No image with name '{_repository}:other'", Text(unseen.Json, "message"));
    }

    [Theory]
    [MemberData(nameof(RunnableLayers))]
    public async Task One_layer_that_could_run_makes_an_image(string type, string? annotation)
    {
        var client = await RegistryClient.ForAsync(Host, Account);
        var token = await Host.TokenForAsync(Account);
        var image = _layout.AddLayers((type, annotation));

        await client.PushAsync(_repository, _layout.Index(Layout.Tagged(image, "v")));

        Assert.Equal($"{_repository}@{Layout.Digest(image)}", Text(Assert.Single(await TaggedAsync(token)), "digest"));
        Assert.Empty(await ProblemsAsync(token));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task An_attestation_is_no_platform_wherever_it_stands(bool first, bool nested)
    {
        var client = await RegistryClient.ForAsync(Host, Account);
        var token = await Host.TokenForAsync(Account);
        var image = _layout.AddImage("run");
        var attestation = _layout.AddAttestation(image);
        var platform = Layout.For(image, "linux", "amd64");
        var index = _layout.AddIndex(Layout.OciIndex, first ? [attestation, platform] : [platform, attestation]);
        var named = nested ? _layout.AddIndex(Layout.OciIndex, attestation, index) : index;

        await client.PushAsync(_repository, _layout.Index(Layout.Tagged(named, "v")));

        var expected = _layout.Listed(_repository, image, "run", "v");
        expected["digest"] = $"{_repository}@{Layout.Digest(named)}";
        Assert.Equal([expected], await TaggedAsync(token), Same);
    }

    [Theory]
    [InlineData("""{"architecture":"amd64","os":"linux","config":{"Cmd":["python3"]},"rootfs":{"type":"layers"}}""")]
    [InlineData("""{"rootfs":{"type":"layers","diff_ids":[]},"config":{"Cmd":["python3"]}}""")]
    [InlineData("""{"architecture":"amd64","os":"linux","config":{"Cmd":["python3"]}}""")]
    public async Task An_image_of_Docker_counts_by_the_content_of_its_config(string config)
    {
        var client = await RegistryClient.ForAsync(Host, Account);
        var token = await Host.TokenForAsync(Account);
        var image = _layout.AddImageOf(config, "application/octet-stream", Layout.DockerManifest);

        await client.PushAsync(_repository, _layout.Index(Layout.Tagged(image, "v")));

        Assert.Equal("python3", Text(Assert.Single(await TaggedAsync(token)), "args"));
    }

    [Theory]
    [InlineData("""{"config":{"Entrypoint":"/bin/run"}}""", "/bin/run", "")]
    [InlineData("""{"config":{"Entrypoint":["/bin/run"],"Cmd":"-c"}}""", "/bin/run -c", "")]
    [InlineData("""{"config":{"Cmd":["sh",7],"Entrypoint":["/bin/run"]}}""", "/bin/run", "Cmd is not")]
    [InlineData("""{"config":{"Cmd":["sh"],"Labels":{"a":1,"b":"2"}}}""", "sh", "the label 'a' is not a string")]
    [InlineData("no json", "", "the config is not valid JSON")]
    public async Task An_unlucky_config_costs_what_cannot_be_read_and_not_the_push(
        string config,
        string args,
        string leftOut
    )
    {
        var client = await RegistryClient.ForAsync(Host, Account);
        var token = await Host.TokenForAsync(Account);
        var image = _layout.AddImageOf(config);

        await client.PushAsync(_repository, _layout.Index(Layout.Tagged(image, "v")));

        var listed = Assert.Single(await TaggedAsync(token));
        Assert.Equal(args, Text(listed, "args"));
        Assert.True(listed["size_in_bytes"]!.GetValue<long>() > config.Length);
        var problems = await ProblemsAsync(token);
        if (leftOut.Length == 0)
        {
            Assert.Empty(problems);
            return;
        }

        var problem = Assert.Single(problems);
        Assert.Equal(
            ("left_out", Layout.Digest(image), "v"),
            (Text(problem, "kind"), Text(problem, "manifest"), Tags(problem))
        );
        Assert.Contains(leftOut, Text(problem, "reason"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dropped_layout_is_told_apart_in_the_same_way()
    {
        var token = await Host.TokenForAsync(Account);
        var image = _layout.AddImage("run");
        var signature = _layout.AddCosign("application/vnd.dev.cosign.simplesigning.v1+json", "{}");
        var unlucky = _layout.AddImageOf("""{"config":{"Entrypoint":"/bin/run","Env":{}}}""");
        _layout.Index(
            Layout.Tagged(image, "v"),
            Layout.Tagged(signature, $"{Layout.Digest(image).Replace(':', '-')}.sig"),
            Layout.Tagged(unlucky, "unlucky")
        );

        await Host.LayoutAsync(_repository, _layout);

        await Until.TrueAsync(
            async () => (await TaggedAsync(token)).Count == 2 && (await ProblemsAsync(token)).Count == 2,
            () => Host.ExplainAsync(Account)
        );
        Assert.Equal(
            ["left_out", "not_image"],
            (await ProblemsAsync(token)).Select(p => Text(p, "kind")).Order(StringComparer.Ordinal)
        );
        Assert.Empty((await Host.StatusAsync(Account)).Refused);
    }

    [Fact]
    public async Task A_child_without_a_media_type_is_the_manifest_that_it_is()
    {
        var client = await RegistryClient.ForAsync(Host, Account);
        var token = await Host.TokenForAsync(Account);
        var image = _layout.AddImage("run");
        var child = image.DeepClone().AsObject();
        child.Remove("mediaType");
        var index = _layout.AddIndex(Layout.OciIndex, child);

        await client.PushAsync(_repository, _layout.Index(image, Layout.Tagged(index, "v")));

        var expected = _layout.Listed(_repository, image, "run", "v");
        expected["digest"] = $"{_repository}@{Layout.Digest(index)}";
        Assert.Equal([expected], await TaggedAsync(token), Same);
    }

    [Fact]
    public async Task A_dropped_child_without_a_media_type_is_the_manifest_that_it_is()
    {
        var token = await Host.TokenForAsync(Account);
        var image = _layout.AddImage("run");
        var child = image.DeepClone().AsObject();
        child.Remove("mediaType");
        var index = _layout.AddIndex(Layout.OciIndex, child);

        await Host.LayoutAsync(_repository, _layout.Index(Layout.Tagged(index, "v")));

        var expected = _layout.Listed(_repository, image, "run", "v");
        expected["digest"] = $"{_repository}@{Layout.Digest(index)}";
        await Host.ListsExactlyAsync(token, _repository, expected);
    }

    private static bool Same(JsonObject one, JsonObject other) =>
        ImagesList.Canonical(one) == ImagesList.Canonical(other);

    private static string Text(JsonObject json, string member) => json[member]!.GetValue<string>();

    private static string Tags(JsonObject problem) => string.Join(' ', problem["tags"]!.AsArray());

    private async Task<IReadOnlyList<JsonObject>> TaggedAsync(string token) =>
        (await Host.ListAsync(token, $"namespace={_repository}&tagged")).Images;

    private async Task<IReadOnlyList<JsonObject>> ProblemsAsync(string token) =>
        [
            .. (await Host.GetAsync("v1/images/problems", $"Bearer {token}")).Json["data"]!["problems"]!
                .AsArray()
                .Select(p => p!.AsObject()),
        ];
}
