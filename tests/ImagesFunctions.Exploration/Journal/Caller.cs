using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Exploration.Journal;

/// <summary>What a caller was told about its decision.</summary>
public enum Told
{
    /// <summary>Nothing yet, or an error: it may or may not be committed.</summary>
    Nothing,

    /// <summary>It is committed.</summary>
    Committed,

    /// <summary>It is not committed, and never will be.</summary>
    NotCommitted,
}

/// <summary>A caller of a process: it makes decisions one after the other, each of which records what it has read.</summary>
/// <param name="world">The world.</param>
/// <param name="storage">The table.</param>
/// <param name="journal">The process's journal.</param>
/// <param name="plans">The decisions.</param>
public sealed class Caller(World world, ModelStorage storage, PartitionJournal journal, IReadOnlyList<CallPlan> plans)
{
    private static readonly KeyRange s_scanned = new("a", "c");

    private readonly Dictionary<string, Told> _answers = new(StringComparer.Ordinal);

    /// <summary>The decisions.</summary>
    public IReadOnlyList<CallPlan> Plans => plans;

    /// <summary>What was told about each, by its name.</summary>
    public IReadOnlyDictionary<string, Told> Answers => _answers;

    /// <summary>Makes the decisions.</summary>
    public async Task RunAsync()
    {
        foreach (var plan in plans)
        {
            _answers[plan.Id] = Told.Nothing;
            try
            {
                await CallAsync(plan);
            }
            catch (Exception error) when (error is StorageUnavailableException or IOException)
            {
                // The schedule has lost an answer, or hours have passed: else nothing is given up.
                if (world.Faults == 0)
                {
                    world.Fail($"{plan.Id} was given up: {error.Message}");
                }
            }
            catch (InvalidOperationException) when (plan.Kind == CallKind.IsInvalid)
            {
                _answers[plan.Id] = Told.NotCommitted;
            }
        }
    }

    private async Task CallAsync(CallPlan plan)
    {
        var before = storage.Truth.Seq;
        if (plan.Kind == CallKind.Reads)
        {
            var read = await journal.CommitAsync(
                async (view, stop) => Decision.Nothing(await SeenAsync(plan, view, stop)),
                CancellationToken.None
            );
            DemandFresh(plan, read, before);
            return;
        }

        var isDone = true;
        if (plan.Kind == CallKind.TriesOnce)
        {
            (isDone, _) = await journal.TryCommitAsync(1, (v, s) => DecideAsync(plan, v, s), CancellationToken.None);
        }
        else
        {
            await journal.CommitAsync((view, stop) => DecideAsync(plan, view, stop), CancellationToken.None);
        }

        _answers[plan.Id] = isDone ? Told.Committed : Told.NotCommitted;
        if (isDone && storage.Find(plan.Record) is null)
        {
            world.Fail($"{plan.Id} was acknowledged, and is not in the table");
        }
    }

    private static async Task<Decision<bool>> DecideAsync(CallPlan plan, DecisionView view, CancellationToken stop)
    {
        var changes = new List<Change>();
        var record = new TableRow(plan.Record) { ["seen"] = await SeenAsync(plan, view, stop) };
        if (plan.Watches)
        {
            view.AddReadKey(CallPlan.Announced);
            record["watched"] = view.Seq;
        }

        if (plan.Announces)
        {
            view.AddWrittenKey(CallPlan.Announced);
            record["announces"] = true;
        }

        changes.Add(new Change(record.Key, record));
        changes.AddRange(plan.Writes.Select(key => new Change(key, new TableRow(key) { ["by"] = plan.Id })));
        foreach (var key in plan.Removes.Except(plan.Writes, StringComparer.Ordinal))
        {
            // A row that is not there cannot be removed.
            if (await view.GetAsync(key, stop) is not null)
            {
                changes.Add(new Change(key, null));
            }
        }

        if (plan.Marks && await view.GetAsync(CallPlan.Outside, stop) is { } outside)
        {
            var marked = new TableRow(CallPlan.Outside)
            {
                ["renewals"] = outside.GetInt64("renewals") ?? 0,
                ["marks"] = (outside.GetInt64("marks") ?? 0) + 1,
            };
            changes.Add(new Change(marked.Key, marked, outside.Version));
        }

        if (plan.Kind == CallKind.IsInvalid)
        {
            changes.Add(new Change("a/b", new TableRow("a/b")));
        }

        return Decision.Of(true, changes);
    }

    // Each row by who has written it, such as "a=p0.0.1 c=-"; and what a scan finds, in parentheses.
    private static async Task<string> SeenAsync(CallPlan plan, DecisionView view, CancellationToken stop)
    {
        var seen = new List<string>();
        foreach (var key in plan.Reads)
        {
            seen.Add($"{key}={(await view.GetAsync(key, stop))?.GetString("by") ?? "-"}");
        }

        if (plan.Scans)
        {
            var rows = await view.RangeAsync(s_scanned, stop);
            seen.Add($"({string.Join(';', rows.Select(r => $"{r.Key}={r.GetString("by")}"))})");
        }

        return string.Join(' ', seen);
    }

    /// <summary>What a decision would have read of these rows, as it records it.</summary>
    public static string Expected(string seen, IReadOnlyDictionary<string, TableRow> rows) =>
        string.Join(
            ' ',
            seen.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(part => part[0] == '(' ? Scanned(rows) : $"{part[..1]}={By(rows, part[..1])}")
        );

    private static string Scanned(IReadOnlyDictionary<string, TableRow> rows) =>
        $"({string.Join(';', rows.Where(r => s_scanned.Contains(r.Key)).Select(r => $"{r.Key}={r.Value.GetString("by")}"))})";

    private static string By(IReadOnlyDictionary<string, TableRow> rows, string key) =>
        rows.TryGetValue(key, out var row) ? row.GetString("by")! : "-";

    // What changes nothing is answered from rows that were read after the call, each at a moment of its own.
    private void DemandFresh(CallPlan plan, string read, int before)
    {
        foreach (var part in read.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var moments = Enumerable.Range(before, storage.Truth.Seq - before + 1);
            if (!moments.Any(seq => Expected(part, storage.Truth.After(seq)) == part))
            {
                world.Fail($"{plan.Id} has read {part}, which was never so after commit {before}");
            }
        }
    }
}
