using ImagesFunctions.Journal;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Rows;

/// <summary>
/// The boot tar of an image and a tag: row <c>o</c>, by the tar's digest. It follows from the image, so it is written outside the
/// namespace's order, may be lost, and counts only while its image does.
/// </summary>
/// <param name="App">The app.</param>
/// <param name="Tar">The digest of the tar as it is served.</param>
/// <param name="Image">The image.</param>
/// <param name="Tag">The tag in the tar's index; the image may no longer have it.</param>
internal sealed record BootRow(string App, Digest Tar, Digest Image, string Tag)
{
    public string Key => Keys.Boot(App, Tar);

    public TableRow ToRow() =>
        new(Key)
        {
            ["app"] = App,
            ["digest"] = Tar.ToString(),
            ["image"] = Image.ToString(),
            ["tag"] = Tag,
        };

    public static BootRow From(TableRow row) =>
        new(row.Text("app"), ImageRow.Parse(row.Text("digest")), ImageRow.Parse(row.Text("image")), row.Text("tag"));
}
