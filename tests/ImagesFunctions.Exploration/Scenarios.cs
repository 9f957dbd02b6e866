using ImagesFunctions.Exploration.Catalog;
using ImagesFunctions.Exploration.Journal;
using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Quotas;
using ImagesFunctions.Exploration.Rules;
using ImagesFunctions.Exploration.Sessions;
using ImagesFunctions.Exploration.Sweeps;

namespace ImagesFunctions.Exploration;

/// <summary>What is explored.</summary>
public static class Scenarios
{
    /// <summary>The explorers by the names of their scenarios.</summary>
    public static IReadOnlyDictionary<string, Explorer> All { get; } =
        new Dictionary<string, Explorer>(StringComparer.Ordinal)
        {
            ["journal"] = new Explorer(seed => new JournalScenario(seed, world => new ModelStorage(world))),
            ["session"] = new Explorer(seed => new SessionScenario(seed, (w, a, s, p, n) => new(w, a, s, p, n))),
            ["catalog"] = new Explorer(seed => new CatalogScenario(seed, new Processes())),
            ["rules"] = new Explorer(seed => new RulesScenario(seed, (w, a, s, b) => new(w, a, s, b))),
            ["quota"] = new Explorer(seed => new QuotaScenario(seed, new QuotaProcesses())),
            ["sweep"] = new Explorer(seed => new SweepScenario(seed, new Sweepers())),
        };
}
