using System.Globalization;
using System.Text.Json.Nodes;
using ImagesFunctions.Policy;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ImagesFunctions.Local;

/// <summary>The rules of an account as people write them: YAML or JSON.</summary>
internal static class RulesFile
{
    // The only number in rules. Whatever else looks like one is a text, such as the tag 1.0.
    private const string Number = "newest";

    private const int MaxText = 1024 * 1024;
    private const int MaxDepth = 8;
    private const int MaxNodes = 20_000;

    /// <summary>Reads rules.</summary>
    /// <param name="text">One document of YAML, or JSON.</param>
    /// <exception cref="FormatException">They are none; the message names the member, or the line.</exception>
    public static AccountRules Parse(string text) =>
        text.Length > MaxText ? throw new FormatException($"the rules are longer than {MaxText} characters")
        : text.TrimStart() is ['{', ..] json ? AccountRules.Parse(json)
        : AccountRules.Parse(FromYaml(text).ToJsonString());

    private static JsonNode FromYaml(string text)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException error)
        {
            throw new FormatException($"the rules are no YAML, line {error.Start.Line}: {error.Message}", error);
        }

        var nodes = 0;
        return stream.Documents.Count == 1
            ? Json(stream.Documents[0].RootNode, depth: 1, isNumber: false)
            : throw new FormatException($"the rules have {stream.Documents.Count} YAML documents: one is needed");

        // What an alias stands for is written out each time.
        JsonNode Json(YamlNode node, int depth, bool isNumber)
        {
            if (depth > MaxDepth || ++nodes > MaxNodes)
            {
                throw new FormatException($"the rules are too deep or too long at line {node.Start.Line}");
            }

            return node switch
            {
                YamlMappingNode mapping => new JsonObject(
                    mapping.Children.Select(m => KeyValuePair.Create(Text(m.Key), Member(m.Value, Text(m.Key))))
                ),
                YamlSequenceNode sequence => new JsonArray([.. sequence.Select(n => Json(n, depth + 1, false))]),
                _ when isNumber && int.TryParse(Text(node), CultureInfo.InvariantCulture, out var number) => number,
                _ => Text(node),
            };

            JsonNode? Member(YamlNode value, string name) => Json(value, depth + 1, name == Number);
        }
    }

    private static string Text(YamlNode node) =>
        node is YamlScalarNode { Value: { } text }
            ? text
            : throw new FormatException($"the rules have no text at line {node.Start.Line}");
}
