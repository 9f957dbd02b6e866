using System.Text.Json;
using System.Text.Json.Serialization;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Rows;

/// <summary>The part of an image row that may be long: its JSON.</summary>
internal sealed record LongFacts(
    IReadOnlyList<string> Args,
    IReadOnlyList<string> Env,
    IReadOnlyDictionary<string, string> Labels,
    bool Initrd,
    bool Rom,
    string KernelArgs,
    string? Created,
    IReadOnlyList<string> Children,
    IReadOnlyDictionary<string, long> Parts,
    // Rows of an earlier version have neither.
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<ImageComponent>? Components =
        null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        IReadOnlyList<ImagePlatform>? Platforms = null
)
{
    public static string Write(ImageRow row)
    {
        var f = row.Facts;
        return JsonSerializer.Serialize(
            new LongFacts(
                f.Args,
                f.Env,
                f.Labels,
                f.Initrd,
                f.Rom,
                f.KernelArgs,
                f.Created,
                row.Children,
                row.BlobSizes,
                f.Components.Count > 0 ? f.Components : null,
                f.Platforms.Count > 0 ? f.Platforms : null
            ),
            RowJson.Default.LongFacts
        );
    }

    /// <summary>As <see cref="Read"/>, of JSON that may be damaged; null where it is.</summary>
    public static ImageRow? TryRead(string json, ImageRow row)
    {
        try
        {
            return JsonSerializer.Deserialize(json, RowJson.Default.LongFacts) is { IsWhole: true } facts
                ? With(facts, row)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static ImageRow Read(string json, ImageRow row) =>
        With(JsonSerializer.Deserialize(json, RowJson.Default.LongFacts)!, row);

    // What the compiler believes, and JSON need not have.
    private bool IsWhole =>
        Args is not null
        && Env is not null
        && Labels is not null
        && KernelArgs is not null
        && Children is not null
        && Parts is not null
        && Args.Concat(Env).Concat(Children).Concat(Labels.Values).All(text => text is not null);

    private static ImageRow With(LongFacts facts, ImageRow row) =>
        row with
        {
            Children = facts.Children,
            BlobSizes = facts.Parts,
            Facts = new ImageFacts
            {
                Args = facts.Args,
                Env = facts.Env,
                Labels = facts.Labels,
                Initrd = facts.Initrd,
                Rom = facts.Rom,
                KernelArgs = facts.KernelArgs,
                Created = facts.Created,
                Components = facts.Components ?? [],
                Platforms = facts.Platforms ?? [],
            },
        };
}

[JsonSerializable(typeof(LongFacts))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
internal sealed partial class RowJson : JsonSerializerContext;
