using ImagesFunctions.Journal;
using ImagesFunctions.Policy;

namespace ImagesFunctions.Rows;

/// <summary>When a tag was set as it is, and by whom. Two values of its row.</summary>
/// <param name="At">By the storage service's clock, in whole milliseconds.</param>
/// <param name="By">Who has pushed it; null where an <c>index.json</c> has set it.</param>
internal sealed record TagPush(DateTimeOffset At, Author? By)
{
    private const string AtName = "pushed_at";

    /// <summary>The name of the value that says who, in rows of tags and of images.</summary>
    public const string ByName = "pushed_by";

    /// <summary>Writes it into a tag's row.</summary>
    public void WriteTo(TableRow row)
    {
        row[AtName] = At.ToUnixTimeMilliseconds();
        if (By is not null)
        {
            row[ByName] = By.Text;
        }
    }

    /// <summary>What a tag's row has of it; null in rows of an earlier version.</summary>
    public static TagPush? From(TableRow row) =>
        row.GetInt64(AtName) is { } at
            ? new TagPush(DateTimeOffset.FromUnixTimeMilliseconds(at), Author.Parse(row.GetString(ByName)))
            : null;
}
