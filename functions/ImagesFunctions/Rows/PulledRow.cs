using System.Globalization;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Rows;

/// <summary>
/// On which day an image was pulled last: row <c>l</c>. Where a rule of the account asks for it, a commit writes it before the first
/// pull of a day is answered.
/// </summary>
/// <param name="App">The app.</param>
/// <param name="Image">The digest that was asked for, or that the tag named.</param>
/// <param name="Day">The day (UTC), by the storage service's clock.</param>
internal sealed record PulledRow(string App, Digest Image, DateOnly Day)
{
    private const string Format = "yyyy-MM-dd";

    public string Key => Keys.Pulled(App, Image);

    /// <summary>The end of the day: until then it may have been pulled again, which nobody has written down.</summary>
    public DateTimeOffset Until => EndOf(Day);

    /// <summary>The day of a moment.</summary>
    public static DateOnly DayOf(DateTimeOffset moment) => DateOnly.FromDateTime(moment.UtcDateTime);

    /// <summary>When a day ends.</summary>
    public static DateTimeOffset EndOf(DateOnly day) =>
        new(day.ToDateTime(TimeOnly.MinValue).AddDays(1), TimeSpan.Zero);

    /// <summary>Writes the row.</summary>
    public TableRow ToRow() =>
        new(Key)
        {
            ["app"] = App,
            ["digest"] = Image.ToString(),
            ["day"] = Day.ToString(Format, CultureInfo.InvariantCulture),
        };

    /// <summary>Reads a row.</summary>
    public static PulledRow From(TableRow row) =>
        new(
            row.Text("app"),
            ImageRow.Parse(row.Text("digest")),
            DateOnly.ParseExact(row.Text("day"), Format, CultureInfo.InvariantCulture)
        );

    /// <summary>Reads a row; null where there is none.</summary>
    public static PulledRow? FromOrNull(TableRow? row) => row is null ? null : From(row);
}
