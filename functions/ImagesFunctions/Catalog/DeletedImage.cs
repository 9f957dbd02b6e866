using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Catalog;

/// <summary>
/// An image that was deleted: its bytes may still be there, or the repository's <c>index.json</c> may still name it, and neither
/// brings it back. Until an image of its digest is committed again.
/// </summary>
/// <param name="App">The app.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="ETag">The ETag of the bytes that go with it; null where that is not known.</param>
/// <param name="At">When that was committed, about.</param>
/// <param name="IsNamed">Whether the applied <c>index.json</c> may still name it.</param>
internal sealed record DeletedImage(string App, Digest Digest, string? ETag, DateTimeOffset At, bool IsNamed)
{
    private const string Prefix = "d!";

    /// <summary>Its key among the rows of a catalog.</summary>
    public string Key => KeyOf(Keys.Image(App, Digest));

    /// <summary>Whether a key of a catalog is that of a deleted image.</summary>
    public static bool IsKey(string key) => key.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>The key of a deleted image by the key of its row.</summary>
    public static string KeyOf(string imageKey) => string.Concat(Prefix, imageKey.AsSpan(2));

    /// <summary>The keys of the deleted images of an app, by the key of its applied <c>index.json</c>.</summary>
    public static KeyRange OfLayout(string layoutKey) =>
        KeyRange.Prefix(string.Concat(Prefix, layoutKey.AsSpan(2), "!"));

    /// <summary>What is left of an image's row when that goes; null where the row was of none that was ever complete.</summary>
    /// <param name="key">The row's key.</param>
    /// <param name="text">What the catalog had of it.</param>
    /// <param name="at">When it went.</param>
    public static DeletedImage? Of(string key, string text, DateTimeOffset at)
    {
        var row = RowText.Read(key, text);
        return ImageHead.StateOf(row) == ImageState.Waiting
            ? null
            : new DeletedImage(
                row.Text("app"),
                ImageRow.Parse(row.Text("digest")),
                StoredManifest.From(row)?.ETag,
                at,
                IsNamed: true
            );
    }

    /// <summary>Whether these bytes are those that were deleted with it, and not new ones of the same digest.</summary>
    /// <param name="etag">Their ETag.</param>
    /// <param name="lastModified">When they were written.</param>
    public bool IsOf(string etag, DateTimeOffset lastModified) =>
        // Blobs have whole seconds.
        ETag is null
            ? lastModified < At.AddSeconds(-1)
            : ETag == etag;

    /// <summary>As a catalog keeps it.</summary>
    public string Write()
    {
        var row = new TableRow(Key)
        {
            ["app"] = App,
            ["digest"] = Digest.ToString(),
            ["at"] = At.ToUnixTimeMilliseconds(),
            ["named"] = IsNamed,
        };
        if (ETag is not null)
        {
            row["etag"] = ETag;
        }

        return RowText.Write(row);
    }

    /// <summary>Reads it.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static DeletedImage Read(string key, string text)
    {
        var row = RowText.Read(key, text);
        return new DeletedImage(
            row.Text("app"),
            ImageRow.Parse(row.Text("digest")),
            row.GetString("etag"),
            DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64("at") ?? 0),
            row.GetBoolean("named") == true
        );
    }
}
