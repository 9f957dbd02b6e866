using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Sweeps;

/// <summary>
/// The table as writers and sweepers of namespaces use it. All is in one partition here: the notes, how far the walk is, and the rows
/// of the namespaces, each of which stands for something that is to be collected when it is old.
/// </summary>
/// <param name="world">The world.</param>
/// <param name="actor">The process.</param>
/// <param name="storage">The table.</param>
internal sealed class NoteTable(World world, Actor actor, ModelStorage storage)
{
    private readonly ModelTable _table = new(world, actor, storage);

    /// <summary>Nobody ends what is explored.</summary>
    private static CancellationToken Never => CancellationToken.None;

    /// <summary>The rows of a namespace.</summary>
    /// <param name="namespace">The namespace; a letter.</param>
    public static KeyRange RowsOf(string @namespace) => new($"x!{@namespace}!", $"x!{@namespace}\"");

    /// <summary>The key of a row of a namespace.</summary>
    /// <param name="namespace">The namespace.</param>
    /// <param name="number">A number that no other row has.</param>
    /// <param name="isUrgent">Whether it may be collected at once.</param>
    public static string RowOf(string @namespace, int number, bool isUrgent) =>
        $"x!{@namespace}!{number}{(isUrgent ? "!" : "")}";

    /// <summary>Whether a row may be collected at once.</summary>
    public static bool IsUrgent(string key) => key[^1] == '!';

    /// <summary>The namespace of such a row.</summary>
    public static string NamespaceOf(string key) => key.Split('!')[1];

    /// <summary>The rows of a range.</summary>
    /// <exception cref="IOException">Storage does not answer.</exception>
    public Task<IReadOnlyList<TableRow>> RangeAsync(KeyRange range) =>
        _table.RangeAsync(ModelStorage.Partition, range, Never);

    /// <summary>A row, or null.</summary>
    /// <exception cref="IOException">Storage does not answer.</exception>
    public Task<TableRow?> GetAsync(string key) => _table.GetAsync(ModelStorage.Partition, key, Never);

    /// <summary>Writes rows: see <see cref="ModelTable.WriteAgainAsync"/>.</summary>
    /// <exception cref="IOException">Storage does not answer.</exception>
    public Task<WriteResult> WriteAsync(params IReadOnlyList<Change> changes) => _table.WriteAgainAsync(changes);

    /// <summary>Notes that a namespace has something to collect from a moment on: see <c>DueNotes.PutAsync</c>.</summary>
    /// <exception cref="IOException">Storage does not answer.</exception>
    public async Task NoteAsync(string @namespace, DateTimeOffset from)
    {
        var hour = TimeSpan.TicksPerHour;
        var up = (hour - (from.UtcTicks % hour)) % hour;
        var note = DueNote.Of(@namespace, from.AddTicks(up));
        await WriteAsync(new Change(note.Key, note.ToRow()));
    }

    /// <summary>Notes that a namespace has something to collect at once: see <c>DueNotes.AnnounceNowAsync</c>.</summary>
    /// <exception cref="IOException">Storage does not answer.</exception>
    public async Task NoteNowAsync(string @namespace, DateTimeOffset now)
    {
        var note = DueNote.Of(@namespace, now);
        await WriteAsync(new Change(note.Key, note.ToRow()));
    }
}
