using System.Security.Cryptography;
using System.Text.Json.Nodes;
using ImagesFunctions.Tests.RealImages;

namespace ImagesFunctions.Tests.Registry;

/// <summary>Pushes, pulls, looks and deletes with the clients that people have; the list is held against what they did.</summary>
public sealed class RealClients(KestrelFixture fixture) : AgainstAHost(fixture), IDisposable
{
    private const string NoTlsTo = "--dest-tls-verify=false";
    private const string NoTlsFrom = "--src-tls-verify=false";

    private readonly string account = Drop.Fresh("alice");
    private readonly string folder = Directory.CreateTempSubdirectory("clients").FullName;
    private string token = "";

    private string Registry => Host.Http.BaseAddress!.Authority;

    private string Credentials => $"{account}:{token}";

    void IDisposable.Dispose()
    {
        GC.SuppressFinalize(this);
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("oci")]
    [InlineData("dir")]
    [InlineData("docker-archive")]
    public async Task Skopeo_copies_in_from_each_of_its_sources_and_back_out(string transport)
    {
        await BeginAsync();
        var layout = await MadeAsync("v1");
        var path = Path.Combine(folder, transport);
        var source =
            $"{transport}:{path}"
            + transport switch
            {
                "oci" => ":v1",
                "docker-archive" => ":some/name:v1",
                _ => "",
            };
        await SkopeoAsync("copy", Made("v1"), source);

        await SkopeoAsync("copy", NoTlsTo, "--dest-creds", Credentials, source, Remote("app:v1"));

        var digest = (await InspectAsync("app:v1"))["Digest"]!.GetValue<string>();
        await IsListedAsync("app", (digest, ["v1"]));
        var back = Path.Combine(folder, "back");
        await SkopeoAsync("copy", NoTlsFrom, "--src-creds", Credentials, Remote("app:v1"), $"oci:{back}:v1");
        var pulled = Layout.FromFolder(back);
        Assert.All(pulled.Needs(pulled.FirstImage), one => Assert.Contains(one, pulled.Files.Keys));
        // An archive of docker holds no OCI manifest: skopeo makes one of docker's, and here an OCI one of that.
        Assert.Equal(transport != "docker-archive", layout.FirstImage == digest);
        Assert.Equal(transport != "docker-archive", pulled.FirstImage == digest);
    }

    [Fact]
    public async Task Skopeo_copies_an_image_for_many_platforms_lists_its_tags_and_deletes_it()
    {
        await BeginAsync();
        var (layout, index, source) = await ManyPlatformsAsync();

        await SkopeoAsync("copy", "--all", NoTlsTo, "--dest-creds", Credentials, source, Remote("multi:v1"));
        // To the same registry: layers are mounted.
        string[] both = [NoTlsFrom, NoTlsTo, "--src-creds", Credentials, "--dest-creds", Credentials];
        await SkopeoAsync(["copy", "--all", .. both, Remote("multi:v1"), Remote("multi/copy:v2")]);

        await IsListedAsync("multi", (index, ["v1"]));
        await IsListedAsync("multi/copy", (index, ["v2"]));
        var tags = await SkopeoAsync("list-tags", "--tls-verify=false", "--creds", Credentials, Remote("multi"));
        Assert.Equal("v1", Assert.Single(JsonNode.Parse(tags)!["Tags"]!.AsArray())!.GetValue<string>());
        var back = Path.Combine(folder, "back");
        await SkopeoAsync(
            "copy",
            "--all",
            NoTlsFrom,
            "--src-creds",
            Credentials,
            Remote("multi/copy:v2"),
            $"oci:{back}:v1"
        );
        var pulled = Layout.FromFolder(back);
        foreach (var path in layout.Needs(index))
        {
            Assert.Equal(layout.Files[path], pulled.Files[path]);
        }

        await SkopeoAsync("delete", "--tls-verify=false", "--creds", Credentials, Remote("multi:v1"));
        Assert.Empty((await Host.ListAsync(token, $"namespace={account}/multi")).Images);
        await IsListedAsync("multi/copy", (index, ["v2"]));
    }

    // Its layout, the digest of its index, and where it is for skopeo.
    private async Task<(Layout Layout, string Index, string Source)> ManyPlatformsAsync()
    {
        var layout = await MadeAsync("one", "two");
        var images = layout.Manifests;
        var index = layout.AddIndex(
            Layout.OciIndex,
            Layout.For(images[0], "linux", "amd64"),
            Layout.For(images[1], "linux", "arm64")
        );
        layout.Index(Layout.Tagged(index, "v1"));
        layout.WriteTo(Path.Combine(folder, "layout"));
        return (layout, Layout.Digest(index), $"oci:{Path.Combine(folder, "layout")}:v1");
    }

    [Fact]
    public async Task Skopeo_syncs_a_repository_out_and_into_another_one()
    {
        await BeginAsync();
        var client = await RegistryClient.ForAsync(Host, account);
        foreach (var text in new[] { "one", "two" })
        {
            await client.PushAsync($"{account}/synced", Layout.Small(text, text));
        }

        var to = Path.Combine(folder, "synced");
        await SkopeoAsync(
            "sync",
            NoTlsFrom,
            "--src-creds",
            Credentials,
            "--src",
            "docker",
            "--dest",
            "dir",
            $"{Registry}/{account}/synced",
            to
        );
        await SkopeoAsync(
            "sync",
            NoTlsTo,
            "--dest-creds",
            Credentials,
            "--src",
            "dir",
            "--dest",
            "docker",
            to,
            $"{Registry}/{account}/into"
        );

        var digests = (await Host.ListAsync(token, $"namespace={account}")).Images.Select(i =>
            $"{i["digest"]!.GetValue<string>().Split('@')[1]} {i["tags"]![0]!.GetValue<string>().Split(':')[1]}"
        );
        Assert.All(digests.GroupBy(d => d, StringComparer.Ordinal), same => Assert.Equal(2, same.Count()));
        Assert.Equal(4, digests.Count());
    }

    [Fact]
    public async Task An_image_that_umoci_made_is_pushed_and_pulled_byte_for_byte()
    {
        await BeginAsync();
        // Longer than a few blocks, and nothing that compresses.
        var pushed = await MadeAsync(20_000_000, "v1");

        await SkopeoAsync("copy", NoTlsTo, "--dest-creds", Credentials, Made("v1"), Remote("umoci:v1"));
        var back = Path.Combine(folder, "back");
        await SkopeoAsync("copy", NoTlsFrom, "--src-creds", Credentials, Remote("umoci:v1"), $"oci:{back}:v1");

        var pulled = Layout.FromFolder(back);
        foreach (var path in pushed.Needs(pushed.FirstImage))
        {
            Assert.Equal(pushed.Files[path], pulled.Files[path]);
        }

        await IsListedAsync("umoci", (pushed.FirstImage, ["v1"]));
    }

    [Fact]
    public async Task Buildah_builds_pushes_and_pulls()
    {
        await BeginAsync();
        string[] storage =
        [
            "--storage-driver",
            "vfs",
            "--root",
            Path.Combine(folder, "root"),
            "--runroot",
            Path.Combine(folder, "runroot"),
        ];
        Task<string> BuildahAsync(params string[] arguments) => Tool.RunAsync("buildah", [.. storage, .. arguments]);
        var file = Path.Combine(folder, "file");
        await File.WriteAllTextAsync(file, "built", TestContext.Current.CancellationToken);
        var container = (await BuildahAsync("from", "scratch")).Trim();
        await BuildahAsync("copy", container, file, "/file");
        await BuildahAsync("config", "--label", "made=by buildah", "--cmd", "/file", container);
        var image = (await BuildahAsync("commit", "--quiet", container)).Trim();

        await BuildahAsync("push", "--tls-verify=false", "--creds", Credentials, image, Remote("built:v1"));

        var digest = (await InspectAsync("built:v1"))["Digest"]!.GetValue<string>();
        await IsListedAsync("built", (digest, ["v1"]));
        await BuildahAsync("rmi", "--force", image);
        await BuildahAsync("pull", "--tls-verify=false", "--creds", Credentials, Remote("built:v1"));
    }

    [Fact]
    public async Task Skopeo_logs_in_with_the_token_and_not_with_another_password()
    {
        await BeginAsync();
        var file = Path.Combine(folder, "auth.json");

        await SkopeoAsync("login", "--tls-verify=false", "--authfile", file, "-u", account, "-p", token, Registry);

        await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() =>
            SkopeoAsync("login", "--tls-verify=false", "--authfile", file, "-u", account, "-p", token[..^4], Registry)
        );
    }

    private string Made(string tag) => $"oci:{Path.Combine(folder, "made")}:{tag}";

    private Task<Layout> MadeAsync(params string[] tags) => MadeAsync(1_000, tags);

    // One image a tag, of one compressed layer with a random file.
    private async Task<Layout> MadeAsync(int length, params string[] tags)
    {
        var made = Path.Combine(folder, "made");
        await Tool.RunAsync("umoci", "init", "--layout", made);
        foreach (var tag in tags)
        {
            var file = Path.Combine(folder, tag);
            await File.WriteAllBytesAsync(
                file,
                RandomNumberGenerator.GetBytes(length),
                TestContext.Current.CancellationToken
            );
            await Tool.RunAsync("umoci", "new", "--image", $"{made}:{tag}");
            await Tool.RunAsync("umoci", "insert", "--rootless", "--image", $"{made}:{tag}", file, "/file");
        }

        return Layout.FromFolder(made);
    }

    private async Task BeginAsync() => token = await Host.TokenForAsync(account);

    private string Remote(string name) => $"docker://{Registry}/{account}/{name}";

    private static Task<string> SkopeoAsync(params string[] arguments) => Tool.RunAsync("skopeo", arguments);

    private async Task<JsonNode> InspectAsync(string name) =>
        JsonNode.Parse(await SkopeoAsync("inspect", "--tls-verify=false", "--creds", Credentials, Remote(name)))!;

    private async Task IsListedAsync(string app, params (string Digest, string[] Tags)[] images)
    {
        var listed = (await Host.ListAsync(token, $"namespace={account}/{app}")).Images.Select(image =>
            $"{image["digest"]} {string.Join(' ', image["tags"]!.AsArray())}"
        );
        Assert.Equal(
            images.Select(i =>
                $"{account}/{app}@{i.Digest} {string.Join(' ', i.Tags.Select(t => $"{account}/{app}:{t}"))}"
            ),
            listed
        );
    }
}
