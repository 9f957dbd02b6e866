using ImagesFunctions.Journal;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Rows;

/// <summary>The state of a verified blob.</summary>
internal enum BlobState
{
    /// <summary>Its bytes hash to its digest.</summary>
    Good,

    /// <summary>Its bytes are gone or changed; the images that need it are being hidden.</summary>
    Invalid,

    /// <summary>It is being removed, or was: see <see cref="BlobRow.IsRemoved"/>.</summary>
    Deleting,
}

/// <summary>A verified blob: row <c>b</c>.</summary>
/// <param name="App">The app.</param>
/// <param name="Digest">Its digest, which is the hash of its bytes.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="BlobETag">The stored blob's ETag when it was verified. Reads carry it as If-Match, so that other bytes are never served.</param>
/// <param name="State">Its state.</param>
/// <param name="Tar">What was seen in it while it was hashed, or null.</param>
/// <param name="RowETag">The version of the row that was read.</param>
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
    // As they are stored.
    private const string Invalid = "bad";
    private const string Deleting = "deleting";

    // No stored blob has it: so what is at the path now, or comes back there, is another one.
    private const string Removed = "\"removed\"";

    public string Key => Keys.Blob(App, Digest);

    /// <summary>Whether it was pushed. The sweeper keeps dropped blobs longer, because the rest of a drop may come later.</summary>
    public bool Pushed { get; init; }

    /// <summary>
    /// Whether its bytes were removed, or went. The row stays for a day: a process that has looked at the bytes before that, when there was no
    /// row yet, cannot add one that says that they are good.
    /// </summary>
    public bool IsRemoved => State == BlobState.Deleting && BlobETag == Removed;

    /// <summary>Whether its removal is committed and not done: its bytes may still be there.</summary>
    public bool IsBeingRemoved => State == BlobState.Deleting && !IsRemoved;

    /// <summary>The row of a blob whose bytes are gone, when nothing needs it any more.</summary>
    public BlobRow AsRemoved() => this with { State = BlobState.Deleting, BlobETag = Removed };

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
            row["state"] = State == BlobState.Invalid ? Invalid : Deleting;
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

    /// <summary>The state that a row says, of which only that was read.</summary>
    public static BlobState StateOf(TableRow row) =>
        row.GetString("state") switch
        {
            Invalid => BlobState.Invalid,
            Deleting => BlobState.Deleting,
            _ => BlobState.Good,
        };

    /// <summary>Reads a row; null where there is none.</summary>
    public static BlobRow? FromOrNull(TableRow? row) => row is null ? null : From(row);

    public static BlobRow From(TableRow row) =>
        new(
            row.Text("app"),
            ImageRow.Parse(row.Text("digest")),
            row.GetInt64("size") ?? 0,
            row.Text("blob_etag"),
            StateOf(row),
            row.GetBoolean("tar") == true
                ? new TarFacts(row.GetString("tar_only_file"), row.GetString("tar_cmdline"))
                : null,
            row.Version
        )
        {
            Pushed = row.GetBoolean("pushed") == true,
        };
}
