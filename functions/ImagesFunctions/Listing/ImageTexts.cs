using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using ImagesFunctions.Http;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Listing;

/// <summary>The JSON of an image's facts in both shapes: everything after its digest and tags, up to the closing brace.</summary>
/// <param name="V1">As <c>/v1/images/list</c> shows it.</param>
/// <param name="Platform">As the later generations show it.</param>
internal sealed partial record ImageTexts(byte[] V1, byte[] Platform)
{
    /// <summary>Writes the texts of a row that has its facts: all of them that it has.</summary>
    public static ImageTexts Of(ImageRow row)
    {
        var facts = row.Facts;
        var labels = facts.Labels.OrderBy(l => l.Key, StringComparer.Ordinal).ToList();
        var v1 = Text(json =>
        {
            json.WriteBoolean("initrd", facts.Initrd);
            json.WriteNumber("size_in_bytes", row.Size);
            json.WriteString("args", string.Join(' ', facts.Args));
            json.WriteString("kernel_args", facts.KernelArgs);
            WriteMap(json, "labels", labels);
            WriteTruncated(json, row);
        });
        var platform = Text(json =>
        {
            json.WriteString("created_at", CreatedAt(row));
            json.WriteBoolean("initrd_or_rom", facts.Initrd || facts.Rom);
            json.WriteNumber("size_in_bytes", row.Size);
            if (facts.Args.Count > 0)
            {
                json.WriteStartArray("args");
                foreach (var arg in facts.Args)
                {
                    json.WriteStringValue(arg);
                }

                json.WriteEndArray();
            }

            if (facts.Env.Count > 0)
            {
                WriteMap(json, "env", Variables(facts.Env));
            }

            if (labels.Count > 0)
            {
                WriteMap(json, "labels", labels);
            }

            ComponentsJson.Write(json, facts);
            WriteTruncated(json, row);
        });
        return new ImageTexts(v1, platform);
    }

    /// <summary>
    /// When an image was created. A config may have any text there, and clients expect a time: where it is not one, the time of
    /// the commit, which rows of an earlier version do not have.
    /// </summary>
    public static DateTimeOffset CreatedAt(ImageRow row) =>
        row.Facts.Created is { } created
        && Rfc3339().IsMatch(created)
        && DateTimeOffset.TryParse(created, CultureInfo.InvariantCulture, out var at)
            ? at.ToUniversalTime()
            : row.Committed ?? DateTimeOffset.UnixEpoch;

    // "NAME=value". Of a duplicate name the last value counts, as in a process.
    private static SortedDictionary<string, string> Variables(IReadOnlyList<string> env)
    {
        var variables = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var variable in env)
        {
            var equals = variable.IndexOf('=', StringComparison.Ordinal);
            variables[equals < 0 ? variable : variable[..equals]] = equals < 0 ? "" : variable[(equals + 1)..];
        }

        return variables;
    }

    private static void WriteTruncated(Utf8JsonWriter json, ImageRow row)
    {
        if (row.IsTruncated)
        {
            json.WriteBoolean("truncated", value: true);
        }
    }

    private static void WriteMap(Utf8JsonWriter json, string name, IEnumerable<KeyValuePair<string, string>> map)
    {
        json.WriteStartObject(name);
        foreach (var (key, value) in map)
        {
            json.WriteString(key, value);
        }

        json.WriteEndObject();
    }

    // Without this, "10:30" would be a time of today, and "May 6" a day of this year.
    [GeneratedRegex(
        @"\A[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})\z",
        RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1_000
    )]
    private static partial Regex Rfc3339();

    // Without the opening brace, which comes before the digest.
    private static byte[] Text(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Answers.Json))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return buffer.ToArray()[1..];
    }
}
