using System.Text.Json;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Fuzz.Targets;

/// <summary>Writes manifests, which the product never does: it keeps their bytes.</summary>
internal static class ManifestText
{
    /// <summary>The JSON of a manifest: the same for equal ones.</summary>
    public static byte[] Write(Manifest manifest)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("schemaVersion", 2);
            json.WriteString("mediaType", manifest.MediaType);
            Optional(json, "artifactType", manifest.ArtifactType);
            if (manifest.Config is { } config)
            {
                json.WritePropertyName("config");
                Write(json, config);
                List(json, "layers", manifest.Layers);
            }
            else
            {
                List(json, "manifests", manifest.Manifests);
            }

            if (manifest.Subject is { } subject)
            {
                json.WritePropertyName("subject");
                Write(json, subject);
            }

            Texts(json, manifest.Annotations);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>Whether a manifest has a text <c>mediaType</c> of its own.</summary>
    public static bool SaysItsType(byte[] content)
    {
        using var document = JsonDocument.Parse(content);
        return document.RootElement.TryGetProperty("mediaType", out var type) && type.ValueKind == JsonValueKind.String;
    }

    /// <summary>Writes a descriptor.</summary>
    public static void Write(Utf8JsonWriter json, Descriptor descriptor)
    {
        json.WriteStartObject();
        json.WriteString("mediaType", descriptor.MediaType);
        json.WriteString("digest", descriptor.Digest.ToString());
        json.WriteNumber("size", descriptor.Size);
        if (descriptor.Platform is { } platform)
        {
            json.WriteStartObject("platform");
            Optional(json, "os", platform.Os);
            Optional(json, "architecture", platform.Architecture);
            json.WriteEndObject();
        }

        if (descriptor.HasUrls)
        {
            json.WriteStartArray("urls");
            json.WriteStringValue("https://registry.invalid/");
            json.WriteEndArray();
        }

        Texts(json, descriptor.Annotations);
        json.WriteEndObject();
    }

    private static void List(Utf8JsonWriter json, string name, IEnumerable<Descriptor> descriptors)
    {
        json.WriteStartArray(name);
        foreach (var descriptor in descriptors)
        {
            Write(json, descriptor);
        }

        json.WriteEndArray();
    }

    private static void Texts(Utf8JsonWriter json, IReadOnlyDictionary<string, string> texts)
    {
        json.WriteStartObject("annotations");
        foreach (var (name, value) in texts.OrderBy(text => text.Key, StringComparer.Ordinal))
        {
            json.WriteString(name, value);
        }

        json.WriteEndObject();
    }

    private static void Optional(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }
}
