using ImagesFunctions.Exploration.Catalog;
using ImagesFunctions.Exploration.Journal;
using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Quotas;
using ImagesFunctions.Exploration.Rules;
using ImagesFunctions.Exploration.Sessions;
using ImagesFunctions.Exploration.Sweeps;

namespace ImagesFunctions.Exploration.Planted;

/// <summary>Explores what has a fault.</summary>
public static class Hunt
{
    /// <summary>What it says where nothing was wrong.</summary>
    public const string NotFound = "NOT FOUND";

    /// <summary>The planted faults, each with how to look for it for so long, and to say after how many schedules it was found.</summary>
    public static IReadOnlyList<(string Name, Func<TimeSpan, string> Explore)> All { get; } =
    [
        .. PlantedFault.All.Select(fault =>
            (fault.Name, (Func<TimeSpan, string>)(time => FaultyJournal.Explore(fault, fault.Scenario, time)))
        ),
        ("trims the log too early", time => Text(new Explorer(TrimmedEarly).Run(1, time))),
        (
            "moves a push session without its version",
            time => Text(new Explorer(seed => new SessionScenario(seed, PlantedSteps.Unconditional)).Run(1, time))
        ),
        (
            "knows its part of a push session only where that comes last",
            time => Text(new Explorer(seed => new SessionScenario(seed, PlantedSteps.Forgetful)).Run(1, time))
        ),
        .. PlantedSteps.All.Select(step =>
            (
                step.Key,
                (Func<TimeSpan, string>)(
                    time => Text(new Explorer(seed => new CatalogScenario(seed, step.Value)).Run(1, time))
                )
            )
        ),
        .. PlantedQuotas.All.Select(step =>
            (
                step.Key,
                (Func<TimeSpan, string>)(
                    time => Text(new Explorer(seed => new QuotaScenario(seed, step.Value)).Run(1, time))
                )
            )
        ),
        .. PlantedSweeps.All.Select(step =>
            (
                step.Key,
                (Func<TimeSpan, string>)(
                    time => Text(new Explorer(seed => new SweepScenario(seed, step.Value)).Run(1, time))
                )
            )
        ),
        (
            "retires by rows that its decision does not record",
            time => Text(new Explorer(seed => new RulesScenario(seed, PlantedSteps.RetiresUnrecorded)).Run(1, time))
        ),
    ];

    /// <summary>Explores a scenario: what is called across the border between two copies of this program.</summary>
    public static string Run(string scenario, TimeSpan time) => Text(Scenarios.All[scenario].Run(1, time));

    private static JournalScenario TrimmedEarly(int seed) =>
        new(seed, world => new ModelStorage(world)) { Keeps = TimeSpan.Zero };

    private static string Text(Explored found) =>
        found.Failed is { } failed
            ? $"{found.Schedules} schedules: {failed.Message.Split('\n')[0]} ({Explorer.Text(failed)})"
            : $"{NotFound} in {found.Schedules} schedules";
}
