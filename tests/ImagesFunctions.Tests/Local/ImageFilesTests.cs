using System.Formats.Tar;
using System.Text.Json.Nodes;
using ImagesFunctions.Local;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Local;

/// <summary>Layouts and archives as they are read.</summary>
public sealed class ImageFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_layout_is_the_same_in_a_folder_and_in_an_archive()
    {
        var layout = Layout.Small("text", "v1");
        layout.WriteTo(_folder.File("layout"));
        WriteTar("layout.tar", layout.Files.Select(f => ($"./{f.Key}", f.Value)));

        foreach (var name in new[] { "layout", "layout.tar" })
        {
            var files = await ImageFiles.OpenAsync(_folder.File(name), Stop);

            Assert.Equal(layout.Files.Keys.Where(f => f != "index.json"), files.Paths);
            Assert.Equal([(layout.FirstImage, "v1")], files.Images.Select(i => (i.Digest.ToString(), i.Tag!)));
            Assert.Equal(layout.Files["index.json"], await files.IndexFile.ReadAsync(Stop));
            foreach (var path in files.Paths)
            {
                Assert.Equal(layout.Files[path], await files[path].ReadAsync(Stop));
            }
        }
    }

    [Fact]
    public async Task An_archive_of_an_old_docker_gets_the_manifest_that_it_has_in_a_registry()
    {
        var layout = Layout.Small("text", "v1");
        var manifest = layout.Read(layout.Manifests[0]);
        var config = layout.Files[Layout.PathOf((string)manifest["config"]!["digest"]!)];
        var layers = manifest["layers"]!
            .AsArray()
            .Select(l => layout.Files[Layout.PathOf((string)l!["digest"]!)])
            .ToList();
        var json = new JsonArray(
            new JsonObject
            {
                ["Config"] = "config.json",
                ["RepoTags"] = new JsonArray("localhost/web:v1", "localhost/web:latest"),
                ["Layers"] = new JsonArray("a/layer.tar", "b/layer.tar"),
            }
        );
        WriteTar(
            "docker.tar",
            [
                ("manifest.json", System.Text.Encoding.UTF8.GetBytes(json.ToJsonString())),
                ("config.json", config),
                ("a/layer.tar", layers[0]),
                ("b/layer.tar", layers[1]),
            ]
        );

        var files = await ImageFiles.OpenAsync(_folder.File("docker.tar"), Stop);

        Assert.Equal(["v1", "latest"], files.Images.Select(i => i.Tag!));
        var made = Manifest.Parse(await files.Blob(files.Images[0].Digest)!.ReadAsync(Stop), null);
        Assert.Equal(
            manifest["layers"]!.AsArray().Select(l => ((string)l!["digest"]!, (string)l["mediaType"]!)),
            made.Layers.Select(l => (l.Digest.ToString(), l.MediaType))
        );
        Assert.Equal((string)manifest["config"]!["digest"]!, made.Config!.Digest.ToString());
        Assert.Equal(layers[1], await files.Blob(made.Layers[1].Digest)!.ReadAsync(Stop));
    }

    [Fact]
    public async Task One_tag_takes_the_place_of_those_that_a_layout_names()
    {
        var layout = Layout.Small("text", "v1", "v2");
        layout.WriteTo(_folder.File("layout"));
        var files = await ImageFiles.OpenAsync(_folder.File("layout"), Stop);

        files.SetTag("only");

        Assert.Equal(["only"], files.Images.Select(i => i.Tag!));
        Assert.Equal(["only"], ImageFiles.TagsOf(JsonNode.Parse(await files.IndexFile.ReadAsync(Stop))));
    }

    [Fact]
    public async Task What_is_no_image_is_told_in_one_line()
    {
        await File.WriteAllTextAsync(_folder.File("text"), string.Concat(Enumerable.Repeat("no tar ", 200)), Stop);
        Directory.CreateDirectory(_folder.File("empty"));

        foreach (var name in new[] { "text", "empty", "nowhere" })
        {
            var error = await Assert.ThrowsAsync<UsageException>(() => ImageFiles.OpenAsync(_folder.File(name), Stop));
            Assert.DoesNotContain('\n', error.Message);
        }
    }

    [Fact]
    public async Task A_part_of_a_file_ends_where_it_ends()
    {
        await File.WriteAllBytesAsync(_folder.File("bytes"), [.. Enumerable.Range(0, 100).Select(i => (byte)i)], Stop);
        var slice = new FileSlice(_folder.File("bytes"), 10, 20);

        await using var stream = slice.Open(5);
        using var read = new MemoryStream();
        await stream.CopyToAsync(read, Stop);

        Assert.Equal(Enumerable.Range(15, 15).Select(i => (byte)i), read.ToArray());
        Assert.Equal(15, stream.Length);
        stream.Seek(-1, SeekOrigin.End);
        Assert.Equal(29, stream.ReadByte());
        Assert.Equal(-1, stream.ReadByte());
    }

    private void WriteTar(string name, IEnumerable<(string Path, byte[] Bytes)> files)
    {
        using var file = File.Create(_folder.File(name));
        using var tar = new TarWriter(file);
        foreach (var (path, bytes) in files)
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(bytes) });
        }
    }
}
