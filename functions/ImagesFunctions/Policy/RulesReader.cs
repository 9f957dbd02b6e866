using System.Text.Json;
using ImagesFunctions.Oci;
using ImagesFunctions.Settings;

namespace ImagesFunctions.Policy;

/// <summary>Reads the parts of the rules of an account, and names the member that is wrong.</summary>
/// <param name="json">An element.</param>
/// <param name="path">Where it is, for messages.</param>
/// <param name="isStrict">Whether members that are unknown are refused.</param>
internal readonly struct RulesReader(JsonElement json, string path, bool isStrict)
{
    public const int MaxRules = 50;
    private const int MaxPatterns = 50;

    // A hundred years: what is longer is a slip of the pen, and no moment is so long ago.
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(36_525);

    private delegate bool TryParse<T>(string? text, out T? parsed);

    /// <summary>Demands an object with no other members than these.</summary>
    /// <exception cref="FormatException">It is none, or has others.</exception>
    public RulesReader Demand(params string[] members)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException($"{path} has to be an object");
        }

        foreach (var member in json.EnumerateObject())
        {
            if (isStrict && !members.Contains(member.Name, StringComparer.Ordinal))
            {
                throw new FormatException(
                    $"{path} has the member '{member.Name}', which is unknown: there is {string.Join(" and ", members)}"
                );
            }
        }

        return this;
    }

    /// <summary>A member; null where there is none.</summary>
    public RulesReader? Member(string name) =>
        json.TryGetProperty(name, out var member) ? new RulesReader(member, $"{path}.{name}", isStrict) : null;

    /// <summary>The elements of a list of rules; none where there is no such member.</summary>
    public IEnumerable<RulesReader> Rules(string name)
    {
        var strict = isStrict;
        return json.TryGetProperty(name, out var list)
            ? Items(list, name, MaxRules).Select(item => new RulesReader(item.Json, item.Path, strict))
            : [];
    }

    /// <summary>Patterns of repositories, of which there has to be one.</summary>
    public IReadOnlyList<RepositoryPattern> Repositories() =>
        Patterns<RepositoryPattern>(
            "repositories",
            RepositoryPattern.TryParse,
            "use names without the account, such as web, web/* or team/**"
        );

    /// <summary>Patterns of tags, of which there has to be one.</summary>
    public IReadOnlyList<TagPattern> Tags() =>
        Patterns<TagPattern>("tags", TagPattern.TryParse, "use tags, such as latest or v*");

    /// <summary>A member that is a number; null where there is none.</summary>
    public int? Count(string name, int max)
    {
        if (!json.TryGetProperty(name, out var member))
        {
            return null;
        }

        return
            member.ValueKind == JsonValueKind.Number && member.TryGetInt32(out var count) && count >= 1 && count <= max
            ? count
            : throw new FormatException($"{path}.{name} has to be a whole number from 1 to {max}");
    }

    /// <summary>A member that is a time; null where there is none.</summary>
    public Period? Time(string name)
    {
        if (!json.TryGetProperty(name, out var member))
        {
            return null;
        }

        return
            member.ValueKind == JsonValueKind.String
            && Duration.TryParse(member.GetString(), out var time)
            && time > TimeSpan.Zero
            && time <= s_longest
            ? new Period(member.GetString()!, time)
            : throw new FormatException($"{path}.{name} has to be a time such as 90d, 12h, 30m or 10s");
    }

    /// <summary>Whether there is such a member.</summary>
    public bool Has(string name) => json.TryGetProperty(name, out _);

    /// <summary>The error of this element.</summary>
    public FormatException Error(string what) => new($"{path} {what}");

    private List<T> Patterns<T>(string name, TryParse<T> tryParse, string hint)
        where T : class
    {
        if (!json.TryGetProperty(name, out var list))
        {
            throw new FormatException($"{path} has no {name}: {hint}");
        }

        var patterns = new List<T>();
        foreach (var (one, place) in Items(list, $"{path}.{name}", MaxPatterns))
        {
            if (one.ValueKind != JsonValueKind.String || !tryParse(one.GetString(), out var pattern))
            {
                throw new FormatException($"{place} is no pattern: {hint}");
            }

            patterns.Add(pattern!);
        }

        return patterns.Count > 0 ? patterns : throw new FormatException($"{path}.{name} is empty: {hint}");
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
}
