using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Pages;

/// <summary>Reads a manifest and its config for the page of an image.</summary>
internal static class ReadContent
{
    private const int MaxShown = 256 * 1024;
    private const int MaxLines = 500;

    // It is escaped once more where it stands in a page.
    private static readonly JsonSerializerOptions s_readable = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 128,
    };

    /// <summary>What they say; nothing where storage does not give them out now.</summary>
    public static async Task<ImageContent> OfAsync(
        IServiceProvider services,
        Repository repository,
        ImageRow row,
        CancellationToken stop
    )
    {
        var stored = services.GetRequiredService<StoredManifests>();
        try
        {
            if (await stored.BytesAsync(repository, row.Digest, stop) is not { } bytes)
            {
                return ImageContent.None;
            }

            var manifest = Manifest.Parse(bytes, row.MediaType);
            var config =
                manifest.Config is { } of && of.Size <= Manifest.MaxContent
                    ? await stored.BytesAsync(repository, of.Digest, stop)
                    : null;
            var details = config is null ? ConfigDetails.None : ConfigDetails.Read(config);
            return new ImageContent
            {
                Layers = Layers(manifest, details),
                Platforms =
                [
                    .. manifest
                        .Manifests.Take(MaxLines)
                        .Select(m => new PlatformLine(
                            m.IsAttestation ? "attestation"
                                : m.Platform is { } platform ? Texts.Platform(platform)
                                : "of no platform",
                            m.Digest.ToString(),
                            BrowsePaths.Of(repository, m.Digest.ToString())
                        )),
                ],
                Platform = details.Platform is { IsUnknown: false } own ? Texts.Platform(own) : "",
                Manifest = Readable(bytes),
                Config = config is null ? "" : Readable(config),
            };
        }
        catch (StorageHeldException)
        {
            return ImageContent.None;
        }
    }

    private static List<LayerLine> Layers(Manifest manifest, ConfigDetails details)
    {
        var commands = details.OfLayers.ToList();
        // Of a history of another length nobody knows what belongs to which layer.
        var isKnown = commands.Count == manifest.Layers.Count;
        return
        [
            .. manifest
                .Layers.Take(MaxLines)
                .Select(
                    (layer, i) =>
                        new LayerLine(
                            layer.Digest.ToString(),
                            layer.MediaType,
                            layer.Size,
                            ImageComponent.RoleOf(layer, tar: null) is { } role ? SizeParts.Label(role) : "",
                            isKnown ? commands[i] : ""
                        )
                ),
        ];
    }

    private static string Readable(byte[] json)
    {
        string text;
        try
        {
            text = JsonSerializer.Serialize(JsonSerializer.Deserialize<JsonElement>(json), s_readable);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or ArgumentException)
        {
            text = Encoding.UTF8.GetString(json);
        }

        return text.Length <= MaxShown ? text : text[..MaxShown] + "\n…";
    }
}
