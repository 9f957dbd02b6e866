using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ImagesFunctions.Journal;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Catalog;

/// <summary>
/// A commit as a catalog keeps it: a line, which begins with a checksum of the JSON that follows. Members that this version does not
/// know are passed over.
/// </summary>
/// <param name="From">The number of the last commit before it that the journal has; those between the two have written nothing that it keeps.</param>
/// <param name="Seq">The commit's number.</param>
/// <param name="Tag">The version of the row <c>v</c> after it; null where it is not known.</param>
/// <param name="At">When it was committed, about, by the storage service's clock.</param>
/// <param name="Rows">The rows that it has written, as the catalog keeps them; null for one that it has removed.</param>
internal sealed record CatalogEntry(
    long From,
    long Seq,
    VersionTag? Tag,
    DateTimeOffset At,
    IReadOnlyList<KeyValuePair<string, string?>> Rows
)
{
    private const int SumLength = 16;

    private static readonly Dictionary<string, string> s_nobody = new(StringComparer.Ordinal);

    /// <summary>Who had rows written, by their keys; those that are of nobody who is known are not among them.</summary>
    public IReadOnlyDictionary<string, string> By { get; init; } = s_nobody;

    /// <summary>The entry of a commit, whose rows stand in full in it.</summary>
    public static CatalogEntry Of(JournalEntry entry, VersionTag? tag, DateTimeOffset at)
    {
        var rows = entry.Rows!.Where(r => Keys.IsInFull(r.Key)).ToList();
        return new CatalogEntry(
            entry.Seq - 1,
            entry.Seq,
            tag,
            at,
            [.. rows.Select(r => KeyValuePair.Create(r.Key, r.Value is null ? null : CatalogRow.Of(r.Value)))]
        )
        {
            By = AuthorsOf(entry, rows.Select(r => r.Key)),
        };
    }

    private static Dictionary<string, string> AuthorsOf(JournalEntry entry, IEnumerable<string> keys)
    {
        var authors = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var key in entry.Authors.Any(a => a.By is not null) ? keys : [])
        {
            if (entry.AuthorOf(key) is { } by)
            {
                authors[key] = by;
            }
        }

        return authors.Count > 0 ? authors : s_nobody;
    }

    /// <summary>Writes the line, with its end.</summary>
    public void WriteTo(Stream to)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("from", From);
            json.WriteNumber("seq", Seq);
            if (Tag is { } tag)
            {
                json.WriteString("tag", tag.Text);
            }

            json.WriteNumber("at", At.ToUnixTimeMilliseconds());
            json.WriteStartObject("rows");
            foreach (var (key, row) in Rows)
            {
                json.WritePropertyName(key);
                json.WriteRawValue(row ?? "null");
            }

            json.WriteEndObject();
            WriteAuthors(json);
            json.WriteEndObject();
        }

        var bytes = buffer.GetBuffer().AsSpan(0, (int)buffer.Length);
        to.Write(Encoding.ASCII.GetBytes(SumOf(bytes)));
        to.WriteByte((byte)' ');
        to.Write(bytes);
        to.WriteByte((byte)'\n');
    }

    private void WriteAuthors(Utf8JsonWriter json)
    {
        if (By.Count == 0)
        {
            return;
        }

        json.WriteStartObject("by");
        foreach (var (key, by) in By)
        {
            json.WriteString(key, by);
        }

        json.WriteEndObject();
    }

    /// <summary>Reads a line, without its end; null where its checksum is wrong.</summary>
    /// <exception cref="InvalidDataException">The checksum is right, and the line is none that this version reads.</exception>
    public static CatalogEntry? Read(ReadOnlySpan<byte> line)
    {
        if (
            line.Length <= SumLength
            || line[SumLength] != ' '
            || !line[..SumLength].SequenceEqual(Encoding.ASCII.GetBytes(SumOf(line[(SumLength + 1)..])))
        )
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(line[(SumLength + 1)..].ToArray());
            var entry = document.RootElement;
            return new CatalogEntry(
                entry.GetProperty("from").GetInt64(),
                entry.GetProperty("seq").GetInt64(),
                entry.TryGetProperty("tag", out var tag) ? new VersionTag(tag.GetString()!) : null,
                DateTimeOffset.FromUnixTimeMilliseconds(entry.GetProperty("at").GetInt64()),
                [
                    .. entry
                        .GetProperty("rows")
                        .EnumerateObject()
                        .Select(row =>
                            KeyValuePair.Create(
                                row.Name,
                                row.Value.ValueKind == JsonValueKind.Null ? null : row.Value.GetRawText()
                            )
                        ),
                ]
            )
            {
                By = entry.TryGetProperty("by", out var by)
                    ? by.EnumerateObject().ToDictionary(a => a.Name, a => a.Value.GetString()!, StringComparer.Ordinal)
                    : s_nobody,
            };
        }
        catch (Exception error)
            when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new InvalidDataException("a line of a catalog's journal is of another version", error);
        }
    }

    private static string SumOf(ReadOnlySpan<byte> json) =>
        Convert.ToHexStringLower(SHA256.HashData(json).AsSpan(0, SumLength / 2));
}
