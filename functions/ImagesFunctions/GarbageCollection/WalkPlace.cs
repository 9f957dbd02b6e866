using ImagesFunctions.Journal;
using ImagesFunctions.Rows;
using ImagesFunctions.Settings;

namespace ImagesFunctions.GarbageCollection;

/// <summary>How far the walk over all namespaces is: a row of the partition of notes.</summary>
/// <param name="After">The namespace that was handed out last; "" before the first.</param>
/// <param name="Begun">When this walk began.</param>
/// <param name="Ended">When it came to its end; null as long as it goes on.</param>
/// <param name="Debt">Requests that passes spent beyond what each of them may.</param>
/// <param name="Version">The version that was read or written; null: there is no row yet.</param>
internal sealed record WalkPlace(
    string After,
    DateTimeOffset Begun,
    DateTimeOffset? Ended,
    long Debt,
    VersionTag? Version
)
{
    /// <summary>The column that says which version of the program moved the walk on. Versions before do not write it.</summary>
    public const string Program = "program";

    // Passes come once an hour.
    private static readonly TimeSpan s_pass = TimeSpan.FromHours(1);

    /// <summary>One that was read.</summary>
    public static WalkPlace From(TableRow row) =>
        new(
            row.Text("after"),
            row.GetDateTimeOffset("begun") ?? default,
            row.GetDateTimeOffset("ended"),
            row.GetInt64("debt") ?? 0,
            row.Version
        );

    /// <summary>
    /// Whether a walk has to go on, or to begin, at a moment. It begins so early that it comes to each namespace in time, if it takes as
    /// long as the one before.
    /// </summary>
    /// <param name="now">The moment.</param>
    /// <param name="within">In what time after it was there the walk has to come to a namespace again.</param>
    public bool IsOnAt(DateTimeOffset now, TimeSpan within)
    {
        if (Ended is not { } ended || Begun > now + s_pass)
        {
            return true;
        }

        var rest = within - (ended - Begun) - s_pass;
        return now >= Begun + (rest > within / 2 ? rest : within / 2);
    }

    /// <summary>Whether this walk takes, or took, longer than it should.</summary>
    public bool IsLateAt(DateTimeOffset now, TimeSpan within) => (Ended ?? now) - Begun > within;

    /// <summary>As it is when a pass goes on from it: a new walk where this one has ended.</summary>
    public WalkPlace GoneOn(DateTimeOffset now) =>
        Ended is null && Begun <= now + s_pass ? this : this with { After = "", Begun = now, Ended = null };

    /// <summary>Writes it, if it is still what was read.</summary>
    public Change ToChange()
    {
        var row = new TableRow(Keys.WalkPlace)
        {
            ["after"] = After,
            ["begun"] = Begun,
            ["debt"] = Debt,
            [Program] = ProgramVersion.Text,
        };
        if (Ended is { } ended)
        {
            row["ended"] = ended;
        }

        return new Change(row.Key, row, Version) { IsNew = Version is null };
    }
}
