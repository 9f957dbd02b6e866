using System.Text.Json;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Listing;

/// <summary>The JSON members <c>components</c> and <c>platforms</c> of an image; each is left out where it is empty.</summary>
internal static class ComponentsJson
{
    public static void Write(Utf8JsonWriter json, ImageFacts facts)
    {
        if (facts.Components.Count > 0)
        {
            json.WriteStartObject("components");
            WriteFirst(json, facts, "kernel", ComponentRole.Kernel);
            WriteFirst(json, facts, "kernel_debug", ComponentRole.KernelDebug);
            WriteFirst(json, facts, "initrd", ComponentRole.Initrd);
            WriteRoms(json, [.. facts.Components.Where(c => c.Role == ComponentRole.Rom)]);
            json.WriteEndObject();
        }

        if (facts.Platforms.Count > 0)
        {
            json.WriteStartArray("platforms");
            foreach (var platform in facts.Platforms)
            {
                json.WriteStartObject();
                json.WriteString("os", platform.Os ?? "");
                json.WriteString("architecture", platform.Architecture ?? "");
                json.WriteString("digest", platform.Digest);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }
    }

    private static void WriteFirst(Utf8JsonWriter json, ImageFacts facts, string name, ComponentRole role)
    {
        if (facts.Components.FirstOrDefault(c => c.Role == role) is { } component)
        {
            json.WritePropertyName(name);
            Write(json, component);
        }
    }

    private static void WriteRoms(Utf8JsonWriter json, List<ImageComponent> roms)
    {
        if (roms.Count == 0)
        {
            return;
        }

        json.WriteStartArray("roms");
        roms.ForEach(rom => Write(json, rom));
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, ImageComponent component)
    {
        json.WriteStartObject();
        json.WriteString("digest", component.Digest);
        json.WriteString("media_type", component.MediaType);
        json.WriteNumber("size_in_bytes", component.Size);
        if (component.Annotations.Count > 0)
        {
            json.WriteStartObject("annotations");
            foreach (var (name, value) in component.Annotations.OrderBy(a => a.Key, StringComparer.Ordinal))
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
