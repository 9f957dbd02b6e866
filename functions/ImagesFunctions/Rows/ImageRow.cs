using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Policy;

namespace ImagesFunctions.Rows;

/// <summary>The state of an image.</summary>
public enum ImageState
{
    /// <summary>All its dependencies are there.</summary>
    Complete,

    /// <summary>A dependency became invalid. It returns, with its tags, when that is repaired.</summary>
    Hidden,

    /// <summary>An index whose dependencies are incomplete. Its row only says what it names.</summary>
    Waiting,

    /// <summary>A deleted index. Its row stays, so that what it named stays out of lists.</summary>
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
    /// <summary>The version of the row format. A program that reads a higher number is too old.</summary>
    public const long Schema = 1;

    public required string MediaType { get; init; }

    /// <summary>The sum of the sizes of its distinct layers and configs, in bytes; 0 for what is not an image.</summary>
    public required long Size { get; init; }

    /// <summary>Whether lists may show it.</summary>
    public required bool IsImage { get; init; }

    /// <summary>Why it is not an image, as the end of a sentence; null for an image, and in rows of an earlier version.</summary>
    public string? NotImage { get; init; }

    /// <summary>The parts of its config that could not be read; null when there are none, and in rows of an earlier version.</summary>
    public string? LeftOut { get; init; }

    /// <summary>The manifest that this one refers to, which need not exist; or null.</summary>
    public Digest? Subject { get; init; }

    /// <summary>Random. A tag counts only while it names the generation of its image's row.</summary>
    public required string Generation { get; init; }

    /// <summary>When it was committed, in whole milliseconds; null in rows of an earlier version.</summary>
    public DateTimeOffset? Committed { get; init; }

    /// <summary>Whose push committed it; null where a drop did, and in rows of an earlier version.</summary>
    public Author? PushedBy { get; init; }

    /// <summary>Its stored bytes when it was committed; null in rows of an earlier version, and of an index that waits.</summary>
    public StoredManifest? Stored { get; init; }

    /// <summary>That it stays until it is unpinned; or null.</summary>
    public ImagePin? Pin { get; init; }

    public ImageState State { get; init; }

    /// <summary>The manifests that an index names. Lists show them only where they have a tag.</summary>
    public IReadOnlyList<string> Children { get; init; } = [];

    /// <summary>The distinct configs and layers of an image, or of all images of an index, and their sizes in bytes.</summary>
    public IReadOnlyDictionary<string, long> BlobSizes { get; init; } =
        new Dictionary<string, long>(StringComparer.Ordinal);

    public ImageFacts Facts { get; init; } = ImageFacts.None;

    /// <summary>Whether <see cref="Facts"/> are not all: see <see cref="ShownFacts"/>. The rest is in its manifest and config.</summary>
    public bool IsTruncated { get; init; }

    /// <summary>The blob of the container <c>derived</c> that holds facts and children that do not fit into the row; or null.</summary>
    public string? FactsBlob { get; init; }

    /// <summary>Whether facts, blob sizes and children are loaded.</summary>
    public bool HasFacts => FactsBlob is null || !ReferenceEquals(Facts, ImageFacts.None);

    public string Key => Keys.Image(App, Digest);

    /// <summary>The row with as much of its facts as lists show.</summary>
    public ImageRow Shown()
    {
        var shown = ShownFacts.Of(Facts);
        return ReferenceEquals(shown, Facts) ? this : this with { Facts = shown, IsTruncated = true };
    }

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

        if (PushedBy is not null)
        {
            row[TagPush.ByName] = PushedBy.Text;
        }

        Pin?.WriteTo(row);
        Stored?.WriteTo(row);
        if (Subject is not null)
        {
            row["subject"] = Subject.ToString();
        }

        WriteWhatIsMissing(row);
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

    private void WriteWhatIsMissing(TableRow row)
    {
        if (NotImage is not null)
        {
            row["not_image"] = NotImage;
        }

        if (LeftOut is not null)
        {
            row["left_out"] = LeftOut;
        }

        if (IsTruncated)
        {
            row["truncated"] = true;
        }
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
            PushedBy = Author.Parse(row.GetString(TagPush.ByName)),
            Pin = ImagePin.From(row),
            Stored = StoredManifest.From(row),
            Subject = row.GetString("subject") is { } subject ? Parse(subject) : null,
            State = head.State,
            IsTruncated = row.GetBoolean("truncated") == true,
            FactsBlob = factsBlob,
        };
        return factsBlob is null ? LongFacts.Read(SplitText.Read(row, "facts"), image) : image;
    }

    /// <summary>The row of a complete or hidden image; null for any other row.</summary>
    public static ImageRow? Live(TableRow? row) =>
        row is not null && From(row) is { State: ImageState.Complete or ImageState.Hidden } image ? image : null;

    internal static Digest Parse(string text) =>
        Digest.TryParse(text, out var digest)
            ? digest
            : throw new InvalidOperationException($"'{text}' in a row is no digest");
}
