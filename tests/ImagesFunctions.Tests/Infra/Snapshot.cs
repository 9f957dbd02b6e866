using System.Text.Json;
using ImagesFunctions.Local;

namespace ImagesFunctions.Tests.Infra;

/// <summary>
/// What the Bicep makes, as <c>infra/check</c> wrote it down and compares it on every run of CI. What only Azure knows (an
/// endpoint, an identity's id) is an expression in brackets.
/// </summary>
public sealed class Snapshot
{
    private readonly List<Resource> _resources;

    private Snapshot(string name)
    {
        using var json = JsonDocument.Parse(Repo.Read($"infra/snapshots/{name}.snapshot.json"));
        _resources =
        [
            .. json
                .RootElement.GetProperty("predictedResources")
                .EnumerateArray()
                .Select(resource => new Resource(resource.Clone())),
        ];
    }

    /// <summary>What <c>main.bicep</c> makes, with all alerts and instances that are always ready.</summary>
    public static Snapshot Main { get; } = new("main");

    /// <summary>What <c>main.bicep</c> makes with all that reviewers ask for, which is off in <see cref="Main"/>.</summary>
    public static Snapshot Reviewed { get; } = new("reviewed");

    /// <summary>What <c>subscription.bicep</c> makes.</summary>
    public static Snapshot Subscription { get; } = new("subscription");

    /// <summary>The name of the storage account that has the images.</summary>
    public static string ImagesAccount => Main.Of("Microsoft.Storage/storageAccounts")[0].Name;

    /// <summary>The last part of a path.</summary>
    public static string Last(string path) => path.Split('/')[^1];

    /// <summary>The last parts of the names of those resources of a type that belong to the account that has the images.</summary>
    public static IEnumerable<string> NamesInImagesAccount(string type) =>
        Main.Of(type)
            .Where(r => r.Name.StartsWith(ImagesAccount + "/", StringComparison.Ordinal))
            .Select(r => Last(r.Name));

    public IReadOnlyList<Resource> All => _resources;

    public IReadOnlyList<Resource> Of(string type) => [.. _resources.Where(r => r.Type == type)];

    public Resource One(string type) => Assert.Single(Of(type));

    /// <summary>The app settings.</summary>
    public IReadOnlyDictionary<string, string> AppSettings =>
        One("Microsoft.Web/sites/config")
            .Json.GetProperty("properties")
            .EnumerateObject()
            .ToDictionary(setting => setting.Name, setting => setting.Value.GetString()!, StringComparer.Ordinal);
}

/// <summary>One resource of a snapshot.</summary>
public sealed record Resource(JsonElement Json)
{
    public string Id => Json.GetProperty("id").GetString()!;

    public string Type => Json.GetProperty("type").GetString()!;

    public string Name => Json.GetProperty("name").GetString()!;

    /// <summary>The value at a path like <c>properties.sku.name</c>, as text; null when there is none.</summary>
    public string? this[string path]
    {
        get
        {
            var at = Json;
            foreach (var part in path.Split('.'))
            {
                if (
                    at.ValueKind == JsonValueKind.Array && int.TryParse(part, out var index)
                        ? index >= at.GetArrayLength()
                        : !at.TryGetProperty(part, out _)
                )
                {
                    return null;
                }

                at = at.ValueKind == JsonValueKind.Array ? at[int.Parse(part)] : at.GetProperty(part);
            }

            return at.ToString();
        }
    }

    public override string ToString() => $"{Type} {Name}";
}

/// <summary>The files of the clone.</summary>
internal static class Repo
{
    public static string Path(string file) => System.IO.Path.Combine(Places.Root, file);

    public static string Read(string file) => File.ReadAllText(Path(file));
}
