using System.Globalization;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Rows;

/// <summary>Bytes of a push session that are stored: a blob of its own in the container <c>uploads</c>, or in the session's row.</summary>
/// <param name="Id">Random, so that no two attempts write the same blob.</param>
/// <param name="Size">Their number, more than 0.</param>
internal sealed record UploadPart(string Id, long Size);

/// <summary>A push session: row <c>u</c>. Its bytes are those of the parts that it names, in their order.</summary>
/// <param name="App">The app.</param>
/// <param name="Id">32 random hexadecimal digits.</param>
/// <param name="Algorithm">The digest algorithm by which the bytes are hashed as they come.</param>
/// <param name="Parts">The stored parts.</param>
/// <param name="Updated">When it last took bytes, or began.</param>
/// <param name="RowETag">The version of the row that was read.</param>
internal sealed record UploadRow(
    string App,
    string Id,
    string Algorithm,
    IReadOnlyList<UploadPart> Parts,
    DateTimeOffset Updated,
    VersionTag RowETag = default
)
{
    /// <summary>The most bytes that stand in the row itself.</summary>
    public const int MaxInline = 16 * 1024;

    public string Key => Keys.Upload(Id);

    /// <summary>
    /// The bytes of the only part, where they are few: then no blob holds them. A process of an earlier version finds a part
    /// without its blob, and says that the session is unknown.
    /// </summary>
    public ReadOnlyMemory<byte>? Inline { get; init; }

    /// <summary>How many bytes are stored, and so where the next chunk begins.</summary>
    public long Offset => Parts.Sum(p => p.Size);

    /// <summary>The path of a part in the container <c>uploads</c>.</summary>
    public static string PathOf(string @namespace, string id, UploadPart part) => $"{@namespace}/{id}/{part.Id}";

    public TableRow ToRow()
    {
        var row = new TableRow(Key)
        {
            ["app"] = App,
            ["algorithm"] = Algorithm,
            ["updated"] = Updated,
        };
        var parts = Parts.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Id}:{p.Size}"));
        SplitText.Write(row, "parts", string.Join(' ', parts));
        if (Inline is { } bytes)
        {
            row["inline"] = bytes.ToArray();
        }

        return row;
    }

    public static UploadRow From(TableRow row) =>
        new(
            row.Text("app"),
            row.Key[2..],
            row.Text("algorithm"),
            [
                .. SplitText
                    .Read(row, "parts")
                    .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                    .Select(part => part.Split(':'))
                    .Select(p => new UploadPart(p[0], long.Parse(p[1], CultureInfo.InvariantCulture))),
            ],
            row.GetDateTimeOffset("updated") ?? default,
            row.Version
        )
        {
            // No array converts to an empty memory, not to none.
            Inline = row.GetBytes("inline") is { } bytes ? bytes : default(ReadOnlyMemory<byte>?),
        };
}
