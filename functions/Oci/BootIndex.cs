using System.Text.Encodings.Web;
using System.Text.Json;

namespace ImagesFunctions.Oci;

/// <summary>An image manifest of a boot tar.</summary>
/// <param name="Digest">Its digest.</param>
/// <param name="MediaType">Its media type.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Platform">Its platform in the index that names it; null where it has none.</param>
public sealed record BootManifest(Digest Digest, string MediaType, long Size, Platform? Platform)
{
    /// <summary>Whether Unikraft Cloud boots this one where there are several.</summary>
    public bool IsPreferred => Platform is { Os: "kraftcloud", Architecture: "x86_64" };
}

/// <summary>The JSON files of a boot tar (OCI image spec 1.1, image-layout.md). The same image and tag make the same bytes.</summary>
public static class BootIndex
{
    /// <summary>The file <c>oci-layout</c>.</summary>
    public static ReadOnlySpan<byte> Layout => "{\"imageLayoutVersion\":\"1.0.0\"}"u8;

    /// <summary>The file <c>index.json</c>: the image manifest of every platform, with the tag.</summary>
    /// <param name="manifests">The manifests, in the order of the index.</param>
    /// <param name="tag">The tag.</param>
    public static byte[] Json(IReadOnlyList<BootManifest> manifests, string tag)
    {
        using var buffer = new MemoryStream();
        using (
            var json = new Utf8JsonWriter(
                buffer,
                new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
            )
        )
        {
            json.WriteStartObject();
            json.WriteNumber("schemaVersion", 2);
            json.WriteString("mediaType", MediaTypes.OciIndex);
            json.WriteStartArray("manifests");
            foreach (var manifest in manifests)
            {
                Write(json, manifest, tag);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static void Write(Utf8JsonWriter json, BootManifest manifest, string tag)
    {
        json.WriteStartObject();
        json.WriteString("mediaType", manifest.MediaType);
        json.WriteString("digest", manifest.Digest.ToString());
        json.WriteNumber("size", manifest.Size);
        if (manifest.Platform is { } platform)
        {
            json.WriteStartObject("platform");
            json.WriteString("architecture", platform.Architecture ?? "");
            json.WriteString("os", platform.Os ?? "");
            json.WriteEndObject();
        }

        json.WriteStartObject("annotations");
        json.WriteString("org.opencontainers.image.ref.name", tag);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
