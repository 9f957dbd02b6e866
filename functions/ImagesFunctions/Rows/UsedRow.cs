using System.Runtime.InteropServices;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Rows;

/// <summary>
/// What an account with a quota takes: row <c>q!used</c> of its namespace, which each commit rewrites that adds a good row <c>b</c> or
/// takes one away.
/// </summary>
/// <param name="Bytes">The bytes of its verified blobs.</param>
/// <param name="Blobs">How many these are.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct UsedRow(long Bytes, long Blobs)
{
    private const string BytesName = "bytes";
    private const string BlobsName = "blobs";

    /// <summary>Writes the row.</summary>
    public TableRow ToRow() => new(Keys.Used) { [BytesName] = Bytes, [BlobsName] = Blobs };

    /// <summary>The row with what is added to it, and less what is taken away.</summary>
    public static UsedRow operator +(UsedRow a, UsedRow b) => new(a.Bytes + b.Bytes, a.Blobs + b.Blobs);

    /// <summary>The row without something.</summary>
    public static UsedRow operator -(UsedRow a, UsedRow b) => new(a.Bytes - b.Bytes, a.Blobs - b.Blobs);

    /// <summary>What a row <c>b</c> counts for: nothing where there is none, or its bytes are not good.</summary>
    public static UsedRow Of(TableRow? blob) =>
        blob is not null && BlobRow.StateOf(blob) == BlobState.Good
            ? new UsedRow(blob.GetInt64("size") ?? 0, 1)
            : default;

    /// <summary>Reads a row; null where there is none: nobody has counted yet.</summary>
    public static UsedRow? FromOrNull(TableRow? row) =>
        row is null ? null : new UsedRow(row.GetInt64(BytesName) ?? 0, row.GetInt64(BlobsName) ?? 0);
}
