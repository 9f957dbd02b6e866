using System.Formats.Tar;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary>
/// The files of an OCI image layout (OCI image spec, image-layout.md): of a folder, of an archive of one, or of an archive of
/// <c>docker save</c>. An archive is read where it stands and not unpacked.
/// </summary>
internal sealed class ImageFiles
{
    /// <summary>Where a layout begins.</summary>
    public const string Index = "index.json";

    private const string RefName = "org.opencontainers.image.ref.name";

    private readonly IReadOnlyDictionary<string, FileSlice> _files;

    private ImageFiles(string name, IReadOnlyDictionary<string, FileSlice> files, JsonObject index) =>
        (Name, _files, Root, IndexFile) = (name, files, index, files[Index]);

    /// <summary>The folder or archive, for messages.</summary>
    public string Name { get; }

    /// <summary>The paths of all files but <c>index.json</c>, with slashes, in ordinal order.</summary>
    public IEnumerable<string> Paths => _files.Keys.Where(path => path != Index).Order(StringComparer.Ordinal);

    /// <summary>What <c>index.json</c> says.</summary>
    public JsonObject Root { get; }

    /// <summary>The bytes of <c>index.json</c>, which are those of the source where no tag was set.</summary>
    public FileSlice IndexFile { get; private set; }

    /// <summary>The manifests that <c>index.json</c> names, with their tags; one that it names twice comes twice.</summary>
    public IReadOnlyList<(Digest Digest, string? Tag)> Images =>
        [
            .. (Root["manifests"] as JsonArray ?? [])
                .OfType<JsonObject>()
                .Select(m =>
                    (
                        Digest.TryParse((string?)m["digest"], out var digest)
                            ? digest
                            : throw new LocalException(
                                $"{Name}: index.json names '{(string?)m["digest"]}', which is no digest"
                            ),
                        (string?)m["annotations"]?[RefName] is { } tag ? Reference.TagOf(tag) : null
                    )
                ),
        ];

    /// <summary>The file of a path.</summary>
    public FileSlice this[string path] =>
        _files.TryGetValue(path, out var file) ? file : throw new LocalException($"{Name} has no {path}");

    /// <summary>The file of a blob; null where it is not there.</summary>
    public FileSlice? Blob(Digest digest) => _files.GetValueOrDefault($"blobs/{digest.Algorithm}/{digest.Encoded}");

    /// <summary>The tags that an <c>index.json</c> sets.</summary>
    public static IEnumerable<string> TagsOf(JsonNode? index) =>
        (index?["manifests"] as JsonArray ?? [])
            .Select(m => (string?)m?["annotations"]?[RefName])
            .OfType<string>()
            .Select(Reference.TagOf);

    /// <summary>Gives its one image one tag, in place of those that it has.</summary>
    /// <exception cref="UsageException">It has several images.</exception>
    public void SetTag(string tag)
    {
        var manifests = (JsonArray)Root["manifests"]!;
        if (Images.Select(i => i.Digest).Distinct().Count() != 1)
        {
            throw new UsageException($"{Name} has {manifests.Count} images: --tag is for one");
        }

        var only = (JsonObject)manifests[0]!.DeepClone();
        var annotations = only["annotations"] as JsonObject ?? [];
        annotations[RefName] = tag;
        only["annotations"] = annotations.DeepClone();
        Root["manifests"] = new JsonArray(only);
        IndexFile = FileSlice.Of(JsonSerializer.SerializeToUtf8Bytes(Root));
    }

    /// <summary>Opens a folder or an archive.</summary>
    /// <exception cref="LocalException">It is none that can be read; the message says what it is.</exception>
    public static async Task<ImageFiles> OpenAsync(string path, CancellationToken cancellationToken)
    {
        var files =
            Directory.Exists(path) ? OfFolder(path)
            : File.Exists(path) ? await OfArchiveAsync(path, cancellationToken)
            : throw new UsageException($"'{path}' is neither a folder nor a file");
        if (!files.ContainsKey(Index) && files.ContainsKey(DockerArchive.Manifest))
        {
            files = await DockerArchive.ConvertAsync(path, files, cancellationToken);
        }

        if (!files.TryGetValue(Index, out var index))
        {
            throw new UsageException($"'{path}' is no image: it has neither {Index} nor {DockerArchive.Manifest}");
        }

        try
        {
            return
                JsonNode.Parse(await index.ReadAsync(cancellationToken)) is JsonObject root
                && root["manifests"] is JsonArray
                ? new ImageFiles(path, files, root)
                : throw new UsageException($"'{path}': its {Index} names no manifests");
        }
        catch (JsonException error)
        {
            throw new UsageException($"'{path}': its {Index} is no JSON ({OneLine.Of(error)})", error);
        }
    }

    private static Dictionary<string, FileSlice> OfFolder(string folder)
    {
        var files = new Dictionary<string, FileSlice>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(folder, file).Replace('\\', '/');
            files[name] = File.Exists(file)
                ? FileSlice.Of(file)
                : throw new LocalException($"'{name}' cannot be read: nothing was sent");
        }

        return files;
    }

    private static async Task<Dictionary<string, FileSlice>> OfArchiveAsync(
        string path,
        CancellationToken cancellationToken
    )
    {
        var files = new Dictionary<string, FileSlice>(StringComparer.Ordinal);
        var links = new List<(string Name, string To)>();
        try
        {
            await using var file = File.OpenRead(path);
            await using var tar = new TarReader(file);
            while (await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
            {
                var name = Clean(entry.Name);
                if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile)
                {
                    files[name] = new FileSlice(path, entry.DataOffset, entry.Length);
                }
                else if (entry.EntryType is TarEntryType.SymbolicLink or TarEntryType.HardLink)
                {
                    var folder = entry.EntryType == TarEntryType.HardLink ? "" : Path.GetDirectoryName(name) ?? "";
                    links.Add((name, Clean(Path.Combine(folder, entry.LinkName))));
                }
            }
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw new UsageException(
                $"'{path}' is no tar archive ({OneLine.Of(error)}); one that is compressed has to be unpacked first (gunzip, zstd -d)",
                error
            );
        }

        // Layers that several images of an old docker have in common are links.
        foreach (var (name, to) in links)
        {
            if (files.TryGetValue(to, out var target))
            {
                files[name] = target;
            }
        }

        return files;
    }

    private static string Clean(string name)
    {
        var parts = new List<string>();
        foreach (var part in name.Replace('\\', '/').Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".." && parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part is not ("." or ".."))
            {
                parts.Add(part);
            }
        }

        return string.Join('/', parts);
    }
}
