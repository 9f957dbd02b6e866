using System.Text.Json;

namespace ImagesFunctions.Oci;

/// <summary>A step by which an image was made (OCI image spec, config.md, "history").</summary>
/// <param name="CreatedBy">The command; "" where it is not said.</param>
/// <param name="IsEmpty">Whether it made no layer.</param>
public sealed record HistoryStep(string CreatedBy, bool IsEmpty);

/// <summary>What a config says that lists do not show: its platform and its history. Read leniently: what is malformed is absent.</summary>
/// <param name="Platform">The platform; null where the config names none.</param>
/// <param name="History">The steps, in their order.</param>
public sealed record ConfigDetails(Platform? Platform, IReadOnlyList<HistoryStep> History)
{
    private const int MaxSteps = 1_000;
    private static readonly JsonDocumentOptions s_lenient = new() { MaxDepth = 64 };

    /// <summary>Of a config that cannot be read.</summary>
    public static ConfigDetails None { get; } = new(null, []);

    /// <summary>Reads a config.</summary>
    public static ConfigDetails Read(ReadOnlyMemory<byte> config)
    {
        try
        {
            using var document = JsonDocument.Parse(config, s_lenient);
            var root = document.RootElement;
            return root.ValueKind == JsonValueKind.Object
                ? new ConfigDetails(PlatformOf(root), [.. Steps(root)])
                : None;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // Text that is not valid Unicode shows only when it is read.
            return None;
        }
    }

    /// <summary>The commands that made the layers, in the order of the layers; fewer where the history does not say it of each.</summary>
    public IEnumerable<string> OfLayers => History.Where(step => !step.IsEmpty).Select(step => step.CreatedBy);

    private static Platform? PlatformOf(JsonElement root)
    {
        var (os, architecture) = (Text(root, "os"), Text(root, "architecture"));
        return os is null && architecture is null ? null : new Platform(os, architecture);
    }

    private static IEnumerable<HistoryStep> Steps(JsonElement root) =>
        root.TryGetProperty("history", out var history) && history.ValueKind == JsonValueKind.Array
            ? history
                .EnumerateArray()
                .Take(MaxSteps)
                .Where(step => step.ValueKind == JsonValueKind.Object)
                .Select(step => new HistoryStep(
                    Text(step, "created_by") ?? "",
                    step.TryGetProperty("empty_layer", out var empty) && empty.ValueKind == JsonValueKind.True
                ))
            : [];

    private static string? Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
