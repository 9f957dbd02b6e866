namespace ImagesFunctions.Rows;

/// <summary>A pin: it keeps an image until it is unpinned. Two values of the image's row, so that it needs no further read.</summary>
/// <param name="Since">When it was made or renewed, in whole milliseconds.</param>
/// <param name="Autokill">How long it holds from then on, in whole milliseconds; null: until it is unpinned.</param>
internal sealed record ImagePin(DateTimeOffset Since, TimeSpan? Autokill)
{
    private const string SinceName = "pinned";
    private const string AutokillName = "pin_autokill";

    /// <summary>Whether it holds at a moment.</summary>
    public bool HoldsAt(DateTimeOffset now) => Autokill is not { } time || now < Since + time;

    /// <summary>When it ends; null: when it is taken back.</summary>
    public DateTimeOffset? Ends => Autokill is { } time ? Since + time : null;

    /// <summary>Writes it into an image's row.</summary>
    public void WriteTo(Journal.TableRow row)
    {
        row[SinceName] = Since.ToUnixTimeMilliseconds();
        if (Autokill is { } time)
        {
            row[AutokillName] = (long)time.TotalMilliseconds;
        }
    }

    /// <summary>The pin of an image's row, or null.</summary>
    public static ImagePin? From(Journal.TableRow row) =>
        row.GetInt64(SinceName) is { } since
            ? new ImagePin(
                DateTimeOffset.FromUnixTimeMilliseconds(since),
                row.GetInt64(AutokillName) is { } time ? TimeSpan.FromMilliseconds(time) : null
            )
            : null;

    /// <summary>Whether a row that was read with <see cref="Columns"/> has a pin.</summary>
    public static bool IsIn(Journal.TableRow row) => row[SinceName] is not null;

    /// <summary>The columns that a scan for pinned images reads.</summary>
    public static readonly string[] Columns = ["app", "digest", SinceName];
}
