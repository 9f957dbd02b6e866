using System.Diagnostics;
using System.Globalization;
using ImagesFunctions.Exploration.Scheduling;

namespace ImagesFunctions.Exploration;

/// <summary>A schedule after which something does not hold.</summary>
/// <param name="Seed">The seed of the scenario.</param>
/// <param name="Trace">The choices: see <see cref="Scheduling.Trace"/>.</param>
/// <param name="Message">What does not hold.</param>
public sealed record FailedSchedule(int Seed, string Trace, string Message);

/// <summary>What an exploration has found.</summary>
/// <param name="Schedules">How many schedules were run.</param>
/// <param name="Choices">How many choices were made in them.</param>
/// <param name="Failed">The first that failed; null: none.</param>
public sealed record Explored(long Schedules, long Choices, FailedSchedule? Failed);

/// <summary>
/// Runs schedules of a scenario: in turn the next of a systematic search, which tries all schedules of one seed that differ from the
/// first one in one choice, then those of the next seed; and a random one.
/// </summary>
/// <param name="scenario">Makes the scenario of a seed.</param>
public sealed class Explorer(Func<int, IScenario> scenario)
{
    /// <summary>Explores.</summary>
    /// <param name="firstSeed">The first seed.</param>
    /// <param name="time">For how long.</param>
    /// <param name="maxSchedules">How many schedules at most.</param>
    public Explored Run(int firstSeed, TimeSpan time, long maxSchedules = long.MaxValue)
    {
        var began = Stopwatch.GetTimestamp();
        var (schedules, choices) = (0L, 0L);
        var (searched, random) = (firstSeed, firstSeed);
        var search = new BoundedSearch(bound: 1);
        while (schedules < maxSchedules && Stopwatch.GetElapsedTime(began) < time)
        {
            var isSearch = schedules % 2 == 0;
            TracedChooser? chooser = isSearch ? search.Next() : new RandomChooser(random++);
            if (chooser is null)
            {
                (search, searched) = (new BoundedSearch(bound: 1), searched + 1);
                chooser = search.Next()!;
            }

            var seed = isSearch ? searched : random - 1;
            var world = RunOnce(seed, chooser);
            schedules++;
            choices += world.Choices;
            if (world.Failure is not null)
            {
                return new Explored(schedules, choices, Shortest(seed, chooser.Trace));
            }
        }

        return new Explored(schedules, choices, null);
    }

    /// <summary>Runs one schedule once more, and writes down what happens.</summary>
    /// <exception cref="FormatException">It is not a trace.</exception>
    public World Replay(int seed, string trace) =>
        RunOnce(seed, new ReplayingChooser(Scheduling.Trace.Parse(trace)), isRecorded: true);

    /// <summary>A schedule as people write it: its seed and its trace.</summary>
    public static string Text(FailedSchedule failed) =>
        string.Create(CultureInfo.InvariantCulture, $"{failed.Seed} {(failed.Trace.Length > 0 ? failed.Trace : "-")}");

    private World RunOnce(int seed, TracedChooser chooser, bool isRecorded = false)
    {
        var world = new World(chooser) { IsRecorded = isRecorded };
        var run = scenario(seed);
        run.Start(world);
        world.Run();
        if (world.Failure is null)
        {
            run.Check(world);
        }

        return world;
    }

    // Leaves out what is not needed to fail, from the end on, until nothing can be left out.
    private FailedSchedule Shortest(int seed, Scheduling.Trace trace)
    {
        for (var isShorter = true; isShorter; )
        {
            isShorter = false;
            foreach (var number in trace.Chosen.Keys.Reverse().ToList())
            {
                var shorter = trace.Without(number);
                if (RunOnce(seed, new ReplayingChooser(shorter)).Failure is not null)
                {
                    (trace, isShorter) = (shorter, true);
                }
            }
        }

        var failure = RunOnce(seed, new ReplayingChooser(trace)).Failure;
        return new FailedSchedule(seed, trace.ToString(), failure ?? "it does not fail when it is run again");
    }
}
