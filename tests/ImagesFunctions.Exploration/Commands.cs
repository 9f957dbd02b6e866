using System.Globalization;
using ImagesFunctions.Exploration.Catalog;
using ImagesFunctions.Exploration.Histories;
using ImagesFunctions.Exploration.Journal;
using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Planted;
using ImagesFunctions.Exploration.Scheduling;

namespace ImagesFunctions.Exploration;

/// <summary>The commands of the program.</summary>
public static class Commands
{
    private const string Usage = """
        explore [minutes] [seed] [name]  runs schedules of all scenarios, or of one, from a seed on; 2 minutes unless told otherwise
        faults [minutes] [word]          plants faults, and says after how many schedules each is found; at most so long each
        check <file>                     says whether a history has an explanation; one operation a line, as docs/testing.md says
        replay <scenario> <seed> <trace> runs one schedule again and says what happens in it
        """;

    /// <summary>Runs a command.</summary>
    /// <param name="args">Its name and arguments.</param>
    /// <param name="output">Where it says what it does.</param>
    /// <returns>The exit code: 0 where nothing is wrong, 1 where something is, 2 where the command is not understood.</returns>
    public static int Run(string[] args, TextWriter output) =>
        args switch
        {
            ["explore", .. var rest] => Explore(rest, output),
            ["check", var file] => Check(file, output),
            ["faults", .. var rest] => Faults(rest, output),
            ["replay", var scenario, var seed, var trace] => Replay(scenario, seed, trace, output),
            _ => Misunderstood(output),
        };

    private static int Misunderstood(TextWriter output)
    {
        output.WriteLine(Usage);
        return 2;
    }

    private static int Explore(string[] args, TextWriter output)
    {
        var minutes = args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 2;
        var seed = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 1;
        var scenarios = Scenarios.All.Where(s => args.Length < 3 || s.Key == args[2]).ToList();
        var wrong = 0;
        foreach (var (name, explorer) in scenarios)
        {
            var before = Environment.CpuUsage.TotalTime;
            var found = explorer.Run(seed, TimeSpan.FromMinutes(minutes / scenarios.Count));
            var took = (Environment.CpuUsage.TotalTime - before).TotalSeconds;
            output.WriteLine(
                $"{name}: {found.Schedules} schedules, {found.Choices} choices, {took:0} s of processor time"
            );
            if (found.Failed is { } failed)
            {
                wrong = 1;
                output.WriteLine($"  {failed.Message}");
                output.WriteLine($"  again: tests/explore replay {name} {Explorer.Text(failed)}");
            }
        }

        return wrong;
    }

    private static int Check(string file, TextWriter output)
    {
        try
        {
            Operation[] history =
            [
                .. File.ReadLines(file).Where(line => !string.IsNullOrWhiteSpace(line)).Select(Operation.Parse),
            ];
            var unexplained = HistoryCheck.Run(history);
            output.WriteLine(unexplained ?? $"{history.Length} operations have an order");
            return unexplained is null ? 0 : 1;
        }
        catch (Exception error) when (error is FormatException or IOException)
        {
            output.WriteLine(error.Message);
            return 2;
        }
    }

    private static int Faults(string[] args, TextWriter output)
    {
        var minutes = args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 2;
        var word = args.Length > 1 ? args[1] : "";
        var time = TimeSpan.FromMinutes(minutes);
        var missed = 0;
        foreach (var (name, explore) in Hunt.All.Where(f => f.Name.Contains(word, StringComparison.Ordinal)))
        {
            var found = explore(time);
            missed += found.StartsWith(Hunt.NotFound, StringComparison.Ordinal) ? 1 : 0;
            output.WriteLine($"{name}: {found}");
        }

        output.WriteLine(missed == 0 ? "all were found" : $"{missed} were not found");
        return missed == 0 ? 0 : 1;
    }

    private static int Replay(string name, string seed, string trace, TextWriter output)
    {
        if (!Scenarios.All.TryGetValue(name, out var explorer))
        {
            output.WriteLine($"no scenario {name}: {string.Join(' ', Scenarios.All.Keys)}");
            return 2;
        }

        var world = explorer.Replay(int.Parse(seed, CultureInfo.InvariantCulture), trace == "-" ? "" : trace);
        foreach (var line in world.Said)
        {
            output.WriteLine(line);
        }

        output.WriteLine(world.Failure ?? "nothing is wrong");
        return world.Failure is null ? 0 : 1;
    }
}
