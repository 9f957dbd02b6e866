using System.Globalization;
using Azure;
using Azure.Data.Tables;

namespace ImagesFunctions.Storage;

/// <summary>Bytes of a push session that are stored: a blob of its own in the container <c>uploads</c>.</summary>
/// <param name="Id">Random, so that no two attempts write the same blob.</param>
/// <param name="Size">Their number, more than 0.</param>
internal sealed record UploadPart(string Id, long Size);

/// <summary>A push session: row <c>u</c>. Only the parts that it names count, in their order.</summary>
/// <param name="App">The app.</param>
/// <param name="Id">32 random hexadecimal digits.</param>
/// <param name="Algorithm">The digest algorithm that the bytes are hashed with as they come.</param>
/// <param name="Parts">What is stored.</param>
/// <param name="Updated">When it last took bytes, or was made.</param>
/// <param name="RowETag">The row's own ETag as it was read.</param>
internal sealed record UploadRow(
    string App,
    string Id,
    string Algorithm,
    IReadOnlyList<UploadPart> Parts,
    DateTimeOffset Updated,
    ETag RowETag = default
)
{
    public string Key => Keys.Upload(Id);

    /// <summary>How many bytes are stored, and so where the next chunk begins.</summary>
    public long Offset => Parts.Sum(p => p.Size);

    /// <summary>Where the bytes of a part are, in the container <c>uploads</c>.</summary>
    public static string PathOf(string @namespace, string id, UploadPart part) => $"{@namespace}/{id}/{part.Id}";

    public TableEntity ToEntity(string @namespace)
    {
        var entity = new TableEntity(@namespace, Key)
        {
            ["app"] = App,
            ["algorithm"] = Algorithm,
            ["updated"] = Updated,
        };
        var parts = Parts.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Id}:{p.Size}"));
        SplitText.Write(entity, "parts", string.Join(' ', parts));
        return entity;
    }

    public static UploadRow From(TableEntity entity) =>
        new(
            entity.GetString("app"),
            entity.RowKey[2..],
            entity.GetString("algorithm"),
            [
                .. SplitText
                    .Read(entity, "parts")
                    .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                    .Select(part => part.Split(':'))
                    .Select(p => new UploadPart(p[0], long.Parse(p[1], CultureInfo.InvariantCulture))),
            ],
            entity.GetDateTimeOffset("updated") ?? default,
            entity.ETag
        );
}
