using System.Text.Json;
using Azure.Data.Tables;

namespace ImagesFunctions.Storage;

/// <summary>
/// What one commit changed: row <c>c</c>. Image and tag rows stand in it in full, so that a list can be brought up to
/// date from the log alone.
/// </summary>
/// <param name="Seq">The commit's number; they have no gaps.</param>
/// <param name="Operation">Random, one a transaction: tells a writer whose answer was lost that this commit is its own.</param>
/// <param name="Keys">Every key that the commit wrote or removed, or that it announced.</param>
/// <param name="Rows">The new image and tag rows by key, null for a removed one. Null when they did not fit: then the reader scans.</param>
internal sealed record LogEntry(
    long Seq,
    string Operation,
    IReadOnlyList<string> Keys,
    IReadOnlyDictionary<string, TableEntity?>? Rows
)
{
    // Of keys and rows. Below 1 MiB of UTF-16, the limit of an entity, with room for the rest of the row.
    private const int MostCharacters = 500_000;

    public static LogEntry Of(long seq, IReadOnlyCollection<Change> changes, IEnumerable<string>? announced = null) =>
        new(
            seq,
            Guid.NewGuid().ToString("N"),
            [.. changes.Select(c => c.Key).Concat(announced ?? []).Distinct(StringComparer.Ordinal)],
            changes.Where(c => c.Key[0] is 'i' or 't').ToDictionary(c => c.Key, c => c.Entity, StringComparer.Ordinal)
        );

    public TableEntity ToEntity(string @namespace)
    {
        var entity = new TableEntity(@namespace, Storage.Keys.Log(Seq)) { ["op"] = Operation };
        var keys = string.Join('\n', Keys);
        SplitText.Write(entity, "keys", keys);
        var rows = WriteRows();
        if (keys.Length + rows.Length <= MostCharacters)
        {
            SplitText.Write(entity, "rows", rows);
        }
        else
        {
            entity["rescan"] = true;
        }

        return entity;
    }

    public static LogEntry From(string @namespace, long seq, TableEntity entity) =>
        new(
            seq,
            entity.GetString("op"),
            SplitText.Read(entity, "keys").Split('\n', StringSplitOptions.RemoveEmptyEntries),
            entity.GetBoolean("rescan") == true ? null : ReadRows(@namespace, SplitText.Read(entity, "rows"))
        );

    private string WriteRows()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (key, row) in Rows!)
            {
                json.WritePropertyName(key);
                if (row is null)
                {
                    json.WriteNullValue();
                    continue;
                }

                json.WriteStartObject();
                foreach (var (name, value) in row)
                {
                    if (name is not ("PartitionKey" or "RowKey" or "Timestamp" or "odata.etag"))
                    {
                        Write(json, name, value);
                    }
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void Write(Utf8JsonWriter json, string name, object? value)
    {
        switch (value)
        {
            case string text:
                json.WriteString(name, text);
                break;
            case long number:
                json.WriteNumber(name, number);
                break;
            case bool flag:
                json.WriteBoolean(name, flag);
                break;
            default:
                throw new InvalidOperationException(
                    $"the log cannot hold the property {name} of type {value?.GetType()}"
                );
        }
    }

    private static Dictionary<string, TableEntity?> ReadRows(string @namespace, string text)
    {
        using var document = JsonDocument.Parse(text);
        var rows = new Dictionary<string, TableEntity?>(StringComparer.Ordinal);
        foreach (var row in document.RootElement.EnumerateObject())
        {
            if (row.Value.ValueKind == JsonValueKind.Null)
            {
                rows[row.Name] = null;
                continue;
            }

            var entity = new TableEntity(@namespace, row.Name);
            foreach (var property in row.Value.EnumerateObject())
            {
                entity[property.Name] = property.Value.ValueKind switch
                {
                    JsonValueKind.String => property.Value.GetString(),
                    JsonValueKind.Number => property.Value.GetInt64(),
                    _ => property.Value.GetBoolean(),
                };
            }

            rows[row.Name] = entity;
        }

        return rows;
    }
}
