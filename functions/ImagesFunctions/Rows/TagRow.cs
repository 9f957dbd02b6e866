using ImagesFunctions.Journal;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Rows;

/// <summary>A tag: row <c>t</c>. It counts while the image row has its generation. Without a generation it waits for its image.</summary>
/// <param name="App">The app.</param>
/// <param name="Tag">The tag.</param>
/// <param name="Digest">The digest that it points to.</param>
/// <param name="Generation">The generation of the image row that it points to; null while it waits.</param>
/// <param name="FromLayout">Whether an <c>index.json</c> set it, which may remove it again; else a push set it.</param>
internal sealed record TagRow(string App, string Tag, Digest Digest, string? Generation, bool FromLayout)
{
    public string Key => Keys.Tag(App, Tag);

    /// <summary>When it was set, and by whom; null in rows of an earlier version.</summary>
    public TagPush? Pushed { get; init; }

    public TableRow ToRow()
    {
        var row = new TableRow(Key)
        {
            ["app"] = App,
            ["tag"] = Tag,
            ["digest"] = Digest.ToString(),
            ["source"] = FromLayout ? "layout" : "push",
        };
        if (Generation is not null)
        {
            row["generation"] = Generation;
        }

        Pushed?.WriteTo(row);
        return row;
    }

    public static TagRow From(TableRow row) =>
        new(
            row.Text("app"),
            row.Text("tag"),
            ImageRow.Parse(row.Text("digest")),
            row.GetString("generation"),
            row.GetString("source") == "layout"
        )
        {
            Pushed = TagPush.From(row),
        };
}
