using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace ImagesFunctions.Tests.Support;

/// <summary>
/// An OCI image layout as files: path inside the layout -> bytes. Read from a folder that a tool has written, or composed here.
/// It knows nothing of the library under test, so that a mistake there cannot hide itself here.
/// </summary>
public sealed class Layout
{
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string OciConfig = "application/vnd.oci.image.config.v1+json";
    public const string OciLayer = "application/vnd.oci.image.layer.v1.tar+gzip";
    public const string OciTar = "application/vnd.oci.image.layer.v1.tar";
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
    private const string RefName = "org.opencontainers.image.ref.name";

    private readonly SortedDictionary<string, byte[]> files = new(StringComparer.Ordinal)
    {
        ["oci-layout"] = """{"imageLayoutVersion":"1.0.0"}"""u8.ToArray(),
    };

    public IReadOnlyDictionary<string, byte[]> Files => files;

    /// <summary>Copies of the descriptors in `index.json`.</summary>
    public JsonObject[] Manifests =>
        [.. Parse(files["index.json"])["manifests"]!.AsArray().Select(one => one!.DeepClone().AsObject())];

    /// <summary>The digest of what `index.json` names first.</summary>
    public string FirstImage => Digest(Manifests[0]);

    /// <summary>The path of the first layer of the first image.</summary>
    public string FirstLayer => PathOf(Digest(Read(Manifests[0])["layers"]![0]!.AsObject()));

    public static Layout FromFolder(string folder)
    {
        var layout = new Layout();
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            layout.files[Path.GetRelativePath(folder, file).Replace('\\', '/')] = File.ReadAllBytes(file);
        }

        return layout;
    }

    public void WriteTo(string folder)
    {
        foreach (var (path, bytes) in files)
        {
            var file = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllBytes(file, bytes);
        }
    }

    public static string PathOf(string digest) => $"blobs/{digest.Replace(':', '/')}";

    public static string DigestOf(byte[] bytes, string algorithm = "sha256") =>
        algorithm switch
        {
            "sha256" => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(bytes))}",
            "sha512" => $"sha512:{Convert.ToHexStringLower(SHA512.HashData(bytes))}",
            _ => throw new ArgumentException($"No such algorithm here: {algorithm}", nameof(algorithm)),
        };

    /// <summary>Adds a blob and returns its descriptor.</summary>
    public JsonObject Add(string mediaType, byte[] bytes, string algorithm = "sha256")
    {
        var digest = DigestOf(bytes, algorithm);
        files[PathOf(digest)] = bytes;
        return new JsonObject
        {
            ["mediaType"] = mediaType,
            ["digest"] = digest,
            ["size"] = (long)bytes.Length,
        };
    }

    public JsonObject Add(string mediaType, JsonObject json, string algorithm = "sha256") =>
        Add(mediaType, Encoding.UTF8.GetBytes(json.ToJsonString()), algorithm);

    public JsonObject AddManifest(JsonObject config, params JsonObject[] layers) =>
        Add(
            OciManifest,
            new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = OciManifest,
                ["config"] = config.DeepClone(),
                ["layers"] = new JsonArray([.. layers.Select(layer => layer.DeepClone())]),
            }
        );

    public JsonObject AddIndex(string mediaType, params JsonObject[] manifests) =>
        Add(mediaType, IndexOf(mediaType, manifests));

    /// <summary>Adds the blobs of another layout.</summary>
    public void Take(Layout other)
    {
        foreach (
            var (path, bytes) in other.files.Where(file => file.Key.StartsWith("blobs/", StringComparison.Ordinal))
        )
        {
            files[path] = bytes;
        }
    }

    /// <summary>As <see cref="Take"/>, and returns this.</summary>
    public Layout With(Layout other)
    {
        Take(other);
        return this;
    }

    /// <summary>Writes `index.json`.</summary>
    public Layout Index(params JsonObject[] manifests)
    {
        files["index.json"] = Encoding.UTF8.GetBytes(IndexOf(OciIndex, manifests).ToJsonString());
        return this;
    }

    public JsonObject Read(JsonObject descriptor) => Parse(files[PathOf(Digest(descriptor))]);

    public static string Digest(JsonObject descriptor) => descriptor["digest"]!.GetValue<string>();

    public static JsonObject Tagged(JsonObject descriptor, string tag)
    {
        var copy = descriptor.DeepClone().AsObject();
        copy["annotations"] = new JsonObject { [RefName] = tag };
        return copy;
    }

    public static JsonObject For(JsonObject descriptor, string os, string architecture)
    {
        var copy = descriptor.DeepClone().AsObject();
        copy.Remove("annotations");
        copy["platform"] = new JsonObject { ["architecture"] = architecture, ["os"] = os };
        return copy;
    }

    /// <summary>The paths of everything that this manifest or index needs, itself included.</summary>
    public IReadOnlySet<string> Needs(string digest)
    {
        var needed = new HashSet<string>(StringComparer.Ordinal) { PathOf(digest) };
        var json = Parse(files[PathOf(digest)]);
        foreach (var child in json["manifests"]?.AsArray() ?? [])
        {
            needed.UnionWith(Needs(Digest(child!.AsObject())));
        }

        foreach (var blob in (json["layers"]?.AsArray() ?? []).Append(json["config"]).Where(one => one is not null))
        {
            needed.Add(PathOf(Digest(blob!.AsObject())));
        }

        return needed;
    }

    /// <summary>Leaves out what `index.json` does not lead to: tools leave the blobs of their intermediate steps behind.</summary>
    public Layout Pruned()
    {
        var keep = Manifests
            .SelectMany(one => Needs(Digest(one)))
            .Concat(["index.json", "oci-layout"])
            .ToHashSet(StringComparer.Ordinal);
        foreach (var path in files.Keys.Where(path => !keep.Contains(path)).ToArray())
        {
            files.Remove(path);
        }

        return this;
    }

    /// <summary>A small image of two layers with its tags; the text makes its digests its own.</summary>
    public static Layout Small(string text, params string[] tags)
    {
        var layout = new Layout();
        var image = layout.AddImage(text);
        return layout.Index(tags.Length == 0 ? [image] : [.. tags.Select(tag => Tagged(image, tag))]);
    }

    /// <summary>An image whose Cmd is `/bin/run {text}` and whose label `text` is the text.</summary>
    public JsonObject AddImage(string text)
    {
        JsonObject[] layers =
        [
            Add(OciTar, Tar("etc/text", text)),
            Add(OciLayer, GZip(Tar("srv/more", string.Concat(Enumerable.Repeat(text, 100))))),
        ];
        var config = new JsonObject
        {
            ["architecture"] = "amd64",
            ["os"] = "linux",
            ["config"] = new JsonObject
            {
                ["Cmd"] = new JsonArray("/bin/run", text),
                ["Labels"] = new JsonObject { ["text"] = text },
            },
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray() },
        };
        return AddManifest(Add(OciConfig, config), layers);
    }

    /// <summary>What the list must say of an image of <see cref="AddImage"/>.</summary>
    public JsonObject Listed(string repository, JsonObject image, string text, params string[] tags)
    {
        var manifest = Read(image);
        var size = manifest["layers"]!.AsArray().Append(manifest["config"]).Sum(one => one!["size"]!.GetValue<long>());
        return new JsonObject
        {
            ["digest"] = $"{repository}@{Digest(image)}",
            ["tags"] = new JsonArray([
                .. tags.Order(StringComparer.Ordinal).Select(tag => JsonValue.Create($"{repository}:{tag}")),
            ]),
            ["initrd"] = false,
            ["size_in_bytes"] = size,
            ["args"] = $"/bin/run {text}",
            ["kernel_args"] = "",
            ["labels"] = new JsonObject { ["text"] = text },
        };
    }

    private static JsonObject IndexOf(string mediaType, JsonObject[] manifests) =>
        new()
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = mediaType,
            ["manifests"] = new JsonArray([.. manifests.Select(one => one.DeepClone())]),
        };

    private static JsonObject Parse(byte[] json) => JsonNode.Parse(json)!.AsObject();

    public static byte[] Tar(string path, string content)
    {
        using var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Ustar, leaveOpen: true))
        {
            tar.WriteEntry(
                new UstarTarEntry(TarEntryType.RegularFile, path)
                {
                    DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)),
                    ModificationTime = DateTimeOffset.UnixEpoch,
                }
            );
        }

        return buffer.ToArray();
    }

    private static byte[] GZip(byte[] bytes)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        return buffer.ToArray();
    }
}
