using System.Text.Json;
using System.Text.Json.Serialization;
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

    /// <summary>The manifest that this one refers to, which need not exist; or null.</summary>
    public Digest? Subject { get; init; }

    /// <summary>Random; a tag counts only while it names the generation of its image's row.</summary>
    public required string Generation { get; init; }

    public ImageState State { get; init; }

    /// <summary>What an index names; a list shows those only if they are tagged themselves.</summary>
    public IReadOnlyList<string> Children { get; init; } = [];

    /// <summary>The distinct configs and layers of an image, or of all images of an index, and their sizes in bytes.</summary>
    public IReadOnlyDictionary<string, long> Parts { get; init; } =
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
        if (Subject is not null)
        {
            row["subject"] = Subject.ToString();
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
        if (row.GetInt64("schema") is { } schema && schema > Schema)
        {
            throw new InvalidOperationException(
                $"row {row.Key} has schema {schema}: this program knows {Schema}; use a newer one"
            );
        }

        var factsBlob = row.GetString("facts_blob");
        var image = new ImageRow(row.Text("app"), Parse(row.Text("digest")))
        {
            MediaType = row.Text("media_type"),
            Size = row.GetInt64("size") ?? 0,
            IsImage = row.GetBoolean("image") ?? false,
            Generation = row.Text("generation"),
            Subject = row.GetString("subject") is { } subject ? Parse(subject) : null,
            State = row.GetString("state") switch
            {
                "hidden" => ImageState.Hidden,
                "waiting" => ImageState.Waiting,
                "deleted" => ImageState.Deleted,
                _ => ImageState.Complete,
            },
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

/// <summary>The part of an image row that may be long, as JSON.</summary>
internal sealed record LongFacts(
    IReadOnlyList<string> Args,
    IReadOnlyList<string> Env,
    IReadOnlyDictionary<string, string> Labels,
    bool Initrd,
    bool Rom,
    string KernelArgs,
    string? Created,
    IReadOnlyList<string> Children,
    IReadOnlyDictionary<string, long> Parts
)
{
    public static string Write(ImageRow row)
    {
        var f = row.Facts;
        return JsonSerializer.Serialize(
            new LongFacts(f.Args, f.Env, f.Labels, f.Initrd, f.Rom, f.KernelArgs, f.Created, row.Children, row.Parts),
            RowJson.Default.LongFacts
        );
    }

    public static ImageRow Read(string json, ImageRow row)
    {
        var facts = JsonSerializer.Deserialize(json, RowJson.Default.LongFacts)!;
        return row with
        {
            Children = facts.Children,
            Parts = facts.Parts,
            Facts = new ImageFacts
            {
                Args = facts.Args,
                Env = facts.Env,
                Labels = facts.Labels,
                Initrd = facts.Initrd,
                Rom = facts.Rom,
                KernelArgs = facts.KernelArgs,
                Created = facts.Created,
            },
        };
    }
}

[JsonSerializable(typeof(LongFacts))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
internal sealed partial class RowJson : JsonSerializerContext;

/// <summary>A tag: row <c>t</c>. It counts while the image row has this generation; without one it waits for its image.</summary>
/// <param name="App">The app.</param>
/// <param name="Tag">The tag.</param>
/// <param name="Digest">What it points to.</param>
/// <param name="Generation">The generation of the image row that it was set on, or null while it waits.</param>
/// <param name="FromLayout">Whether an index.json set it, and so may drop it; else a push did.</param>
internal sealed record TagRow(string App, string Tag, Digest Digest, string? Generation, bool FromLayout)
{
    public string Key => Keys.Tag(App, Tag);

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

        return row;
    }

    public static TagRow From(TableRow row) =>
        new(
            row.Text("app"),
            row.Text("tag"),
            ImageRow.Parse(row.Text("digest")),
            row.GetString("generation"),
            row.GetString("source") == "layout"
        );
}

/// <summary>Whether a verified blob counts.</summary>
internal enum BlobState
{
    /// <summary>It does: its bytes were hashed, and are what its name says.</summary>
    Good,

    /// <summary>Its bytes are gone or others; the images that need it are being hidden.</summary>
    Bad,

    /// <summary>Its removal has begun.</summary>
    Deleting,
}

/// <summary>A verified blob: row <c>b</c>.</summary>
/// <param name="App">The app.</param>
/// <param name="Digest">Its digest, which is the hash of its bytes.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="BlobETag">The stored blob's ETag when it was verified: reads carry it, so that other bytes are never served.</param>
/// <param name="State">Whether it counts.</param>
/// <param name="Tar">What was seen in it while it was hashed, or null.</param>
/// <param name="RowETag">The row's own ETag as it was read.</param>
internal sealed record BlobRow(
    string App,
    Digest Digest,
    long Size,
    string BlobETag,
    BlobState State,
    TarFacts? Tar,
    VersionTag RowETag = default
)
{
    public string Key => Keys.Blob(App, Digest);

    /// <summary>Whether a push brought it: the sweeper waits longer for what was dropped, whose rest may still be on its way.</summary>
    public bool Pushed { get; init; }

    public TableRow ToRow()
    {
        var row = new TableRow(Key)
        {
            ["app"] = App,
            ["digest"] = Digest.ToString(),
            ["size"] = Size,
            ["blob_etag"] = BlobETag,
        };
        if (Pushed)
        {
            row["pushed"] = true;
        }

        if (State != BlobState.Good)
        {
            row["state"] = State.ToString().ToLowerInvariant();
        }

        if (Tar is not null)
        {
            row["tar"] = true;
            if (Tar.OnlyFile is { Length: <= 1024 })
            {
                row["tar_only_file"] = Tar.OnlyFile;
            }

            if (Tar.CommandLine is not null)
            {
                row["tar_cmdline"] = Tar.CommandLine;
            }
        }

        return row;
    }

    public static BlobRow From(TableRow row) =>
        new(
            row.Text("app"),
            ImageRow.Parse(row.Text("digest")),
            row.GetInt64("size") ?? 0,
            row.Text("blob_etag"),
            row.GetString("state") switch
            {
                "bad" => BlobState.Bad,
                "deleting" => BlobState.Deleting,
                _ => BlobState.Good,
            },
            row.GetBoolean("tar") == true
                ? new TarFacts(row.GetString("tar_only_file"), row.GetString("tar_cmdline"))
                : null,
            row.Version
        )
        {
            Pushed = row.GetBoolean("pushed") == true,
        };
}

/// <summary>
/// Who needs something: a manifest by its digest, a repository's <c>index.json</c>, or a tag that waits for its image.
/// </summary>
internal sealed record Needer
{
    private const string TagPrefix = "tag:";

    private Needer(string text, Digest? digest)
    {
        Text = text;
        Digest = digest;
    }

    /// <summary>The layout's <c>index.json</c>.</summary>
    public static Needer Layout { get; } = new("index.json", null);

    /// <summary>The manifest that needs it, or null.</summary>
    public Digest? Digest { get; }

    /// <summary>The tag that waits for it, or null.</summary>
    public string? WaitingTag => Text.StartsWith(TagPrefix, StringComparison.Ordinal) ? Text[TagPrefix.Length..] : null;

    public string Text { get; }

    /// <summary>64 characters that stand for the needer at the end of a key.</summary>
    public string ShortKey =>
        Convert.ToHexStringLower(
            System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Text))
        );

    public static Needer Manifest(Digest digest) => new(digest.ToString(), digest);

    public static Needer Tag(string tag) => new(TagPrefix + tag, null);

    public static Needer Parse(string text) =>
        Oci.Digest.TryParse(text, out var digest) && digest.IsSupported ? Manifest(digest) : new Needer(text, null);
}

/// <summary>One thing needed by another: row <c>n</c>. Written before what needs it is committed.</summary>
/// <param name="App">The app.</param>
/// <param name="Needed">The digest that is needed.</param>
/// <param name="By">Who needs it.</param>
/// <param name="ManifestType">The media type it is needed as, when it is needed as a manifest; null when as a blob.</param>
internal sealed record NeedRow(string App, Digest Needed, Needer By, string? ManifestType)
{
    public string Key => Keys.Need(App, Needed, By);

    public TableRow ToRow()
    {
        var row = new TableRow(Key)
        {
            ["app"] = App,
            ["needed"] = Needed.ToString(),
            ["by"] = By.Text,
        };
        if (ManifestType is not null)
        {
            row["manifest_type"] = ManifestType;
        }

        return row;
    }

    public static NeedRow From(TableRow row) =>
        new(
            row.Text("app"),
            ImageRow.Parse(row.Text("needed")),
            Needer.Parse(row.Text("by")),
            row.GetString("manifest_type")
        );
}

/// <summary>
/// A manifest that refers to another one: row <c>r</c>, written and removed with its image row, and worth nothing while
/// that is hidden.
/// </summary>
/// <param name="App">The app.</param>
/// <param name="Subject">The manifest referred to.</param>
/// <param name="Digest">The manifest that refers to it.</param>
/// <param name="MediaType">Its media type.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="ArtifactType">What it is known by, or null.</param>
/// <param name="Annotations">Its annotations; null where they are too long for the row and stand in the manifest only.</param>
internal sealed record ReferrerRow(
    string App,
    Digest Subject,
    Digest Digest,
    string MediaType,
    long Size,
    string? ArtifactType,
    IReadOnlyDictionary<string, string>? Annotations
)
{
    private const int LongestAnnotations = 60_000;

    public string Key => Keys.Referrer(App, Subject, Digest);

    public TableRow ToRow()
    {
        var row = new TableRow(Key)
        {
            ["app"] = App,
            ["subject"] = Subject.ToString(),
            ["digest"] = Digest.ToString(),
            ["media_type"] = MediaType,
            ["size"] = Size,
        };
        // A media type has at most 255 characters (RFC 6838); what is longer stands in the manifest only.
        if (ArtifactType is { Length: <= 1024 })
        {
            row["artifact_type"] = ArtifactType;
        }

        var json = JsonSerializer.Serialize(Annotations, RowJson.Default.IReadOnlyDictionaryStringString);
        if (json.Length <= LongestAnnotations)
        {
            SplitText.Write(row, "annotations", json);
        }

        return row;
    }

    public static ReferrerRow From(TableRow row) =>
        new(
            row.Text("app"),
            ImageRow.Parse(row.Text("subject")),
            ImageRow.Parse(row.Text("digest")),
            row.Text("media_type"),
            row.GetInt64("size") ?? 0,
            row.GetString("artifact_type"),
            SplitText.Read(row, "annotations") is { Length: > 0 } json
                ? JsonSerializer.Deserialize(json, RowJson.Default.IReadOnlyDictionaryStringString)
                : null
        );
}

/// <summary>A blob that is not what its path says, or that could not be taken in: row <c>x</c>.</summary>
/// <param name="Path">The path inside the container.</param>
/// <param name="Reason">What is wrong, in one sentence.</param>
/// <param name="ActualDigest">What the bytes really hash to, where that is the reason; else null.</param>
/// <param name="IsFailure">Whether storage failed, and not the input: then it is tried again.</param>
/// <param name="At">When it was found.</param>
/// <param name="Expires">When the row may go.</param>
internal sealed record RefusedRow(
    string Path,
    string Reason,
    string? ActualDigest,
    bool IsFailure,
    DateTimeOffset At,
    DateTimeOffset Expires
)
{
    public static string PartitionOf(string path) => LayoutPath.NamespaceOf(path) ?? Keys.RefusedPartition;

    public string Key => Keys.Refused(Path);

    public TableRow ToRow()
    {
        var row = new TableRow(Key)
        {
            ["path"] = Path,
            ["reason"] = Reason,
            ["state"] = IsFailure ? "failed" : "refused",
            ["at"] = At,
            ["expires"] = Expires,
        };
        if (ActualDigest is not null)
        {
            row["actual_digest"] = ActualDigest;
        }

        return row;
    }

    public static RefusedRow From(TableRow row) =>
        new(
            row.Text("path"),
            row.Text("reason"),
            row.GetString("actual_digest"),
            row.GetString("state") == "failed",
            row.GetDateTimeOffset("at") ?? default,
            row.GetDateTimeOffset("expires") ?? default
        );
}
