using ImagesFunctions.Journal;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Rows;

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

    /// <summary>Whether what is needed was deleted on request, though it is still named: it is not waited for.</summary>
    public bool Deleted { get; init; }

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

        if (Deleted)
        {
            row["deleted"] = true;
        }

        return row;
    }

    public static NeedRow From(TableRow row) =>
        new(
            row.Text("app"),
            ImageRow.Parse(row.Text("needed")),
            Needer.Parse(row.Text("by")),
            row.GetString("manifest_type")
        )
        {
            Deleted = row.GetBoolean("deleted") == true,
        };
}
