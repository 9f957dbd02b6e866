using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Serialization;

namespace ImagesFunctions.Local;

/// <summary>The option <c>-o</c>: the form in which a command writes what was asked for.</summary>
internal sealed class OutputForm
{
    /// <summary>For people.</summary>
    public const string Table = "table";

    /// <summary>For programs.</summary>
    public const string Json = "json";

    /// <summary>For programs and people.</summary>
    public const string Yaml = "yaml";

    /// <summary>Only names, one a line, for what reads lines.</summary>
    public const string Quiet = "quiet";

    private static readonly string[] s_all = [Table, Json, Yaml, Quiet];

    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        // A terminal is no HTML page.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly Option<string?> _option = new("--output", "-o")
    {
        Description = $"{string.Join(", ", s_all)} (default: {Table})",
        HelpName = "form",
    };

    /// <summary>Makes the option.</summary>
    public OutputForm()
    {
        _option.CompletionSources.Add(s_all);
        _option.Validators.Add(result =>
        {
            var given = result.GetValueOrDefault<string?>() ?? "";
            if (!s_all.Contains(given, StringComparer.Ordinal))
            {
                result.AddError($"'{given}' is no form of output: there are {string.Join(", ", s_all)}");
            }
        });
    }

    /// <summary>Gives it to a command.</summary>
    public void AddTo(Command command) => command.Options.Add(_option);

    /// <summary>What was asked for.</summary>
    public string Of(ParseResult parsed) => parsed.GetValue(_option) ?? Table;

    /// <summary>Writes a value as JSON or YAML.</summary>
    public static Task WriteAsync(string form, JsonNode value, TextWriter output) =>
        form == Yaml
            ? output.WriteAsync(new SerializerBuilder().WithQuotingNecessaryStrings().Build().Serialize(Plain(value)!))
            : output.WriteLineAsync(value.ToJsonString(s_json));

    // What the serializer of YAML knows: dictionaries, lists, texts, numbers.
    private static object? Plain(JsonNode? node) =>
        node switch
        {
            null => null,
            JsonObject members => members.ToDictionary(m => m.Key, m => Plain(m.Value), StringComparer.Ordinal),
            JsonArray items => items.Select(Plain).ToList(),
            _ => node.GetValueKind() switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                JsonValueKind.Number => Number(node.ToJsonString()),
                _ => node.GetValue<string>(),
            },
        };

    private static object Number(string text) =>
        long.TryParse(text, CultureInfo.InvariantCulture, out var whole)
            ? whole
            : double.Parse(text, CultureInfo.InvariantCulture);
}
