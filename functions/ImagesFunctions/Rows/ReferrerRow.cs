using System.Text.Json;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Rows;

/// <summary>
/// A manifest that refers to another one: row <c>r</c>. It is written and removed with its image row, and does not count while that
/// is hidden.
/// </summary>
/// <param name="App">The app.</param>
/// <param name="Subject">The manifest referred to.</param>
/// <param name="Digest">The manifest that refers to it.</param>
/// <param name="MediaType">Its media type.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="ArtifactType">Its artifact type (OCI distribution spec, "Listing Referrers"), or null.</param>
/// <param name="Annotations">Its annotations; null where they are too long for the row, and only the manifest has them.</param>
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
    private const int MaxAnnotations = 60_000;

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
        // A media type has at most 255 characters (RFC 6838). A longer text is only in the manifest.
        if (ArtifactType is { Length: <= 1024 })
        {
            row["artifact_type"] = ArtifactType;
        }

        var json = JsonSerializer.Serialize(Annotations, RowJson.Default.IReadOnlyDictionaryStringString);
        if (json.Length <= MaxAnnotations)
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
