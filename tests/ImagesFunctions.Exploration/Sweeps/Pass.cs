using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.GarbageCollection;
using ImagesFunctions.Journal;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Sweeps;

/// <summary>
/// A process that makes one pass of the sweeper: it takes the walk on, and then sweeps the namespaces that notes name. See <c>DuePass</c>,
/// <c>DueRows</c>, <c>Walk</c> and <c>Visits</c>.
/// </summary>
/// <param name="world">The world.</param>
/// <param name="actor">The process.</param>
/// <param name="storage">The table.</param>
/// <param name="steps">How many namespaces the walk comes to in this pass at most; 0: it does not go on.</param>
internal class Pass(World world, Actor actor, ModelStorage storage, int steps)
{
    private static readonly TimeSpan s_claim = TimeSpan.FromMinutes(30);
    private static readonly string[] s_namespaces = ["a", "b"];

    private readonly HashSet<string> _visited = new(StringComparer.Ordinal);

    /// <summary>How old is what is collected.</summary>
    public static TimeSpan Grace { get; } = TimeSpan.FromHours(1);

    /// <summary>The table.</summary>
    protected NoteTable Table { get; } = new(world, actor, storage);

    private DateTimeOffset Now => DateTimeOffset.UnixEpoch + world.Now;

    /// <summary>Makes the pass.</summary>
    public Task RunAsync() =>
        GuardedAsync(async () =>
        {
            var rows = await Table.RangeAsync(Keys.DueAt(Now));
            var place = rows.FirstOrDefault(row => row.Key == Keys.WalkPlace);
            await GuardedAsync(() => WalkAsync(place is null ? null : WalkPlace.From(place)));
            foreach (
                var notes in rows.Where(row => row.Key != Keys.WalkPlace)
                    .Select(DueNote.From)
                    .GroupBy(note => note.Namespace, StringComparer.Ordinal)
            )
            {
                await GuardedAsync(() => SweepAsync([.. notes]));
            }
        });

    /// <summary>Sweeps a namespace that has notes, and removes them.</summary>
    protected virtual async Task SweepAsync(List<DueNote> notes)
    {
        if (!_visited.Contains(notes[0].Namespace))
        {
            if (notes.Exists(note => note.Until > Now) || await ClaimAsync(notes[0]) is not { } claimed)
            {
                return;
            }

            await VisitAsync(notes[0].Namespace);
            notes[0] = claimed;
        }

        foreach (var note in notes)
        {
            await RemoveAsync(note);
        }
    }

    /// <summary>Removes a note, unless it was written anew since.</summary>
    protected virtual Task RemoveAsync(DueNote note) => Table.WriteAsync(new Change(note.Key, null, note.Version));

    /// <summary>Sweeps a namespace, and notes when that has to be done again.</summary>
    /// <exception cref="IOException">It did not come to its end.</exception>
    protected virtual async Task VisitAsync(string @namespace)
    {
        var age = new SweepAge(Now.AddSeconds(1), new SweepOptions { AfterPush = Grace, AfterDrop = Grace });
        foreach (var row in await Table.RangeAsync(NoteTable.RowsOf(@namespace)))
        {
            if (!NoteTable.IsUrgent(row.Key) && age.IsYoung(row.Timestamp, pushed: true))
            {
                continue;
            }

            try
            {
                await Table.WriteAsync(new Change(row.Key, null, row.Version));
            }
            catch (IOException)
            {
                age.Next.Add(age.Now);
            }
        }

        if (age.Next.At is { } next)
        {
            await FollowUpAsync(@namespace, next < age.Now ? age.Now : next);
        }
    }

    /// <summary>Notes when a namespace has to be swept again.</summary>
    protected virtual Task FollowUpAsync(string @namespace, DateTimeOffset next) => Table.NoteAsync(@namespace, next);

    /// <summary>What the walk writes when it moves on to a namespace: both or neither.</summary>
    protected virtual IReadOnlyList<Change> Move(WalkPlace moved, DueNote note) =>
        [moved.ToChange(), new Change(note.Key, note.ToRow())];

    private async Task<DueNote?> ClaimAsync(DueNote note)
    {
        var claimed = note with { Until = Now + s_claim };
        var written = await Table.WriteAsync(new Change(note.Key, claimed.ToRow(), note.Version));
        return written.IsDone ? claimed with { Version = written.First ?? default } : null;
    }

    private async Task WalkAsync(WalkPlace? read)
    {
        if (steps == 0 || read?.Ended is not null)
        {
            return;
        }

        var place = read ?? new WalkPlace("", Now, Ended: null, Debt: 0, Version: null);
        for (var i = 0; i < steps; i++)
        {
            if (Array.Find(s_namespaces, name => string.CompareOrdinal(name, place.After) > 0) is not { } next)
            {
                await Table.WriteAsync((place with { Ended = Now }).ToChange());
                return;
            }

            var moved = place with { After = next };
            var note = DueNote.Of(next, Now) with { Until = Now + s_claim };
            var written = await Table.WriteAsync(Move(moved, note));
            if (written.IsDone)
            {
                place = moved with { Version = written.First };
                await VisitAsync(next);
                // Without a version it stays, and the next pass sweeps once more.
                var version = written.Versions is [.., { } last] ? last : default;
                await RemoveAsync(note with { Version = version });
                _visited.Add(next);
            }
            else if (await Table.GetAsync(Keys.WalkPlace) is { } row && WalkPlace.From(row) is { Ended: null } other)
            {
                place = other;
            }
            else
            {
                return;
            }
        }
    }

    private static async Task GuardedAsync(Func<Task> run)
    {
        try
        {
            await run();
        }
        catch (IOException)
        {
            // It is left to the next pass.
        }
    }
}
