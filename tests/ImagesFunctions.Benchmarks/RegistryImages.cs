using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Support;

namespace ImagesFunctions.Benchmarks;

/// <summary>Images that are pushed by the API of a registry, ours or CNCF distribution.</summary>
internal static class RegistryImages
{
    /// <summary>Pushes so many tags, each of a manifest of its own, into the repository <c>bench</c>.</summary>
    public static async Task PushAsync(Client client, int tags, CancellationToken stop)
    {
        var config = await ConfigAsync(client, "bench", stop);
        for (var i = 0; i < tags; i++)
        {
            var manifest = Manifest(config, []);
            manifest["annotations"] = new JsonObject { ["number"] = $"{i}" };
            await TagAsync(client, "bench", Seeds.Tag(i), manifest, stop);
        }
    }

    /// <summary>Pushes an image of one layer, which is in its repository already.</summary>
    public static async Task PushAsync(
        Client client,
        string repository,
        string tag,
        (Digest Digest, long Size) layer,
        CancellationToken stop
    )
    {
        var config = await ConfigAsync(client, repository, stop);
        var manifest = Manifest(
            config,
            [Descriptor("application/vnd.oci.image.layer.v1.tar", layer.Digest, layer.Size)]
        );
        await TagAsync(client, repository, tag, manifest, stop);
    }

    public static JsonObject Manifest(JsonObject config, JsonArray layers) =>
        new()
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = config.DeepClone(),
            ["layers"] = layers,
        };

    public static JsonObject Descriptor(string mediaType, Digest digest, long size) =>
        new()
        {
            ["mediaType"] = mediaType,
            ["digest"] = $"{digest}",
            ["size"] = size,
        };

    private static Task TagAsync(
        Client client,
        string repository,
        string tag,
        JsonObject manifest,
        CancellationToken stop
    ) => TagAsync(client, repository, tag, Encoding.UTF8.GetBytes(manifest.ToJsonString()), stop);

    /// <summary>Pushes a manifest.</summary>
    public static async Task TagAsync(
        Client client,
        string repository,
        string tag,
        byte[] manifest,
        CancellationToken stop
    )
    {
        using var content = new ByteArrayContent(manifest);
        content.Headers.Add("Content-Type", MediaTypes.OciManifest);
        using var _ = await client.SendAsync(
            HttpMethod.Put,
            $"v2/{repository}/manifests/{tag}",
            HttpStatusCode.Created,
            stop,
            content
        );
    }

    /// <summary>The digests of the config and of the only layer that a manifest names.</summary>
    public static (string Config, string Layer) PartsOf(byte[] manifest)
    {
        using var json = JsonDocument.Parse(manifest);
        return (
            DigestOf(json.RootElement.GetProperty("config")),
            DigestOf(json.RootElement.GetProperty("layers").EnumerateArray().Single())
        );

        static string DigestOf(JsonElement descriptor) => descriptor.GetProperty("digest").GetString()!;
    }

    private static async Task<JsonObject> ConfigAsync(Client client, string repository, CancellationToken stop)
    {
        var bytes = "{}"u8.ToArray();
        var digest = Digest.Sha256(bytes);
        await client.PushAsync(repository, digest, new ByteArrayContent(bytes), stop);
        return Descriptor("application/vnd.oci.image.config.v1+json", digest, bytes.Length);
    }
}
