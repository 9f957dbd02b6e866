using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Exploration.Sweeps;

/// <summary>
/// A process that writes to a namespace what will have to be collected, and leaves a note before it does: see <c>DueNotes</c>.
/// </summary>
/// <param name="world">The world.</param>
/// <param name="actor">The process.</param>
/// <param name="storage">The table.</param>
/// <param name="namespace">The namespace.</param>
internal class Writer(World world, Actor actor, ModelStorage storage, string @namespace)
{
    private static readonly TimeSpan s_ahead = TimeSpan.FromHours(2);

    private readonly NoteTable _table = new(world, actor, storage);
    private (TimeSpan At, Task Writing)? _noted;

    /// <summary>For so long one note stands for all that a process writes to a namespace.</summary>
    public static TimeSpan Holds { get; } = TimeSpan.FromHours(1);

    /// <summary>Writes a row.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="isUrgent">Whether it is to be collected by the next pass: see <c>DueNotes.AnnounceNowAsync</c>.</param>
    /// <param name="announced">Is told the row's key when it looks whether there is a note.</param>
    /// <param name="urged">Is told the row's key when it is noted for the next pass.</param>
    public async Task WriteAsync(int number, bool isUrgent, Action<string> announced, Action<string> urged)
    {
        var key = NoteTable.RowOf(@namespace, number, isUrgent);
        try
        {
            announced(key);
            await WriteAsync(key);
            if (isUrgent)
            {
                await _table.NoteNowAsync(@namespace, DateTimeOffset.UnixEpoch + world.Now);
                urged(key);
            }
        }
        catch (IOException)
        {
            // Its client tries again, or does not.
        }
    }

    /// <summary>Leaves a note, and then writes a row.</summary>
    protected virtual async Task WriteAsync(string key)
    {
        await AnnounceAsync();
        await PutAsync(key);
    }

    /// <summary>Leaves a note, unless this process has left one within an hour: see <c>DueNotes.AnnounceAsync</c>.</summary>
    protected Task AnnounceAsync()
    {
        if (_noted is not { } noted || world.Now - noted.At >= Holds || noted.Writing.IsFaulted)
        {
            var now = world.Now;
            noted = (now, _table.NoteAsync(@namespace, DateTimeOffset.UnixEpoch + now + s_ahead));
            _noted = noted;
        }

        return noted.Writing;
    }

    /// <summary>Writes a row.</summary>
    protected Task PutAsync(string key) => _table.WriteAsync(new Change(key, new TableRow(key)));
}
