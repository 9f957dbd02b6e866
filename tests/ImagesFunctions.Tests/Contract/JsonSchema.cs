using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ImagesFunctions.Tests.Contract;

/// <summary>
/// JSON Schema 2020-12, as far as our OpenAPI document uses it. A keyword that it does not know is an error of the test,
/// never one that holds. The linter holds the same schemas against the same examples with a validator of its own.
/// </summary>
/// <param name="document">What a <c>$ref</c> points into.</param>
public sealed class JsonSchema(JsonElement document)
{
    private static readonly ConcurrentDictionary<string, Regex> Patterns = new(StringComparer.Ordinal);

    /// <summary>What of a value does not hold, each with its place; none: it is valid.</summary>
    public IEnumerable<string> Violations(JsonElement schema, JsonElement value, string at = "$")
    {
        foreach (var keyword in schema.EnumerateObject())
        {
            foreach (var violation in Violations(schema, keyword.Name, keyword.Value, value, at))
            {
                yield return violation;
            }
        }
    }

    /// <summary>What a <c>$ref</c> points to, or the element itself.</summary>
    public JsonElement Resolve(JsonElement element)
    {
        while (element.ValueKind == JsonValueKind.Object && element.TryGetProperty("$ref", out var reference))
        {
            element = Pointed(reference.GetString()!);
        }

        return element;
    }

    /// <summary>The text of a header or of a query as a value of its schema's type.</summary>
    public static JsonElement Typed(JsonElement schema, string text) =>
        schema.TryGetProperty("type", out var type)
        && type.GetString() == "integer"
        && text.Length is > 0 and < 19
        && text.All(char.IsAsciiDigit)
            ? JsonSerializer.SerializeToElement(long.Parse(text))
            : JsonSerializer.SerializeToElement(text);

    /// <summary>Parses JSON that names no member twice.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    public static JsonElement Parse(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
        return document.RootElement.Clone();
    }

    private IEnumerable<string> Violations(
        JsonElement schema,
        string keyword,
        JsonElement operand,
        JsonElement value,
        string at
    ) =>
        keyword switch
        {
            "description" or "examples" or "deprecated" => [],
            "$ref" => Violations(Pointed(operand.GetString()!), value, at),
            "type" => If(!IsOf(operand.GetString()!, value), at, $"{Short(value)} is no {operand}"),
            "const" => If(!JsonElement.DeepEquals(operand, value), at, $"{Short(value)} is not {Short(operand)}"),
            "enum" => If(
                !operand.EnumerateArray().Any(one => JsonElement.DeepEquals(one, value)),
                at,
                $"{Short(value)} is none of {operand.GetRawText()}"
            ),
            "oneOf" or "anyOf" => OneOf(keyword, operand, value, at),
            "not" => If(!Violations(operand, value, at).Any(), at, $"{Short(value)} is what it must not be"),
            "properties" or "required" or "additionalProperties" or "minProperties" => value.ValueKind
            == JsonValueKind.Object
                ? OfObject(schema, keyword, operand, value, at)
                : [],
            "items" or "minItems" or "maxItems" or "uniqueItems" => value.ValueKind == JsonValueKind.Array
                ? OfArray(keyword, operand, value, at)
                : [],
            "minLength" or "maxLength" or "pattern" or "format" => value.ValueKind == JsonValueKind.String
                ? OfString(keyword, operand, value.GetString()!, at)
                : [],
            "minimum" => If(
                value.ValueKind == JsonValueKind.Number && value.GetDecimal() < operand.GetDecimal(),
                at,
                $"{value} is less than {operand}"
            ),
            "maximum" => If(
                value.ValueKind == JsonValueKind.Number && value.GetDecimal() > operand.GetDecimal(),
                at,
                $"{value} is more than {operand}"
            ),
            _ => throw new NotSupportedException($"This test does not know the keyword '{keyword}' of {schema}"),
        };

    private List<string> OneOf(string keyword, JsonElement schemas, JsonElement value, string at)
    {
        var tried = schemas.EnumerateArray().Select(one => Violations(one, value, at).ToList()).ToList();
        var fit = tried.Count(violations => violations.Count == 0);
        return (keyword, fit) switch
        {
            (_, 1) or ("anyOf", > 0) => [],
            // The alternative that was nearest says most.
            (_, 0) => tried.MinBy(violations => violations.Count)!,
            _ => [$"{at}: {Short(value)} fits {fit} of the alternatives"],
        };
    }

    private IEnumerable<string> OfObject(
        JsonElement schema,
        string keyword,
        JsonElement operand,
        JsonElement value,
        string at
    )
    {
        switch (keyword)
        {
            case "properties":
                return operand
                    .EnumerateObject()
                    .Where(property => value.TryGetProperty(property.Name, out _))
                    .SelectMany(property =>
                        Violations(property.Value, value.GetProperty(property.Name), $"{at}.{property.Name}")
                    );
            case "required":
                return operand
                    .EnumerateArray()
                    .Where(name => !value.TryGetProperty(name.GetString()!, out _))
                    .Select(name => $"{at}: there is no {name}");
            case "minProperties":
                return If(value.EnumerateObject().Count() < operand.GetInt32(), at, "it has too few members");
            default:
                var named = schema.TryGetProperty("properties", out var properties) ? properties : default;
                return value
                    .EnumerateObject()
                    .Where(member =>
                        named.ValueKind == JsonValueKind.Undefined || !named.TryGetProperty(member.Name, out _)
                    )
                    .SelectMany(member =>
                        operand.ValueKind switch
                        {
                            JsonValueKind.True => [],
                            JsonValueKind.False => [$"{at}: nobody knows its member {member.Name}"],
                            _ => Violations(operand, member.Value, $"{at}.{member.Name}"),
                        }
                    );
        }
    }

    private IEnumerable<string> OfArray(string keyword, JsonElement operand, JsonElement value, string at) =>
        keyword switch
        {
            "items" => value.EnumerateArray().SelectMany((item, index) => Violations(operand, item, $"{at}[{index}]")),
            "minItems" => If(value.GetArrayLength() < operand.GetInt32(), at, $"{value.GetArrayLength()} are too few"),
            "maxItems" => If(value.GetArrayLength() > operand.GetInt32(), at, $"{value.GetArrayLength()} are too many"),
            _ => If(
                operand.GetBoolean()
                    && value.EnumerateArray().Select(item => item.GetRawText()).Distinct(StringComparer.Ordinal).Count()
                        < value.GetArrayLength(),
                at,
                "one is there twice"
            ),
        };

    private static IEnumerable<string> OfString(string keyword, JsonElement operand, string value, string at) =>
        keyword switch
        {
            "minLength" => If(value.Length < operand.GetInt32(), at, $"'{value}' is too short"),
            "maxLength" => If(value.EnumerateRunes().Count() > operand.GetInt32(), at, $"'{value}' is too long"),
            "pattern" => If(
                !Pattern(operand.GetString()!).IsMatch(value),
                at,
                $"'{value}' does not match {operand.GetString()}"
            ),
            _ when operand.GetString() == "date-time" => If(
                // RFC 3339: the zone is part of it.
                !Pattern(
                        "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})$"
                    )
                    .IsMatch(value) || !DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, out _),
                at,
                $"'{value}' is no time"
            ),
            _ => throw new NotSupportedException($"This test does not know the format {operand}"),
        };

    private static bool IsOf(string type, JsonElement value) =>
        type switch
        {
            "object" => value.ValueKind == JsonValueKind.Object,
            "array" => value.ValueKind == JsonValueKind.Array,
            "string" => value.ValueKind == JsonValueKind.String,
            "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
            _ => throw new NotSupportedException($"This test does not know the type {type}"),
        };

    // "$" also matches in front of a last line break here, and does not in the dialect of JSON Schema.
    private static Regex Pattern(string pattern) =>
        Patterns.GetOrAdd(
            pattern,
            text => new Regex(
                text.EndsWith('$') ? $"{text[..^1]}\\z" : text,
                RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
            )
        );

    private JsonElement Pointed(string reference)
    {
        var element = document;
        foreach (var name in reference.Split('/').Skip(1))
        {
            element = element.GetProperty(name);
        }

        return element;
    }

    private static IEnumerable<string> If(bool isViolated, string at, string message) =>
        isViolated ? [$"{at}: {message}"] : [];

    private static string Short(JsonElement value) =>
        value.GetRawText() is { Length: > 200 } text ? text[..200] + "…" : value.GetRawText();
}
