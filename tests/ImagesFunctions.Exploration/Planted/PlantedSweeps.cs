using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Exploration.Sweeps;
using ImagesFunctions.GarbageCollection;
using ImagesFunctions.Journal;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Planted;

/// <summary>Faults in how notes are left for sweepers, and in how these take them: other implementations of a step.</summary>
internal static class PlantedSweeps
{
    /// <summary>All of them, by their names.</summary>
    public static IReadOnlyDictionary<string, Sweepers> All { get; } =
        new Dictionary<string, Sweepers>(StringComparer.Ordinal)
        {
            ["leaves the note behind what it is about"] = new NotesLate(),
            ["removes a note whatever it is by now"] = new With(
                (w, a, s, steps) => new RemovesAnything(w, a, s, steps)
            ),
            ["removes the note before it sweeps"] = new With((w, a, s, steps) => new RemovesFirst(w, a, s, steps)),
            ["leaves no note of what was too young"] = new With((w, a, s, steps) => new ForgetsYoung(w, a, s, steps)),
            ["walks on without a note"] = new With((w, a, s, steps) => new WalksOn(w, a, s, steps)),
        };

    private sealed record NotesLate : Sweepers
    {
        public override Writer Write(World world, Actor actor, ModelStorage storage, string @namespace) =>
            new Process(world, actor, storage, @namespace);

        private sealed class Process(World world, Actor actor, ModelStorage storage, string @namespace)
            : Writer(world, actor, storage, @namespace)
        {
            protected override async Task WriteAsync(string key)
            {
                await PutAsync(key);
                await AnnounceAsync();
            }
        }
    }

    private sealed record With(Func<World, Actor, ModelStorage, int, Pass> Make) : Sweepers
    {
        public override Pass Pass(World world, Actor actor, ModelStorage storage, int steps) =>
            Make(world, actor, storage, steps);
    }

    private sealed class RemovesAnything(World world, Actor actor, ModelStorage storage, int steps)
        : Pass(world, actor, storage, steps)
    {
        protected override Task RemoveAsync(DueNote note) => Table.WriteAsync(new Change(note.Key, null));
    }

    private sealed class RemovesFirst(World world, Actor actor, ModelStorage storage, int steps)
        : Pass(world, actor, storage, steps)
    {
        protected override async Task SweepAsync(List<DueNote> notes)
        {
            foreach (var note in notes)
            {
                await RemoveAsync(note);
            }

            await VisitAsync(notes[0].Namespace);
        }
    }

    private sealed class ForgetsYoung(World world, Actor actor, ModelStorage storage, int steps)
        : Pass(world, actor, storage, steps)
    {
        protected override Task FollowUpAsync(string @namespace, DateTimeOffset next) => Task.CompletedTask;
    }

    private sealed class WalksOn(World world, Actor actor, ModelStorage storage, int steps)
        : Pass(world, actor, storage, steps)
    {
        protected override IReadOnlyList<Change> Move(WalkPlace moved, DueNote note) => [moved.ToChange()];
    }
}
