using System.Globalization;
using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Exploration.Journal;

/// <summary>
/// One to three processes with a few callers each commit decisions to one partition; others list it, trim its log and write one of its
/// rows outside its order. Processes are killed, and hours pass in a moment.
/// </summary>
/// <param name="seed">What they do follows from it.</param>
/// <param name="storage">The table.</param>
public sealed class JournalScenario(int seed, Func<World, ModelStorage> storage) : IScenario
{
    private readonly List<Caller> _callers = [];
    private ModelStorage? _storage;
    private Renewer? _renewer;

    /// <summary>How long the trimmer keeps entries; shorter than <see cref="Trimmer.Kept"/> where that is the fault to be found.</summary>
    public TimeSpan Keeps { get; init; } = Trimmer.Kept;

    /// <inheritdoc/>
    public void Start(World world)
    {
        var random = new Random(seed);
        var table = _storage = storage(world);
        var processes = random.Next(1, 4);
        for (var p = 0; p < processes; p++)
        {
            var actor = world.AddActor(string.Create(CultureInfo.InvariantCulture, $"p{p}"));
            var mine = new ModelTable(world, actor, table);
            var journal = JournalOf(world, actor, mine);
            var callers = random.Next(1, 4);
            for (var c = 0; c < callers; c++)
            {
                AddCaller(world, actor, journal, $"{actor.Name}.{c}", random);
            }

            if (random.Next(3) == 0)
            {
                actor.Start(new Lister(world, table, mine, journal, random.Next(1, 3)).RunAsync);
            }

            if (random.Next(4) == 0)
            {
                world.AddKill(actor);
            }
        }

        AddOthers(world, table, random);
    }

    /// <inheritdoc/>
    public void Check(World world) => new LogCheck(world, _storage!).Run(_callers, _renewer);

    private static PartitionJournal JournalOf(World world, Actor actor, IJournalTable table) =>
        new(
            table,
            ModelStorage.Partition,
            key => key != CallPlan.Outside,
            new WorldTime(world, actor),
            new LongestWait()
        );

    private void AddCaller(World world, Actor actor, PartitionJournal journal, string name, Random random)
    {
        var count = random.Next(1, 4);
        var plans = Enumerable.Range(0, count).Select(i => CallPlan.Any($"{name}.{i}", random)).ToList();
        var caller = new Caller(world, _storage!, journal, plans);
        _callers.Add(caller);
        actor.Start(caller.RunAsync);
    }

    private void AddOthers(World world, ModelStorage table, Random random)
    {
        if (random.Next(2) == 0)
        {
            var actor = world.AddActor("lister");
            var mine = new ModelTable(world, actor, table);
            var lister = new Lister(world, table, mine, JournalOf(world, actor, mine), random.Next(1, 4));
            actor.Start(lister.RunAsync);
        }

        if (random.Next(2) == 0)
        {
            var actor = world.AddActor("renewer");
            _renewer = new Renewer(new ModelTable(world, actor, table), random.Next(1, 4));
            actor.Start(_renewer.RunAsync);
        }

        for (var i = random.Next(3); i > 0; i--)
        {
            var sweep = world.AddActor("sweep");
            var trimmer = new Trimmer(world, new ModelTable(world, sweep, table), Keeps);
            world.Add(
                sweep,
                StepKind.Disturbance,
                "two hours pass, and a sweep begins",
                () =>
                {
                    world.Pass(TimeSpan.FromHours(2));
                    sweep.Start(trimmer.RunAsync);
                }
            );
        }
    }
}
