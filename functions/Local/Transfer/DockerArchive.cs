using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary>
/// An archive of <c>docker save</c> as dockers before version 25 and skopeo (<c>docker-archive:</c>) write it: <c>manifest.json</c> names
/// configs and layers. It gets the manifests that such an image has in a registry.
/// </summary>
internal static class DockerArchive
{
    /// <summary>Where one begins.</summary>
    public const string Manifest = "manifest.json";

    private const string LayerType = "application/vnd.oci.image.layer.v1.tar";
    private const string ConfigType = "application/vnd.oci.image.config.v1+json";

    /// <summary>The files of an OCI image layout with the same images.</summary>
    /// <param name="name">The archive, for messages.</param>
    /// <param name="files">Its files.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="LocalException">It is no such archive.</exception>
    public static async Task<Dictionary<string, FileSlice>> ConvertAsync(
        string name,
        IReadOnlyDictionary<string, FileSlice> files,
        CancellationToken cancellationToken
    )
    {
        var layout = new Dictionary<string, FileSlice>(StringComparer.Ordinal)
        {
            ["oci-layout"] = FileSlice.Of("""{"imageLayoutVersion":"1.0.0"}"""u8.ToArray()),
        };
        var manifests = new JsonArray();
        try
        {
            var images = JsonNode.Parse(await files[Manifest].ReadAsync(cancellationToken))!.AsArray();
            foreach (var image in images)
            {
                var digest = await AddAsync(image!, files, layout, cancellationToken);
                var size = layout[PathOf(digest)].Length;
                // One without a tag is named by its digest.
                foreach (
                    var tag in (image!["RepoTags"] as JsonArray)?.Select(t => (string?)t).DefaultIfEmpty() ?? [null]
                )
                {
                    var descriptor = Descriptor(MediaTypes.OciManifest, digest, size);
                    if (tag is not null)
                    {
                        descriptor["annotations"] = new JsonObject
                        {
                            ["org.opencontainers.image.ref.name"] = Reference.TagOf(tag),
                        };
                    }

                    manifests.Add(descriptor);
                }
            }
        }
        catch (Exception error)
            when (error is JsonException or InvalidOperationException or KeyNotFoundException or NullReferenceException)
        {
            throw new UsageException($"'{name}' is no archive of docker save ({OneLine.Of(error)})", error);
        }

        var index = new JsonObject { ["schemaVersion"] = 2, ["manifests"] = manifests };
        layout[ImageFiles.Index] = FileSlice.Of(JsonSerializer.SerializeToUtf8Bytes(index));
        return layout;
    }

    private static async Task<Digest> AddAsync(
        JsonNode image,
        IReadOnlyDictionary<string, FileSlice> files,
        Dictionary<string, FileSlice> layout,
        CancellationToken cancellationToken
    )
    {
        var config = await files[(string)image["Config"]!].ReadAsync(cancellationToken);
        var configDigest = Add(layout, config);
        var layers = new JsonArray();
        foreach (var path in image["Layers"]!.AsArray())
        {
            var file = files[(string)path!];
            await using var bytes = file.Open();
            var first = new byte[2];
            var compressed =
                await bytes.ReadAtLeastAsync(first, 2, throwOnEndOfStream: false, cancellationToken) == 2
                && first is [0x1f, 0x8b];
            bytes.Position = 0;
            var digest = Digest.FromHash("sha256", await SHA256.HashDataAsync(bytes, cancellationToken));
            layout[PathOf(digest)] = file;
            layers.Add(Descriptor(compressed ? LayerType + "+gzip" : LayerType, digest, file.Length));
        }

        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = Descriptor(ConfigType, configDigest, config.Length),
            ["layers"] = layers,
        };
        return Add(layout, JsonSerializer.SerializeToUtf8Bytes(manifest));
    }

    private static Digest Add(Dictionary<string, FileSlice> layout, byte[] bytes)
    {
        var digest = Digest.Sha256(bytes);
        layout[PathOf(digest)] = FileSlice.Of(bytes);
        return digest;
    }

    private static string PathOf(Digest digest) => $"blobs/{digest.Algorithm}/{digest.Encoded}";

    private static JsonObject Descriptor(string mediaType, Digest digest, long size) =>
        new()
        {
            ["mediaType"] = mediaType,
            ["digest"] = digest.ToString(),
            ["size"] = size,
        };
}
