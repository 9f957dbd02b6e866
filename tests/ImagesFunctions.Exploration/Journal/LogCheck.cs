using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Exploration.Journal;

/// <summary>What must hold of a partition after a schedule. That numbers have no gaps is seen while it runs: see <see cref="Truth"/>.</summary>
/// <param name="world">Is told what does not hold.</param>
/// <param name="storage">The table.</param>
public sealed class LogCheck(World world, ModelStorage storage)
{
    private readonly Truth _truth = storage.Truth;

    /// <summary>Checks it.</summary>
    /// <param name="callers">Who has decided.</param>
    /// <param name="renewer">Who has written outside the order, or null.</param>
    public void Run(IReadOnlyList<Caller> callers, Renewer? renewer)
    {
        DemandOnce(callers);
        foreach (var commit in _truth.Commits)
        {
            DemandSerial(commit);
        }

        DemandLog();
        DemandRows();
        DemandOutside(renewer);
    }

    // What was acknowledged is committed once; what was not, at most once; what was sent back for good, never.
    private void DemandOnce(IReadOnlyList<Caller> callers)
    {
        var counts = _truth
            .Commits.SelectMany(c => c.Changes)
            .Where(c => c.Key.StartsWith("r!", StringComparison.Ordinal))
            .CountBy(c => c.Key[2..])
            .ToDictionary(StringComparer.Ordinal);
        foreach (var (id, told) in callers.SelectMany(c => c.Answers))
        {
            var count = counts.GetValueOrDefault(id);
            var isRight = told switch
            {
                Told.Committed => count == 1,
                Told.NotCommitted => count == 0,
                _ => count <= 1,
            };
            if (!isRight && !callers.Any(c => c.Plans.Any(p => p.Id == id && p.Kind == CallKind.Reads)))
            {
                world.Fail($"{id} was told {told}, and is committed {count} times");
            }
        }
    }

    // The decisions of a commit count as made one after the other, each on what the one before has left.
    private void DemandSerial(SeenCommit commit)
    {
        var rows = new SortedDictionary<string, TableRow>(_truth.After(commit.Seq - 1), StringComparer.Ordinal);
        var announced = false;
        foreach (var change in commit.Changes.Where(c => !Truth.IsOfJournal(c.Key)))
        {
            if (change.Key.StartsWith("r!", StringComparison.Ordinal))
            {
                DemandRead(commit, change.Row!, rows);
                DemandWatched(commit, change.Row!, announced);
                announced |= change.Row!.GetBoolean("announces") == true;
            }

            if (change.Row is { } row)
            {
                rows[change.Key] = row;
            }
            else
            {
                rows.Remove(change.Key);
            }
        }
    }

    private void DemandRead(SeenCommit commit, TableRow record, SortedDictionary<string, TableRow> rows)
    {
        var seen = record.Text("seen");
        var expected = Caller.Expected(seen, rows);
        if (seen != expected)
        {
            world.Fail($"commit {commit.Seq}: {record.Key} has read [{seen}], and it was [{expected}]");
        }
    }

    private void DemandWatched(SeenCommit commit, TableRow record, bool announced)
    {
        if (record.GetInt64("watched") is not { } watched)
        {
            return;
        }

        var between = _truth.Commits.Skip((int)watched).Take((int)(commit.Seq - 1 - watched));
        if (announced || between.Any(c => c.Changes.Any(change => change.Row?.GetBoolean("announces") == true)))
        {
            world.Fail($"commit {commit.Seq}: {record.Key} did not see what was announced since {watched}");
        }
    }

    // It says what was committed, without a gap up to the version, and for an hour.
    private void DemandLog()
    {
        var entries = storage.Rows.Where(row => JournalKeys.Entries.Contains(row.Key)).ToList();
        var first = _truth.Seq - entries.Count + 1;
        for (var i = 0; i < entries.Count; i++)
        {
            var seq = first + i;
            if (entries[i].Key != JournalKeys.Entry(seq))
            {
                world.Fail($"the log has {entries[i].Key} where {JournalKeys.Entry(seq)} should be");
                return;
            }

            var (entry, commit) = (JournalEntry.From(seq, entries[i]), _truth.Commits[seq - 1]);
            if (entry.Operation != commit.Entry.Operation)
            {
                world.Fail($"entry {seq} is of another commit");
            }

            var written = commit.Changes.Select(c => c.Key).Where(key => !Truth.IsOfJournal(key));
            if (written.Except(entry.Keys, StringComparer.Ordinal).Any())
            {
                world.Fail($"entry {seq} does not say all that it has written");
            }
        }

        foreach (var commit in _truth.Commits.Take(first - 1))
        {
            if (world.Now - commit.At < Trimmer.Kept)
            {
                world.Fail($"entry {commit.Seq} was trimmed after {world.Now - commit.At}");
            }
        }
    }

    private void DemandRows()
    {
        var seq = storage.Find(JournalKeys.Version)?.GetInt64("seq") ?? 0;
        if (seq != _truth.Seq)
        {
            world.Fail($"the version is {seq} after {_truth.Seq} commits");
        }

        var stored = Text(storage.Rows.Where(row => !Truth.IsOfJournal(row.Key)));
        var replayed = Text(_truth.After(_truth.Seq).Values);
        if (stored != replayed)
        {
            world.Fail($"the rows are [{stored}], and the log makes [{replayed}]");
        }
    }

    private static string Text(IEnumerable<TableRow> rows) =>
        string.Join(
            ' ',
            rows.Where(row => row.Key != CallPlan.Outside)
                .Select(row => $"{row.Key}={row.GetString("by")}{row.GetString("seen")}")
        );

    // Neither of the two that write the row has written over what the other wrote.
    private void DemandOutside(Renewer? renewer)
    {
        var row = storage.Find(CallPlan.Outside);
        var (renewals, marks) = (row?.GetInt64("renewals") ?? 0, row?.GetInt64("marks") ?? 0);
        var marked = _truth.Commits.Count(c => c.Changes.Any(change => change.Key == CallPlan.Outside));
        if (marks != marked)
        {
            world.Fail($"the row outside the order was marked {marked} times, and says {marks}");
        }

        var (least, most) = (renewer?.Renewed ?? 0, (renewer?.Renewed ?? 0) + (renewer?.Unclear ?? 0));
        if (renewals < least || renewals > most)
        {
            world.Fail($"the row outside the order says {renewals} renewals, and had {least} to {most}");
        }
    }
}
