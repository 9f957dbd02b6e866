using ImagesFunctions.Journal;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Rows;

/// <summary>The part of an image's row that says which image it is and whether it counts: short, and decoded here alone.</summary>
/// <param name="App">The app.</param>
/// <param name="Digest">The image's digest.</param>
/// <param name="State">Whether it counts.</param>
/// <param name="Generation">The generation that its tags name.</param>
internal sealed record ImageHead(string App, Digest Digest, ImageState State, string Generation)
{
    /// <summary>What to fetch of a row that is read as one of these.</summary>
    public static readonly string[] Columns = ["schema", "app", "digest", "state", "generation"];

    /// <summary>What to fetch of a row of which only the state is asked for.</summary>
    public static readonly string[] StateColumns = ["schema", "state"];

    /// <summary>Reads a row, or its <see cref="Columns"/>.</summary>
    /// <exception cref="InvalidOperationException">It is of a newer schema, or no image's row.</exception>
    public static ImageHead From(TableRow row) =>
        new(row.Text("app"), ImageRow.Parse(row.Text("digest")), StateOf(row), row.Text("generation"));

    /// <summary>Reads the state of a row, or of its <see cref="StateColumns"/>.</summary>
    /// <exception cref="InvalidOperationException">It is of a newer schema.</exception>
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
