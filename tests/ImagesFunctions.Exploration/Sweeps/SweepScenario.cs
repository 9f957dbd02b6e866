using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.GarbageCollection;
using ImagesFunctions.Journal;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Sweeps;

/// <summary>Makes the processes of a <see cref="SweepScenario"/>: how tests plant faults into their steps.</summary>
internal record Sweepers
{
    /// <summary>Writes.</summary>
    public virtual Writer Write(World world, Actor actor, ModelStorage storage, string @namespace) =>
        new(world, actor, storage, @namespace);

    /// <summary>Sweeps.</summary>
    public virtual Pass Pass(World world, Actor actor, ModelStorage storage, int steps) =>
        new(world, actor, storage, steps);
}

/// <summary>
/// Processes write to two namespaces what is to be collected, and others make passes over what notes say and over all namespaces, at
/// the same time, while hours go by. Whatever is there has a note that is due, or will be; what was written without one, as by
/// somebody outside, or long after it, is found by the walk.
/// </summary>
/// <param name="seed">What they do follows from it.</param>
/// <param name="sweepers">Makes them.</param>
internal sealed class SweepScenario(int seed, Sweepers sweepers) : IScenario
{
    private readonly Dictionary<string, TimeSpan> _announced = new(StringComparer.Ordinal);
    private readonly Dictionary<string, VersionTag?> _urged = new(StringComparer.Ordinal);
    private ModelStorage? _storage;
    private int _rows;

    /// <inheritdoc/>
    public void Start(World world)
    {
        var random = new Random(seed);
        var storage = _storage = new ModelStorage(world);
        if (random.Next(2) == 0)
        {
            // Of a version that leaves no notes.
            var key = NoteTable.RowOf(random.Next(2) == 0 ? "a" : "b", _rows++, isUrgent: false);
            storage.Write([new Change(key, new TableRow(key))]);
            world.Pass(TimeSpan.FromMinutes(1));
        }

        storage.Heard = call =>
        {
            if (call.Result.IsDone && call.Changes.Count > 0)
            {
                DemandNoted(world);
            }
        };
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            AddWriter(world, random, $"writer{i}");
        }

        for (var i = random.Next(1, 4); i > 0; i--)
        {
            AddPass(world, random, $"pass{i}");
        }
    }

    /// <inheritdoc/>
    public void Check(World world) => DemandNoted(world);

    private void AddWriter(World world, Random random, string name)
    {
        var actor = world.AddActor(name);
        var writer = sweepers.Write(world, actor, _storage!, random.Next(2) == 0 ? "a" : "b");
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var (number, isUrgent) = (_rows++, random.Next(3) == 0);
            Task WriteAsync() => writer.WriteAsync(number, isUrgent, key => _announced[key] = world.Now, Urge);
            if (i == 1)
            {
                actor.Start(WriteAsync);
            }
            else
            {
                var time = TimeSpan.FromMinutes(random.Next(1, 90));
                world.AddLater(actor, time, WriteAsync);
            }
        }

        if (random.Next(3) == 0)
        {
            world.AddKill(actor);
        }
    }

    private void AddPass(World world, Random random, string name)
    {
        var actor = world.AddActor(name);
        var pass = sweepers.Pass(world, actor, _storage!, random.Next(4));
        var time = TimeSpan.FromMinutes(random.Next(60, 240));
        world.AddLater(actor, time, pass.RunAsync);
        if (random.Next(3) == 0)
        {
            world.AddKill(actor);
        }
    }

    private void DemandNoted(World world)
    {
        var notes = _storage!.Rows.Where(row => row.Key.StartsWith("d!", StringComparison.Ordinal)).ToList();
        var walk = notes.Find(row => row.Key == Keys.WalkPlace) is { } place ? WalkPlace.From(place) : null;
        foreach (var row in _storage.Rows.Where(row => row.Key.StartsWith("x!", StringComparison.Ordinal)))
        {
            var at = row.Timestamp!.Value - DateTimeOffset.UnixEpoch;
            // At the end of the hour that has begun, or three hours after it came.
            var soon = world.Now + TimeSpan.FromHours(1);
            var late = _urged.GetValueOrDefault(row.Key) == row.Version ? soon : at + TimeSpan.FromHours(3);
            var due = DateTimeOffset.UnixEpoch + (late > soon ? late : soon);
            var range = Keys.DueAt(due);
            var isNoted = notes.Exists(note =>
                note.Key != Keys.WalkPlace
                && range.Contains(note.Key)
                && DueNote.From(note).Namespace == NoteTable.NamespaceOf(row.Key)
            );
            if (isNoted)
            {
                continue;
            }

            if (IsAnnounced(row.Key, at))
            {
                world.Fail($"{row.Key} was written behind a note, and none says that it is to be collected");
            }
            else if (walk?.Ended is not null && row.Timestamp < walk.Begun)
            {
                world.Fail(
                    $"{row.Key} was there before a walk that has ended, and none says that it is to be collected"
                );
            }
        }
    }

    // A request that takes effect twice may bring it back after the sweep for which it was noted.
    private void Urge(string key) => _urged[key] = _storage!.Find(key)?.Version;

    // A process that stands still for an hour between the two leaves it to the walk.
    private bool IsAnnounced(string key, TimeSpan at) =>
        _announced.TryGetValue(key, out var announced) && at - announced <= Writer.Holds;
}
