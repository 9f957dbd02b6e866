using System.Text.Json;

namespace ImagesFunctions.Policy;

/// <summary>The form of the rules of an account as JSON: docs/retention.md.</summary>
internal static class RulesJson
{
    private const string Immutable = "immutable";
    private const string Retention = "retention";
    private const string Repositories = "repositories";
    private const string Tags = "tags";
    private const string Keep = "keep";
    private const string Newest = "newest";
    private const string Remove = "remove";
    private const string UntaggedAfter = "untagged_after";
    private const string NotPushedFor = "not_pushed_for";
    private const string NotPulledFor = "not_pulled_for";

    /// <summary>Reads the rules of an account.</summary>
    /// <exception cref="FormatException">They are none; the message names the member.</exception>
    public static AccountRules Read(JsonElement json, bool isStrict)
    {
        var reader = new RulesReader(json, "the rules", isStrict).Demand(Immutable, Retention);
        var rules = new AccountRules([.. reader.Rules(Immutable).Select(ReadImmutable)])
        {
            Retention = isStrict ? ReadRetention(json) : KnownRetention(json),
        };
        return rules.Text.Length <= AccountRules.MaxText
            ? rules
            : throw new FormatException($"the rules are longer than {AccountRules.MaxText} characters");
    }

    /// <summary>Writes them.</summary>
    public static void Write(Utf8JsonWriter json, AccountRules rules)
    {
        json.WriteStartObject();
        WriteAll(
            json,
            Immutable,
            rules.Immutable,
            rule =>
            {
                WriteTexts(json, Repositories, rule.Repositories.Select(p => p.Text));
                WriteTexts(json, Tags, rule.Tags.Select(p => p.Text));
            }
        );
        WriteAll(json, Retention, rules.Retention, rule => Write(json, rule));
        json.WriteEndObject();
    }

    private static ImmutableTags ReadImmutable(RulesReader rule)
    {
        rule.Demand(Repositories, Tags);
        return new ImmutableTags(rule.Repositories(), rule.Tags());
    }

    // What a newer version means by more members may keep something: then nothing goes.
    private static List<RetentionRule> KnownRetention(JsonElement json)
    {
        try
        {
            return ReadRetention(json);
        }
        catch (FormatException)
        {
            return [];
        }
    }

    private static List<RetentionRule> ReadRetention(JsonElement json) =>
        [.. new RulesReader(json, "the rules", isStrict: true).Rules(Retention).Select(ReadRetention)];

    private static RetentionRule ReadRetention(RulesReader rule)
    {
        rule.Demand(Repositories, Keep, Remove);
        var read = new RetentionRule(rule.Repositories());
        if (rule.Member(Keep)?.Demand(Newest, Tags) is { } keep)
        {
            read = read with
            {
                Newest = keep.Count(Newest, RetentionRule.MaxNewest),
                Tags = keep.Has(Tags) ? keep.Tags() : [],
            };
        }

        if (rule.Member(Remove)?.Demand(UntaggedAfter, NotPushedFor, NotPulledFor) is { } remove)
        {
            read = read with
            {
                UntaggedAfter = remove.Time(UntaggedAfter),
                NotPushedFor = remove.Time(NotPushedFor),
                NotPulledFor = remove.Time(NotPulledFor),
            };
        }

        return read.Removes || read.Newest is not null || read.Tags.Count > 0
            ? read
            : throw rule.Error($"says neither what to {Keep} nor what to {Remove}");
    }

    private static void Write(Utf8JsonWriter json, RetentionRule rule)
    {
        WriteTexts(json, Repositories, rule.Repositories.Select(p => p.Text));
        if (rule.Newest is not null || rule.Tags.Count > 0)
        {
            json.WriteStartObject(Keep);
            if (rule.Newest is { } newest)
            {
                json.WriteNumber(Newest, newest);
            }

            if (rule.Tags.Count > 0)
            {
                WriteTexts(json, Tags, rule.Tags.Select(p => p.Text));
            }

            json.WriteEndObject();
        }

        if (rule.Removes)
        {
            json.WriteStartObject(Remove);
            WriteTime(json, UntaggedAfter, rule.UntaggedAfter);
            WriteTime(json, NotPushedFor, rule.NotPushedFor);
            WriteTime(json, NotPulledFor, rule.NotPulledFor);
            json.WriteEndObject();
        }
    }

    private static void WriteTime(Utf8JsonWriter json, string name, Period? time)
    {
        if (time is not null)
        {
            json.WriteString(name, time.Text);
        }
    }

    private static void WriteAll<T>(Utf8JsonWriter json, string name, IReadOnlyList<T> rules, Action<T> write)
    {
        if (rules.Count == 0)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (var rule in rules)
        {
            json.WriteStartObject();
            write(rule);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }
}
