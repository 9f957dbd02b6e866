using ImagesFunctions.Journal;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Rows;

/// <summary>
/// What needs a digest: a manifest, a repository's <c>index.json</c>, or a tag that waits for its image.
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

    /// <summary>The digest of a manifest; else null.</summary>
    public Digest? Digest { get; }

    /// <summary>The waiting tag; else null.</summary>
    public string? WaitingTag => Text.StartsWith(TagPrefix, StringComparison.Ordinal) ? Text[TagPrefix.Length..] : null;

    public string Text { get; }

    /// <summary>The dependent in a key: 64 hexadecimal digits.</summary>
    public string ShortKey =>
        Convert.ToHexStringLower(
            System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Text))
        );

    public static Dependent Manifest(Digest digest) => new(digest.ToString(), digest);

    public static Dependent Tag(string tag) => new(TagPrefix + tag, null);

    public static Dependent Parse(string text) =>
        Oci.Digest.TryParse(text, out var digest) && digest.IsSupported ? Manifest(digest) : new Dependent(text, null);
}

/// <summary>A dependency: row <c>n</c>. Written before its dependent is committed.</summary>
/// <param name="App">The app.</param>
/// <param name="Needed">The digest that is needed.</param>
/// <param name="By">The dependent.</param>
/// <param name="ManifestType">The media type where it is needed as a manifest; null where it is needed as a blob.</param>
internal sealed record DependencyRow(string App, Digest Needed, Dependent By, string? ManifestType)
{
    public string Key => Keys.Dependency(App, Needed, By);

    /// <summary>Whether the needed manifest was deleted on request while it is still named: nothing waits for it.</summary>
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
