using ImagesFunctions.Journal;

namespace ImagesFunctions.Rows;

/// <summary>How many bytes an account may store: row <c>p!quota</c> of its namespace.</summary>
/// <param name="Bytes">The most bytes of its verified blobs.</param>
/// <param name="At">When that was set, by the storage service's clock, in whole milliseconds.</param>
internal sealed record QuotaRow(long Bytes, DateTimeOffset At)
{
    private const string BytesName = "bytes";
    private const string AtName = "set_at";

    /// <summary>Writes the row.</summary>
    public TableRow ToRow() => new(Keys.Quota) { [BytesName] = Bytes, [AtName] = At.ToUnixTimeMilliseconds() };

    /// <summary>Reads a row; null where there is none: there is no limit.</summary>
    public static QuotaRow? FromOrNull(TableRow? row) =>
        row is null
            ? null
            : new QuotaRow(
                row.GetInt64(BytesName) ?? 0,
                DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(AtName) ?? 0)
            );
}
