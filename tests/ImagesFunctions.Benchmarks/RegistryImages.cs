using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Support;

namespace ImagesFunctions.Benchmarks;

/// <summary>Images for CNCF distribution, pushed by its API.</summary>
internal static class RegistryImages
{
    /// <summary>Pushes so many tags, each of a manifest of its own, into the repository <c>bench</c>.</summary>
    public static async Task PushAsync(Client client, int tags, CancellationToken stop)
    {
        var config = await BlobAsync(client, "{}"u8.ToArray(), stop);
        for (var i = 0; i < tags; i++)
        {
            var manifest = new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = MediaTypes.OciManifest,
                ["config"] = config.DeepClone(),
                ["layers"] = new JsonArray(),
                ["annotations"] = new JsonObject { ["number"] = $"{i}" },
            };
            using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(manifest.ToJsonString()));
            content.Headers.Add("Content-Type", MediaTypes.OciManifest);
            using var _ = await client.SendAsync(
                HttpMethod.Put,
                $"v2/bench/manifests/{Seeds.Tag(i)}",
                HttpStatusCode.Created,
                stop,
                content
            );
        }
    }

    private static async Task<JsonObject> BlobAsync(Client client, byte[] bytes, CancellationToken stop)
    {
        var digest = Digest.Sha256(bytes);
        await client.PushAsync("bench", digest, new ByteArrayContent(bytes), stop);
        return new JsonObject
        {
            ["mediaType"] = "application/vnd.oci.image.config.v1+json",
            ["digest"] = $"{digest}",
            ["size"] = bytes.Length,
        };
    }
}
