using System.Formats.Tar;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using CliWrap;
using CliWrap.Buffered;
using ImagesFunctions.Local;

namespace ImagesFunctions.Tests.Local;

public sealed class SampleImageTests
{
    private readonly IReadOnlyList<(string Path, byte[] Content)> _layout = SampleImage.Layout();

    [Fact]
    public void Every_blob_is_named_by_its_digest()
    {
        var blobs = _layout.Where(file => file.Path.StartsWith("blobs/", StringComparison.Ordinal)).ToList();
        Assert.Equal(8, blobs.Count);
        Assert.All(
            blobs,
            blob => Assert.Equal($"blobs/sha256/{Convert.ToHexStringLower(SHA256.HashData(blob.Content))}", blob.Path)
        );
    }

    [Fact]
    public void Every_descriptor_names_a_blob_and_its_size()
    {
        var index = Resolve(Assert.Single(Json("index.json").GetProperty("manifests").EnumerateArray()));
        foreach (var manifest in index.GetProperty("manifests").EnumerateArray().Select(Resolve))
        {
            Resolve(manifest.GetProperty("config"));
            Assert.All(manifest.GetProperty("layers").EnumerateArray(), layer => Content(layer));
        }

        JsonElement Resolve(JsonElement descriptor) => JsonElement.Parse(Content(descriptor));
    }

    [Fact]
    public void It_has_the_shape_of_a_unikernel()
    {
        var top = Json("index.json").GetProperty("manifests")[0];
        Assert.Equal(
            "latest",
            top.GetProperty("annotations").GetProperty("org.opencontainers.image.ref.name").GetString()
        );
        var child = JsonElement.Parse(Content(top)).GetProperty("manifests")[0];
        Assert.Equal("kraftcloud", child.GetProperty("platform").GetProperty("os").GetString());
        Assert.Equal("x86_64", child.GetProperty("platform").GetProperty("architecture").GetString());
        var manifest = JsonElement.Parse(Content(child));
        var layers = manifest.GetProperty("layers");
        Assert.Equal("\u007fELF"u8, File(layers[0], "org.unikraft.kernel.image", "unikraft/bin/kernel").AsSpan(..4));
        Assert.Equal("070701"u8, File(layers[1], "org.unikraft.kernel.initrd", "unikraft/bin/initrd").AsSpan(..6));
        var diffs = JsonElement
            .Parse(Content(manifest.GetProperty("config")))
            .GetProperty("rootfs")
            .GetProperty("diff_ids");
        Assert.Equal(
            string.Join(' ', layers.EnumerateArray().Select(layer => layer.GetProperty("digest").GetString())),
            string.Join(' ', diffs.EnumerateArray().Select(digest => digest.GetString()))
        );
    }

    [Fact]
    public async Task Its_program_for_Linux_prints_its_line()
    {
        var platform = JsonElement
            .Parse(Content(Json("index.json").GetProperty("manifests")[0]))
            .GetProperty("manifests")[1];
        Assert.Equal("linux", platform.GetProperty("platform").GetProperty("os").GetString());
        Assert.Equal("amd64", platform.GetProperty("platform").GetProperty("architecture").GetString());
        var layer = JsonElement.Parse(Content(platform)).GetProperty("layers")[0];
        using var tar = new TarReader(new MemoryStream(Content(layer)));
        var entry = tar.GetNextEntry(copyData: true)!;
        Assert.Equal("hello", entry.Name);
        Assert.True(entry.Mode.HasFlag(UnixFileMode.UserExecute | UnixFileMode.OtherExecute));
        Assert.SkipUnless(
            OperatingSystem.IsLinux()
                && RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64,
            "It runs on Linux on x86-64."
        );
        var folder = Directory.CreateTempSubdirectory("hello-");
        try
        {
            var program = Path.Combine(folder.FullName, "hello");
            await entry.ExtractToFileAsync(program, overwrite: false, TestContext.Current.CancellationToken);

            var ran = await Cli.Wrap(program).ExecuteBufferedAsync(TestContext.Current.CancellationToken);

            Assert.Equal("Hello from a container\n", ran.StandardOutput);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_file_that_makes_it_visible_comes_last() =>
        Assert.Equal("oci-layout index.json", string.Join(' ', _layout.TakeLast(2).Select(file => file.Path)));

    [Fact]
    public void It_is_the_same_bytes_every_time_and_everywhere() =>
        // Changes only when the sample is changed on purpose.
        Assert.Equal(
            "sha256:bba9703677e792af3085bc7796a4d9de3bc8e709b7d3d111ec988bbaa4bf6243",
            Json("index.json").GetProperty("manifests")[0].GetProperty("digest").GetString()
        );

    private JsonElement Json(string path) => JsonElement.Parse(_layout.Single(file => file.Path == path).Content);

    private byte[] Content(JsonElement descriptor)
    {
        var hex = descriptor.GetProperty("digest").GetString()!["sha256:".Length..];
        var content = _layout.Single(file => file.Path == $"blobs/sha256/{hex}").Content;
        Assert.Equal(descriptor.GetProperty("size").GetInt64(), content.Length);
        return content;
    }

    private byte[] File(JsonElement layer, string annotation, string path)
    {
        Assert.Equal("application/vnd.oci.image.layer.v1.tar", layer.GetProperty("mediaType").GetString());
        Assert.Equal("/" + path, layer.GetProperty("annotations").GetProperty(annotation).GetString());
        using var tar = new TarReader(new MemoryStream(Content(layer)));
        var entry = tar.GetNextEntry(copyData: true)!;
        Assert.Equal(path, entry.Name);
        Assert.Null(tar.GetNextEntry());
        using var content = new MemoryStream();
        entry.DataStream?.CopyTo(content);
        return content.ToArray();
    }
}
