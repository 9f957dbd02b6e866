using System.Text.Json;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Policy;

/// <summary>The form of the rules of an account as JSON: docs/retention.md.</summary>
internal static class RulesJson
{
    private const string Immutable = "immutable";
    private const string Repositories = "repositories";
    private const string Tags = "tags";
    private const int MaxRules = 50;
    private const int MaxPatterns = 50;

    private delegate bool TryParse<T>(string? text, out T? parsed);

    /// <summary>Reads the rules of an account.</summary>
    /// <exception cref="FormatException">They are none; the message names the member.</exception>
    public static AccountRules Read(JsonElement json, bool isStrict)
    {
        Demand(json, "the rules", isStrict, Immutable);
        var rules = json.TryGetProperty(Immutable, out var immutable)
            ? new AccountRules([.. Items(immutable, Immutable, MaxRules).Select(i => ReadImmutable(i, isStrict))])
            : AccountRules.None;
        return rules.Text.Length <= AccountRules.MaxText
            ? rules
            : throw new FormatException($"the rules are longer than {AccountRules.MaxText} characters");
    }

    /// <summary>Writes them.</summary>
    public static void Write(Utf8JsonWriter json, AccountRules rules)
    {
        json.WriteStartObject();
        if (rules.Immutable.Count > 0)
        {
            json.WriteStartArray(Immutable);
            foreach (var rule in rules.Immutable)
            {
                json.WriteStartObject();
                Write(json, Repositories, rule.Repositories.Select(p => p.Text));
                Write(json, Tags, rule.Tags.Select(p => p.Text));
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static ImmutableTags ReadImmutable((JsonElement Json, string Path) item, bool isStrict)
    {
        Demand(item.Json, item.Path, isStrict, Repositories, Tags);
        return new ImmutableTags(
            Patterns<RepositoryPattern>(
                item,
                Repositories,
                RepositoryPattern.TryParse,
                "use names without the account, such as web, web/* or team/**"
            ),
            Patterns<TagPattern>(item, Tags, TagPattern.TryParse, "use tags, such as latest or v*")
        );
    }

    private static List<T> Patterns<T>(
        (JsonElement Json, string Path) of,
        string name,
        TryParse<T> tryParse,
        string hint
    )
        where T : class
    {
        if (!of.Json.TryGetProperty(name, out var json))
        {
            throw new FormatException($"{of.Path} has no {name}: {hint}");
        }

        var patterns = new List<T>();
        foreach (var (one, path) in Items(json, $"{of.Path}.{name}", MaxPatterns))
        {
            if (one.ValueKind != JsonValueKind.String || !tryParse(one.GetString(), out var pattern))
            {
                throw new FormatException($"{path} is no pattern: {hint}");
            }

            patterns.Add(pattern!);
        }

        return patterns.Count > 0 ? patterns : throw new FormatException($"{of.Path}.{name} is empty: {hint}");
    }

    private static IEnumerable<(JsonElement Json, string Path)> Items(JsonElement json, string path, int max)
    {
        if (json.ValueKind != JsonValueKind.Array)
        {
            throw new FormatException($"{path} has to be an array");
        }

        var count = json.GetArrayLength();
        return count <= max
            ? json.EnumerateArray().Select((one, i) => (one, $"{path}[{i}]"))
            : throw new FormatException($"{path} has {count} elements: there may be {max}");
    }

    private static void Demand(JsonElement json, string path, bool isStrict, params string[] members)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException($"{path} has to be an object");
        }

        foreach (
            var member in json.EnumerateObject()
                .Where(m => isStrict && !members.Contains(m.Name, StringComparer.Ordinal))
        )
        {
            throw new FormatException(
                $"{path} has the member '{member.Name}', which is unknown: there is {string.Join(" and ", members)}"
            );
        }
    }

    private static void Write(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }
}
