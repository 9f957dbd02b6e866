using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Catalog;

/// <summary>
/// Rows as the catalog keeps them, as JSON: all of a tag, of an applied <c>index.json</c> and of rules, and of an image what its bytes do not
/// say. Values that this version does not know are kept like any other.
/// </summary>
internal static class CatalogRow
{
    private const string Children = "children";
    private const string Facts = "facts";

    /// <summary>What the catalog keeps of an image's, a tag's or an applied file's row.</summary>
    public static string Of(TableRow row)
    {
        if (row.Key[0] != 'i')
        {
            return RowText.Write(row);
        }

        // A deleted index is the only one that knows what it named; and one that waits hides it.
        var image = MediaTypes.IsIndex(row.Text("media_type")) ? ImageRow.From(row) : null;
        return RowText.Write(
            row,
            name => !IsFacts(name),
            image is { FactsBlob: null, Children.Count: > 0 } ? (Children, string.Join(' ', image.Children)) : null
        );
    }

    /// <summary>Whether what the catalog has of a row, or null, is of the row as it is: one that is kept as a whole.</summary>
    public static bool IsOf(TableRow row, string? text) =>
        text is not null && RowText.Read(row.Key, text).Values.All(v => Equals(v.Value, row[v.Key]));

    /// <summary>The row to begin a rebuild with: an image is hidden until its bytes are found to be good.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="text">What the catalog has of it.</param>
    /// <exception cref="InvalidDataException">That is no row.</exception>
    public static TableRow Begin(string key, string text)
    {
        var kept = RowText.Read(key, text);
        if (key[0] != 'i')
        {
            return kept;
        }

        var row = new TableRow(key);
        foreach (var (name, value) in kept.Values.Where(v => v.Key != Children))
        {
            row[name] = value;
        }

        var state = ImageHead.StateOf(kept);
        row["state"] = (state == ImageState.Complete ? ImageState.Hidden : state).ToString().ToLowerInvariant();
        if (kept.GetString("facts_blob") is null)
        {
            var image = new ImageRow(kept.Text("app"), ImageRow.Parse(kept.Text("digest")))
            {
                MediaType = kept.Text("media_type"),
                Size = 0,
                IsImage = false,
                Generation = "",
                Children = kept.GetString(Children)?.Split(' ') ?? [],
            };
            SplitText.Write(row, Facts, LongFacts.Write(image));
        }

        return row;
    }

    // As SplitText numbers them.
    private static bool IsFacts(string name) =>
        name.StartsWith(Facts, StringComparison.Ordinal)
        && name.Length > Facts.Length
        && name.AsSpan(Facts.Length).IndexOfAnyExceptInRange('0', '9') < 0;
}
