using System.Globalization;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Rows;

/// <summary>Stored bytes of a push session: one blob of the container <c>uploads</c>.</summary>
/// <param name="Id">Random, so that two attempts never write the same blob.</param>
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
    public string Key => Keys.Upload(Id);

    /// <summary>The number of stored bytes, and the offset of the next chunk.</summary>
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
        );
}
