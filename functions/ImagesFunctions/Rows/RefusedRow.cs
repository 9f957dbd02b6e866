using ImagesFunctions.Journal;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Rows;

/// <summary>A refused blob, or one that could not be taken in: row <c>x</c>.</summary>
/// <param name="Path">The path inside the container.</param>
/// <param name="Reason">What is wrong, in one sentence.</param>
/// <param name="ActualDigest">The digest of the bytes, where that is the reason; else null.</param>
/// <param name="IsFailure">Whether storage failed: then the blob is tried again.</param>
/// <param name="At">When it was refused first.</param>
/// <param name="Expires">When the row may be removed.</param>
internal sealed record RefusedRow(
    string Path,
    string Reason,
    string? ActualDigest,
    bool IsFailure,
    DateTimeOffset At,
    DateTimeOffset Expires
)
{
    private const string Failed = "failed";
    private const string Full = "quota";

    /// <summary>Whether the account has no room for it: then it is tried again, as what failed.</summary>
    public bool IsOverQuota { get; init; }

    public static string PartitionOf(string path) => LayoutPath.NamespaceOf(path) ?? Keys.RefusedPartition;

    public string Key => Keys.Refused(Path);

    public TableRow ToRow()
    {
        var row = new TableRow(Key)
        {
            ["path"] = Path,
            ["reason"] = Reason,
            ["state"] =
                IsFailure ? Failed
                : IsOverQuota ? Full
                : "refused",
            ["at"] = At,
            ["expires"] = Expires,
        };
        if (ActualDigest is not null)
        {
            row["actual_digest"] = ActualDigest;
        }

        return row;
    }

    public static RefusedRow From(TableRow row) =>
        new(
            row.Text("path"),
            row.Text("reason"),
            row.GetString("actual_digest"),
            row.GetString("state") == Failed,
            row.GetDateTimeOffset("at") ?? default,
            row.GetDateTimeOffset("expires") ?? default
        )
        {
            IsOverQuota = row.GetString("state") == Full,
        };
}
