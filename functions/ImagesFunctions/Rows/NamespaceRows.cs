using ImagesFunctions.Journal;

namespace ImagesFunctions.Rows;

/// <summary>The ranges of image and tag rows of a namespace, or of one app of it.</summary>
internal readonly record struct RowScope(KeyRange Images, KeyRange Tags)
{
    public static RowScope Of(string? app) =>
        app is null
            ? new RowScope(Keys.All('i'), Keys.All('t'))
            : new RowScope(Keys.OfApp('i', app), Keys.OfApp('t', app));

    public bool Contains(string key) => Images.Contains(key) || Tags.Contains(key);
}

/// <summary>Image and tag rows by their keys, in the order of apps.</summary>
internal sealed class NamespaceRows
{
    /// <summary>The number of the last commit that these rows include; 0 before the first.</summary>
    public long Seq { get; set; }

    public SortedDictionary<string, ImageRow> Images { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, TagRow> Tags { get; } = new(StringComparer.Ordinal);

    /// <summary>Takes a row that was read or that a commit wrote; null for a removed one.</summary>
    public void Apply(string key, TableRow? row)
    {
        if (row is null)
        {
            Images.Remove(key);
            Tags.Remove(key);
        }
        else if (key[0] == 'i')
        {
            Images[key] = ImageRow.From(row);
        }
        else
        {
            Tags[key] = TagRow.From(row);
        }
    }
}
