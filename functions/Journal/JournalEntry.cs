using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ImagesFunctions.Journal;

/// <summary>Who had one of the decisions made that a commit packs.</summary>
/// <param name="Keys">How many keys it writes.</param>
/// <param name="By">Who; null where nobody is known.</param>
public readonly record struct EntryAuthor(int Keys, string? By);

/// <summary>
/// The changes of a commit: row <c>c</c>. It holds some rows in full, so that a copy of those can be brought up to date from the
/// entries alone.
/// </summary>
/// <param name="Seq">The commit's number; numbers have no gaps.</param>
/// <param name="Operation">A random id, by which a writer whose answer was lost recognizes its own commit.</param>
/// <param name="Keys">The keys that the commit wrote or removed, and those that it counts as changed.</param>
/// <param name="Rows">The rows in full by key, null for a removed one. Null when they did not fit: then readers scan.</param>
public sealed record JournalEntry(
    long Seq,
    string Operation,
    IReadOnlyList<string> Keys,
    IReadOnlyDictionary<string, TableRow?>? Rows
)
{
    /// <summary>
    /// The version of the partition's row <c>v</c> that this commit replaced: who knows the version of the commit before can tell that
    /// this one follows it, and not one of the same number that a backup has replaced. Null for the first, and where it is not said.
    /// </summary>
    public VersionTag? After { get; init; }

    /// <summary>When it was committed, by the table's clock; null of an entry that was not read.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>
    /// Who had the decisions made, in the order of <see cref="Keys"/>: the first keys are of the first one. None in entries of an
    /// earlier version. When that was is the row's timestamp.
    /// </summary>
    public IReadOnlyList<EntryAuthor> Authors { get; init; } = [];

    // Of keys and rows. Below 1 MiB of UTF-16, the limit of an entity, with room for the rest of the row.
    private const int MaxCharacters = 500_000;

    /// <summary>The entry of a new commit.</summary>
    /// <param name="seq">Its number.</param>
    /// <param name="changes">Its changes.</param>
    /// <param name="isInFull">Which rows it holds in full, by their keys.</param>
    /// <param name="added">More keys that it counts as changed.</param>
    public static JournalEntry Of(
        long seq,
        IReadOnlyCollection<Change> changes,
        Func<string, bool> isInFull,
        IEnumerable<string>? added = null
    ) =>
        new(
            seq,
            Guid.NewGuid().ToString("N"),
            [.. changes.Select(c => c.Key).Concat(added ?? []).Distinct(StringComparer.Ordinal)],
            changes.Where(c => isInFull(c.Key)).ToDictionary(c => c.Key, c => c.Row, StringComparer.Ordinal)
        );

    /// <summary>Who had a key written; null where nobody is known.</summary>
    public string? AuthorOf(string key)
    {
        var first = 0;
        foreach (var (keys, by) in Authors)
        {
            for (var i = first; by is not null && i < first + keys && i < Keys.Count; i++)
            {
                if (Keys[i] == key)
                {
                    return by;
                }
            }

            first += keys;
        }

        return null;
    }

    /// <summary>The row of this entry.</summary>
    public TableRow ToRow()
    {
        var row = new TableRow(JournalKeys.Entry(Seq)) { ["op"] = Operation };
        if (After is { } after)
        {
            row["after"] = after.Text;
        }

        if (Authors.Any(a => a.By is not null))
        {
            row["by"] = JsonSerializer.Serialize(Authors.Select(a => new[] { Count(a.Keys), a.By }));
        }

        var keys = string.Join('\n', Keys);
        SplitText.Write(row, "keys", keys);
        var rows = WriteRows();
        if (keys.Length + rows.Length <= MaxCharacters)
        {
            SplitText.Write(row, "rows", rows);
        }
        else
        {
            row["rescan"] = true;
        }

        return row;
    }

    /// <summary>Parses an entry from its row.</summary>
    public static JournalEntry From(long seq, TableRow row) =>
        new(
            seq,
            row.Text("op"),
            SplitText.Read(row, "keys").Split('\n', StringSplitOptions.RemoveEmptyEntries),
            row.GetBoolean("rescan") == true ? null : ReadRows(SplitText.Read(row, "rows"))
        )
        {
            After = row.GetString("after") is { } after ? new VersionTag(after) : null,
            At = row.Timestamp,
            Authors = row.GetString("by") is { } by ? ReadAuthors(by) : [],
        };

    private static string Count(int keys) => keys.ToString(CultureInfo.InvariantCulture);

    private static List<EntryAuthor> ReadAuthors(string text) =>
        [
            .. (JsonSerializer.Deserialize<string?[][]>(text) ?? []).Select(a => new EntryAuthor(
                int.Parse(a[0]!, CultureInfo.InvariantCulture),
                a[1]
            )),
        ];

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
                foreach (var (name, value) in row.Values)
                {
                    Write(json, name, value);
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
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
                    $"an entry cannot hold the value {name} of type {value?.GetType()}"
                );
        }
    }

    private static Dictionary<string, TableRow?> ReadRows(string text)
    {
        using var document = JsonDocument.Parse(text);
        var rows = new Dictionary<string, TableRow?>(StringComparer.Ordinal);
        foreach (var member in document.RootElement.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Null)
            {
                rows[member.Name] = null;
                continue;
            }

            var row = new TableRow(member.Name);
            foreach (var property in member.Value.EnumerateObject())
            {
                row[property.Name] = property.Value.ValueKind switch
                {
                    JsonValueKind.String => property.Value.GetString(),
                    JsonValueKind.Number => property.Value.GetInt64(),
                    _ => property.Value.GetBoolean(),
                };
            }

            rows[member.Name] = row;
        }

        return rows;
    }
}
