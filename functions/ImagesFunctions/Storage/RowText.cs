using System.Globalization;
using System.Text;
using System.Text.Json;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Storage;

/// <summary>
/// Rows as JSON, in blobs that outlive tables. Every value is kept, also those that only other versions know: texts, numbers and
/// flags as themselves, a time as <c>{"time": "…"}</c> and bytes as <c>{"bytes": "…"}</c>.
/// </summary>
internal static class RowText
{
    private const string Time = "time";
    private const string Bytes = "bytes";

    /// <summary>Writes a row without its key.</summary>
    /// <param name="row">The row.</param>
    /// <param name="isKept">Which values, by their names; null: all.</param>
    /// <param name="added">Another value, or null.</param>
    public static string Write(
        TableRow row,
        Func<string, bool>? isKept = null,
        (string Name, string Value)? added = null
    )
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (name, value) in row.Values.Where(v => v.Value is not null && isKept?.Invoke(v.Key) != false))
            {
                json.WritePropertyName(name);
                Write(json, name, value!);
            }

            if (added is { } more)
            {
                json.WriteString(more.Name, more.Value);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    /// <summary>Reads a row.</summary>
    /// <exception cref="InvalidDataException">It is no row.</exception>
    public static TableRow Read(string key, string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return Read(key, document.RootElement);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"what is kept of the row {key} is no JSON", error);
        }
    }

    /// <summary>As the other overload, of JSON that is parsed.</summary>
    /// <exception cref="InvalidDataException">It is no row.</exception>
    public static TableRow Read(string key, JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidDataException($"what is kept of the row {key} is no JSON object");
        }

        var row = new TableRow(key);
        foreach (var member in json.EnumerateObject())
        {
            row[member.Name] = ValueOf(key, member.Value);
        }

        return row;
    }

    private static void Write(Utf8JsonWriter json, string name, object value)
    {
        switch (value)
        {
            case string text:
                json.WriteStringValue(text);
                break;
            case long number:
                json.WriteNumberValue(number);
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case DateTimeOffset moment:
                json.WriteStartObject();
                json.WriteString(Time, moment.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
                json.WriteEndObject();
                break;
            case byte[] bytes:
                json.WriteStartObject();
                json.WriteBase64String(Bytes, bytes);
                json.WriteEndObject();
                break;
            default:
                throw new InvalidOperationException($"the value {name} of a row is a {value.GetType().Name}");
        }
    }

    private static object? ValueOf(string key, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                return value.GetString();
            case JsonValueKind.Number when value.TryGetInt64(out var number):
                return number;
            case JsonValueKind.True or JsonValueKind.False:
                return value.GetBoolean();
            case JsonValueKind.Object
                when value.TryGetProperty(Time, out var time)
                    && time.ValueKind == JsonValueKind.String
                    && time.TryGetDateTimeOffset(out var moment):
                return moment;
            case JsonValueKind.Object
                when value.TryGetProperty(Bytes, out var bytes)
                    && bytes.ValueKind == JsonValueKind.String
                    && bytes.TryGetBytesFromBase64(out var all):
                return all;
            default:
                throw new InvalidDataException($"what is kept of the row {key} has a value of no kind that rows have");
        }
    }
}
