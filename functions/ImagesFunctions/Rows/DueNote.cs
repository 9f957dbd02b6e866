using ImagesFunctions.Journal;

namespace ImagesFunctions.Rows;

/// <summary>A note that a namespace has something to collect from an hour on: row <c>d</c> of the partition of notes.</summary>
/// <param name="Namespace">The namespace, or the partition of refusals without one.</param>
/// <param name="Key">The row's key: see <see cref="Keys.Due"/>.</param>
/// <param name="Until">Until when a sweeper that has taken it is not disturbed; null: nobody has.</param>
/// <param name="Version">The version that was read, or written.</param>
internal sealed record DueNote(string Namespace, string Key, DateTimeOffset? Until, VersionTag Version)
{
    /// <summary>A new one.</summary>
    /// <param name="namespace">The namespace.</param>
    /// <param name="hour">A moment of the hour.</param>
    public static DueNote Of(string @namespace, DateTimeOffset hour) =>
        new(@namespace, Keys.Due(hour, @namespace), Until: null, default);

    /// <summary>One that was read.</summary>
    public static DueNote From(TableRow row) =>
        new(row.Text("namespace"), row.Key, row.GetDateTimeOffset("until"), row.Version);

    /// <summary>The row to write.</summary>
    public TableRow ToRow()
    {
        var row = new TableRow(Key) { ["namespace"] = Namespace };
        if (Until is { } until)
        {
            row["until"] = until;
        }

        return row;
    }
}
