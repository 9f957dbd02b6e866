using ImagesFunctions.Journal;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Rows;

/// <summary>Whether an image row counts.</summary>
public enum ImageState
{
    /// <summary>Everything it needs is there.</summary>
    Complete,

    /// <summary>Something it needs went bad; it comes back, with its tags, when that is mended.</summary>
    Hidden,

    /// <summary>An index that misses something; its row says what it names, and counts for nothing else.</summary>
    Waiting,

    /// <summary>Deleted; the row of an index stays, so that what it named stays out of lists.</summary>
    Deleted,
}

/// <summary>
/// A manifest's stored bytes when it was committed, so that a pull need not read its row <c>b</c>, which tells where they have
/// another ETag since.
/// </summary>
/// <param name="ETag">The stored blob's ETag.</param>
/// <param name="Size">The length in bytes.</param>
internal sealed record StoredManifest(string ETag, long Size)
{
    /// <summary>Writes it into an image's row.</summary>
    public void WriteTo(TableRow row) => (row["blob_etag"], row["blob_size"]) = (ETag, Size);

    /// <summary>What an image's row has of it; null in rows of an earlier version.</summary>
    public static StoredManifest? From(TableRow row) =>
        row.GetString("blob_etag") is { } etag ? new StoredManifest(etag, row.GetInt64("blob_size") ?? 0) : null;
}

/// <summary>An image, an index, or another manifest that is committed: row <c>i</c>.</summary>
internal sealed record ImageRow(string App, Digest Digest)
{
    /// <summary>The rows' layout; a reader that meets a higher number than its own is too old.</summary>
    public const long Schema = 1;

    public required string MediaType { get; init; }

    /// <summary>Sum of the sizes of its distinct layers and configs in bytes; 0 where there is no image.</summary>
    public required long Size { get; init; }

    /// <summary>Whether lists show it at all.</summary>
    public required bool IsImage { get; init; }

    /// <summary>Why it is not an image, in words that end a sentence; null for an image, and in rows of an earlier version.</summary>
    public string? NotImage { get; init; }

    /// <summary>What of its config could not be read; null when all could, and in rows of an earlier version.</summary>
    public string? LeftOut { get; init; }

    /// <summary>The manifest that this one refers to, which need not exist; or null.</summary>
    public Digest? Subject { get; init; }

    /// <summary>Random; a tag counts only while it names the generation of its image's row.</summary>
    public required string Generation { get; init; }

    /// <summary>When it was committed, in whole milliseconds; null in rows of an earlier version.</summary>
    public DateTimeOffset? Committed { get; init; }

    /// <summary>Its stored bytes when it was committed; null in rows of an earlier version, and of an index that waits.</summary>
    public StoredManifest? Stored { get; init; }

    /// <summary>That it stays until it is unpinned; or null.</summary>
    public ImagePin? Pin { get; init; }

    public ImageState State { get; init; }

    /// <summary>What an index names; a list shows those only if they are tagged themselves.</summary>
    public IReadOnlyList<string> Children { get; init; } = [];

    /// <summary>The distinct configs and layers of an image, or of all images of an index, and their sizes in bytes.</summary>
    public IReadOnlyDictionary<string, long> BlobSizes { get; init; } =
        new Dictionary<string, long>(StringComparer.Ordinal);

    public ImageFacts Facts { get; init; } = ImageFacts.None;

    /// <summary>Where facts and children are that do not fit into the row: a blob of the container <c>derived</c>; or null.</summary>
    public string? FactsBlob { get; init; }

    /// <summary>Whether facts, parts and children are here, and not still in their blob.</summary>
    public bool HasFacts => FactsBlob is null || !ReferenceEquals(Facts, ImageFacts.None);

    public string Key => Keys.Image(App, Digest);

    public TableRow ToRow()
    {
        var row = new TableRow(Key)
        {
            ["schema"] = Schema,
            ["app"] = App,
            ["digest"] = Digest.ToString(),
            ["media_type"] = MediaType,
            ["size"] = Size,
            ["image"] = IsImage,
            ["generation"] = Generation,
            ["state"] = State.ToString().ToLowerInvariant(),
        };
        if (Committed is { } committed)
        {
            row["committed"] = committed.ToUnixTimeMilliseconds();
        }

        Pin?.WriteTo(row);
        Stored?.WriteTo(row);
        if (Subject is not null)
        {
            row["subject"] = Subject.ToString();
        }

        if (NotImage is not null)
        {
            row["not_image"] = NotImage;
        }

        if (LeftOut is not null)
        {
            row["left_out"] = LeftOut;
        }

        if (FactsBlob is not null)
        {
            row["facts_blob"] = FactsBlob;
        }
        else
        {
            SplitText.Write(row, "facts", LongFacts.Write(this));
        }

        return row;
    }

    public static ImageRow From(TableRow row)
    {
        var head = ImageHead.From(row);
        var factsBlob = row.GetString("facts_blob");
        var image = new ImageRow(head.App, head.Digest)
        {
            MediaType = row.Text("media_type"),
            Size = row.GetInt64("size") ?? 0,
            IsImage = row.GetBoolean("image") ?? false,
            NotImage = row.GetString("not_image"),
            LeftOut = row.GetString("left_out"),
            Generation = row.Text("generation"),
            Committed = row.GetInt64("committed") is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null,
            Pin = ImagePin.From(row),
            Stored = StoredManifest.From(row),
            Subject = row.GetString("subject") is { } subject ? Parse(subject) : null,
            State = head.State,
            FactsBlob = factsBlob,
        };
        return factsBlob is null ? LongFacts.Read(SplitText.Read(row, "facts"), image) : image;
    }

    /// <summary>The row of an image that is there, complete or hidden; null for none, and for one that waits or is deleted.</summary>
    public static ImageRow? Live(TableRow? row) =>
        row is not null && From(row) is { State: ImageState.Complete or ImageState.Hidden } image ? image : null;

    internal static Digest Parse(string text) =>
        Digest.TryParse(text, out var digest)
            ? digest
            : throw new InvalidOperationException($"'{text}' in a row is no digest");
}
