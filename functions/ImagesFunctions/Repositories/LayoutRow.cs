using ImagesFunctions.Journal;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>The version of an <c>index.json</c> that was applied last: row <c>j</c>.</summary>
/// <param name="App">The app.</param>
/// <param name="ETag">The file's ETag; "" where it is not known.</param>
/// <param name="Hash">The SHA-256 of its bytes; null in rows of an earlier version.</param>
internal sealed record LayoutRow(string App, string ETag, string? Hash)
{
    private const string Rebuilt = "rebuilt";
    private const string ProblemName = "problem";
    private const int MaxProblem = 4_000;

    /// <summary>What of the file was not applied because of a rule, in words that end a sentence; or null.</summary>
    public string? Problem { get; init; }

    /// <summary>
    /// Whether the row is of the file as it stands, and not of one of the same bytes that a rebuild has still to find: bytes that
    /// somebody else has put there again are applied again.
    /// </summary>
    public bool IsTaken { get; init; } = true;

    /// <summary>The row of a file that is applied.</summary>
    public static LayoutRow Of(LayoutIndexFile file) => new(file.Path.Repository.App, file.ETag, file.Hash);

    /// <summary>Whether a file is the one that was applied.</summary>
    public bool IsOf(LayoutIndexFile file) => ETag == file.ETag || (!IsTaken && Hash == file.Hash);

    /// <summary>The change that writes it.</summary>
    public Change ToChange()
    {
        var row = new TableRow(Keys.Layout(App)) { ["app"] = App, ["etag"] = ETag };
        if (Hash is not null)
        {
            row["hash"] = Hash;
        }

        if (!IsTaken)
        {
            row[Rebuilt] = true;
        }

        if (Problem is not null)
        {
            row[ProblemName] = Problem.Length > MaxProblem ? $"{Problem[..MaxProblem]}…" : Problem;
        }

        return new Change(row.Key, row);
    }

    /// <summary>Reads a row.</summary>
    public static LayoutRow From(TableRow row) =>
        new(row.Text("app"), row.GetString("etag") ?? "", row.GetString("hash"))
        {
            IsTaken = row.GetBoolean(Rebuilt) != true,
            Problem = row.GetString(ProblemName),
        };
}
