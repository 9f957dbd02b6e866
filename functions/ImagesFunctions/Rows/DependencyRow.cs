using ImagesFunctions.Journal;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Rows;

/// <summary>
/// Who needs something: a manifest by its digest, a repository's <c>index.json</c>, or a tag that waits for its image.
/// </summary>
internal sealed record Dependent
{
    private const string TagPrefix = "tag:";

    private Dependent(string text, Digest? digest)
    {
        Text = text;
        Digest = digest;
    }

    /// <summary>The layout's <c>index.json</c>.</summary>
    public static Dependent Layout { get; } = new("index.json", null);

    /// <summary>The manifest that needs it, or null.</summary>
    public Digest? Digest { get; }

    /// <summary>The tag that waits for it, or null.</summary>
    public string? WaitingTag => Text.StartsWith(TagPrefix, StringComparison.Ordinal) ? Text[TagPrefix.Length..] : null;

    public string Text { get; }

    /// <summary>64 characters that stand for the dependent at the end of a key.</summary>
    public string ShortKey =>
        Convert.ToHexStringLower(
            System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Text))
        );

    public static Dependent Manifest(Digest digest) => new(digest.ToString(), digest);

    public static Dependent Tag(string tag) => new(TagPrefix + tag, null);

    public static Dependent Parse(string text) =>
        Oci.Digest.TryParse(text, out var digest) && digest.IsSupported ? Manifest(digest) : new Dependent(text, null);
}

/// <summary>One thing needed by another: row <c>n</c>. Written before what needs it is committed.</summary>
/// <param name="App">The app.</param>
/// <param name="Needed">The digest that is needed.</param>
/// <param name="By">Who needs it.</param>
/// <param name="ManifestType">The media type it is needed as, when it is needed as a manifest; null when as a blob.</param>
internal sealed record DependencyRow(string App, Digest Needed, Dependent By, string? ManifestType)
{
    public string Key => Keys.Dependency(App, Needed, By);

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

    public static DependencyRow From(TableRow row) =>
        new(
            row.Text("app"),
            ImageRow.Parse(row.Text("needed")),
            Dependent.Parse(row.Text("by")),
            row.GetString("manifest_type")
        )
        {
            Deleted = row.GetBoolean("deleted") == true,
        };
}
