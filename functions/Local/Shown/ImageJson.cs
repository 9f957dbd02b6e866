using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagesFunctions.Images;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary>The details of an image for programs.</summary>
internal static class ImageJson
{
    /// <summary>Makes it.</summary>
    public static JsonObject Of(ImageDetails details)
    {
        var image = details.Image;
        return new JsonObject(LsCommand.Columns.Select(c => KeyValuePair.Create(c.Name, Values.Json(c.Value(image)))))
        {
            ["media_type"] = image.MediaType,
            ["last_pulled"] = DayOf(details),
            ["args"] = Values.Json(details.Facts.Args),
            ["env"] = Values.Json(details.Facts.Env),
            ["kernel_args"] = details.Facts.KernelArgs,
            ["created"] = details.Facts.Created,
            ["labels"] = new JsonObject(
                details.Facts.Labels.Select(l => KeyValuePair.Create(l.Key, (JsonNode?)JsonValue.Create(l.Value)))
            ),
            ["components"] = new JsonArray([
                .. details.Facts.Components.Select(c => new JsonObject
                {
                    ["role"] = ImageText.RoleOf(c.Role),
                    ["digest"] = c.Digest,
                    ["size"] = c.Size,
                }),
            ]),
            ["platforms"] = new JsonArray([
                .. ImageText
                    .PlatformsOf(details.Manifest)
                    .Select(p => new JsonObject
                    {
                        ["os"] = p.Platform?.Os,
                        ["architecture"] = p.Platform?.Architecture,
                        ["digest"] = p.Digest.ToString(),
                    }),
            ]),
            ["layers"] = new JsonArray([.. details.Manifest.Layers.Select(Layer)]),
            ["referrers"] = new JsonArray([
                .. details.Referrers.Select(r => new JsonObject
                {
                    ["digest"] = r.Digest.ToString(),
                    ["artifact_type"] = r.ArtifactType,
                    ["size"] = r.Size,
                }),
            ]),
            ["needed_by"] = Values.Json(details.NeededBy.Select(d => d.ToString()).ToList()),
            ["manifest"] = Parsed(details.Bytes),
            ["config"] = details.Config is { } config ? Parsed(config) : null,
        };
    }

    /// <summary>The day on which it was pulled last; null where that is not known.</summary>
    internal static string? DayOf(ImageDetails details) =>
        details.LastPulled?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static JsonObject Layer(Descriptor layer) =>
        new()
        {
            ["digest"] = layer.Digest.ToString(),
            ["size"] = layer.Size,
            ["media_type"] = layer.MediaType,
        };

    // The config of an artifact need not be JSON.
    private static JsonNode? Parsed(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            return JsonNode.Parse(bytes.Span);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
