using System.Formats.Tar;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Storage.Blobs;

namespace ImagesFunctions.Local;

/// <summary>
/// A small unikernel image in the shape that kraft makes, so that a first list is not empty, and beside it a program that any
/// container engine runs. The same bytes on every machine: every time in it is fixed.
/// </summary>
public static class SampleImage
{
    /// <summary>Where it is imported.</summary>
    public const string Repository = "official/hello";

    private const string LayerType = "application/vnd.oci.image.layer.v1.tar";
    private const string ConfigType = "application/vnd.oci.image.config.v1+json";
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    private const string IndexType = "application/vnd.oci.image.index.v1+json";
    private const string Greeting = "Hello from a container";
    private const UnixFileMode Readable = (UnixFileMode)0b110_100_100; // rw-r--r--
    private const UnixFileMode Executable = (UnixFileMode)0b001_001_001; // --x--x--x
    private static readonly DateTimeOffset Created = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // The default escapes the plus sign of every media type.
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The OCI image layout, file by file in the order of upload: <c>index.json</c> is the last.</summary>
    public static IReadOnlyList<(string Path, byte[] Content)> Layout()
    {
        var files = new List<(string Path, byte[] Content)>();
        var index = Blob(files, IndexType, Bytes(Index(Unikernel(files), Linux(files))));
        index["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = "latest" };
        files.Add(("oci-layout", """{"imageLayoutVersion":"1.0.0"}"""u8.ToArray()));
        files.Add(("index.json", Bytes(Index(index))));
        return files;
    }

    /// <summary>Drops the layout into the container, as anybody would. Again is no harm.</summary>
    public static async Task ImportAsync(BlobContainerClient images, CancellationToken cancellationToken)
    {
        foreach (var (path, content) in Layout())
        {
            var blob = images.GetBlobClient($"{Repository}/{path}");
            await blob.UploadAsync(BinaryData.FromBytes(content), overwrite: true, cancellationToken);
        }
    }

    // What KraftCloud boots.
    private static JsonObject Unikernel(List<(string Path, byte[] Content)> files)
    {
        var kernel = Layer("kernel", Kernel());
        var initrd = Layer("initrd", Cpio("greeting.txt", "Hello from the initial RAM disk\n"u8));
        var run = new JsonObject
        {
            ["Env"] = new JsonArray("GREETING=hello"),
            ["Cmd"] = new JsonArray("hello", "--to", "world"),
            ["Labels"] = Labels("Says hello on the serial port and halts"),
        };
        return Manifest(files, "kraftcloud", "x86_64", run, kernel, initrd);

        JsonObject Layer(string name, byte[] content)
        {
            var layer = Blob(files, LayerType, Tar($"unikraft/bin/{name}", content, Readable));
            var key = name == "kernel" ? "org.unikraft.kernel.image" : "org.unikraft.kernel.initrd";
            layer["annotations"] = new JsonObject { [key] = $"/unikraft/bin/{name}" };
            return layer;
        }
    }

    // What a container engine runs.
    private static JsonObject Linux(List<(string Path, byte[] Content)> files)
    {
        var layer = Blob(files, LayerType, Tar("hello", HelloProgram.Printing(Greeting), Readable | Executable));
        var run = new JsonObject
        {
            ["Entrypoint"] = new JsonArray("/hello"),
            ["Labels"] = Labels("Says hello and ends"),
        };
        return Manifest(files, "linux", "amd64", run, layer);
    }

    private static JsonObject Manifest(
        List<(string Path, byte[] Content)> files,
        string os,
        string architecture,
        JsonObject run,
        params JsonObject[] layers
    )
    {
        var config = new JsonObject
        {
            ["created"] = Created.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            ["architecture"] = architecture,
            ["os"] = os,
            ["config"] = run,
            // The layers are not compressed: what they unpack to is what they are.
            ["rootfs"] = new JsonObject
            {
                ["type"] = "layers",
                ["diff_ids"] = new JsonArray([.. layers.Select(layer => (JsonNode?)(string?)layer["digest"])]),
            },
        };
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = ManifestType,
            ["config"] = Blob(files, ConfigType, Bytes(config)),
            ["layers"] = new JsonArray([.. layers]),
        };
        var descriptor = Blob(files, ManifestType, Bytes(manifest));
        descriptor["platform"] = new JsonObject { ["architecture"] = architecture, ["os"] = os };
        return descriptor;
    }

    private static JsonObject Blob(List<(string Path, byte[] Content)> files, string mediaType, byte[] content)
    {
        var hex = Convert.ToHexStringLower(SHA256.HashData(content));
        files.Add(($"blobs/sha256/{hex}", content));
        return new JsonObject
        {
            ["mediaType"] = mediaType,
            ["digest"] = $"sha256:{hex}",
            ["size"] = content.Length,
        };
    }

    private static JsonObject Labels(string description) =>
        new() { ["org.opencontainers.image.title"] = "hello", ["org.opencontainers.image.description"] = description };

    private static JsonObject Index(params JsonObject[] descriptors) =>
        new()
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = IndexType,
            ["manifests"] = new JsonArray([.. descriptors]),
        };

    private static byte[] Bytes(JsonObject json) => Encoding.UTF8.GetBytes(json.ToJsonString(Json));

    private static byte[] Kernel()
    {
        using var elf = typeof(SampleImage).Assembly.GetManifestResourceStream("hello.elf")!;
        using var copy = new MemoryStream();
        elf.CopyTo(copy);
        return copy.ToArray();
    }

    private static byte[] Tar(string path, byte[] content, UnixFileMode mode)
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Ustar, leaveOpen: true))
        {
            writer.WriteEntry(
                new UstarTarEntry(TarEntryType.RegularFile, path)
                {
                    Mode = mode,
                    ModificationTime = Created,
                    DataStream = new MemoryStream(content),
                }
            );
        }

        return tar.ToArray();
    }

    /// <summary>The "newc" archive that kernels unpack: a header of 13 hexadecimal numbers, name and content, both padded to four bytes.</summary>
    private static byte[] Cpio(string path, ReadOnlySpan<byte> content)
    {
        using var archive = new MemoryStream();
        Entry(path, 0b1000_000_110_100_100, content); // a file, rw-r--r--
        Entry("TRAILER!!!", 0, []);
        return archive.ToArray();

        void Entry(string name, int mode, ReadOnlySpan<byte> data)
        {
            // inode, mode, uid, gid, links, mtime, size, device (2), special device (2), length of the name, checksum
            int[] header = [1, mode, 0, 0, 1, 0, data.Length, 0, 0, 0, 0, name.Length + 1, 0];
            var numbers = string.Concat(header.Select(number => number.ToString("x8", CultureInfo.InvariantCulture)));
            Padded(Encoding.ASCII.GetBytes($"070701{numbers}{name}\0"));
            Padded(data);
        }

        void Padded(ReadOnlySpan<byte> bytes)
        {
            archive.Write(bytes);
            archive.Write(stackalloc byte[(int)(-archive.Length & 3)]);
        }
    }
}
