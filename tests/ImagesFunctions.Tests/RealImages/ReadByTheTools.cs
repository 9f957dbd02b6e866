using System.Text.Json.Nodes;

namespace ImagesFunctions.Tests.RealImages;

/// <summary>The layouts that other tests drop are themselves right: real tools read them, and see the shape that their names promise. No host is needed.</summary>
public sealed class ReadByTheTools(RealLayouts layouts)
{
    [Theory]
    [MemberData(nameof(RealLayouts.Kinds), MemberType = typeof(RealLayouts))]
    public async Task Every_blob_of_a_layout_has_the_digest_that_its_path_says(string kind)
    {
        var folder = await layouts.FolderAsync(kind);
        foreach (var algorithm in Directory.EnumerateDirectories(Path.Combine(folder, "blobs")))
        {
            foreach (var blob in Directory.EnumerateFiles(algorithm))
            {
                var name = Path.GetFileName(algorithm);
                Assert.Equal($"{name}:{Path.GetFileName(blob)}", await ToolsSay.DigestAsync(blob, name));
            }
        }
    }

    /// <summary>Not for sha512: this skopeo reads such a manifest, but takes the config's digest for sha256.</summary>
    [Theory]
    [InlineData("unikernel", "kraftcloud", "x86_64")]
    [InlineData("unikernel with kernel arguments", "kraftcloud", "x86_64")]
    [InlineData("unikernel whose initrd is told by media type", "kraftcloud", "x86_64")]
    [InlineData("unikernel for two platforms", "kraftcloud", "x86_64")]
    [InlineData("ordinary", "linux", "amd64")]
    [InlineData("ordinary in Docker's form", "linux", "amd64")]
    [InlineData("several platforms", "linux", "arm64")]
    [InlineData("several platforms in Docker's form", "linux", "arm64")]
    public async Task Skopeo_reads_the_config_of_a_platform(string kind, string os, string architecture)
    {
        var folder = await layouts.FolderAsync(kind);
        var tools = new ToolsSay(folder);
        var tag = (await tools.OfAsync("a/b"))[0]["tags"]![0]!.GetValue<string>().Split(':')[1];

        var config = await Tool.RunAsync(
            "skopeo",
            "--override-os",
            os,
            "--override-arch",
            architecture,
            "inspect",
            "--config",
            await tools.SourceAsync(tag)
        );

        Assert.Equal(architecture, JsonNode.Parse(config)!["architecture"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("unikernel", true, "", "-c /etc/app.conf")]
    [InlineData(
        "unikernel with kernel arguments",
        true,
        "vfs.fstab=[ \"initrd0:/:extract\" ] -- -c /etc/app.conf",
        "-c /etc/app.conf"
    )]
    [InlineData("unikernel whose initrd is told by media type", true, "", "-c /etc/app.conf")]
    [InlineData("unikernel whose initrd is told by content", true, "", "-c /etc/app.conf")]
    [InlineData("unikernel without initrd", false, "", "-c /etc/app.conf")]
    [InlineData("unikernel for two platforms", true, "", "--for kraftcloud")]
    [InlineData("ordinary", false, "", "/bin/server --serve --platform amd64")]
    [InlineData("several platforms", false, "", "/bin/server --serve --platform amd64")]
    [InlineData("nested index", false, "", "/bin/server --serve --platform arm64")]
    public async Task The_tools_say_what_the_layout_was_made_with(
        string kind,
        bool initrd,
        string kernelArguments,
        string arguments
    )
    {
        var image = Assert.Single(await new ToolsSay(await layouts.FolderAsync(kind)).OfAsync("a/b"));

        Assert.Equal(initrd, image["initrd"]!.GetValue<bool>());
        Assert.Equal(kernelArguments, image["kernel_args"]!.GetValue<string>());
        Assert.Equal(arguments, image["args"]!.GetValue<string>());
        Assert.Equal(2, image["labels"]!.AsObject().Count);
    }

    [Fact]
    public async Task The_platforms_share_a_layer_that_counts_once()
    {
        var folder = await layouts.FolderAsync("several platforms");
        var layout = Layout.FromFolder(folder);
        var index = layout.Read(layout.Manifests.Single());

        var blobs = index["manifests"]!
            .AsArray()
            .Select(child => layout.Read(child!.AsObject()))
            .SelectMany(manifest => manifest["layers"]!.AsArray().Append(manifest["config"]))
            .Select(blob => Layout.Digest(blob!.AsObject()))
            .ToArray();

        Assert.Equal(6, blobs.Length);
        Assert.Equal(5, blobs.Distinct(StringComparer.Ordinal).Count());
    }
}
