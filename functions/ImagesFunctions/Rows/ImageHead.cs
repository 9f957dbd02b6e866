using ImagesFunctions.Journal;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Rows;

/// <summary>The short part of an image's row: which image it is, and its state. The only decoder of states and of the schema.</summary>
/// <param name="App">The app.</param>
/// <param name="Digest">The image's digest.</param>
/// <param name="State">Its state.</param>
/// <param name="Generation">Its generation, which its tags name.</param>
internal sealed record ImageHead(string App, Digest Digest, ImageState State, string Generation)
{
    /// <summary>The columns that <see cref="From"/> reads.</summary>
    public static readonly string[] Columns = ["schema", "app", "digest", "state", "generation"];

    /// <summary>The columns that <see cref="StateOf"/> reads.</summary>
    public static readonly string[] StateColumns = ["schema", "state"];

    /// <summary>Reads a row, or its <see cref="Columns"/>.</summary>
    /// <exception cref="InvalidOperationException">The row has a newer schema, or is not an image's.</exception>
    public static ImageHead From(TableRow row) =>
        new(row.Text("app"), ImageRow.Parse(row.Text("digest")), StateOf(row), row.Text("generation"));

    /// <summary>Reads the state of a row, or of its <see cref="StateColumns"/>.</summary>
    /// <exception cref="InvalidOperationException">The row has a newer schema.</exception>
    public static ImageState StateOf(TableRow row)
    {
        if (row.GetInt64("schema") is { } schema && schema > ImageRow.Schema)
        {
            throw new InvalidOperationException(
                $"row {row.Key} has schema {schema}: this program knows {ImageRow.Schema}; use a newer one"
            );
        }

        return row.GetString("state") switch
        {
            "hidden" => ImageState.Hidden,
            "waiting" => ImageState.Waiting,
            "deleted" => ImageState.Deleted,
            _ => ImageState.Complete,
        };
    }
}
