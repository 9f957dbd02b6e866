namespace ImagesFunctions.Exploration.Planted;

/// <summary>A fault that is planted into a copy of the sources of the commit engine, and that an exploration has to find.</summary>
/// <param name="Name">Its name.</param>
/// <param name="File">The source, in <c>functions/Journal</c>.</param>
/// <param name="Right">What stands there, exactly once.</param>
/// <param name="Wrong">What stands there instead.</param>
public sealed record PlantedFault(string Name, string File, string Right, string Wrong)
{
    /// <summary>The scenario that finds it.</summary>
    public string Scenario { get; init; } = "journal";

    private const string Queue = "CommitQueue.cs";
    private const string Transaction = "CommitTransaction.cs";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<PlantedFault> All { get; } =
    [
        new(
            "takes a lost answer for a refusal",
            Transaction,
            "case WriteOutcome.Refused or WriteOutcome.Gone:",
            "case WriteOutcome.Refused or WriteOutcome.Gone or WriteOutcome.Unclear:"
        ),
        new(
            "takes a log that cannot be read for a refusal",
            Transaction,
            "when (send > 1 && error is not StorageUnavailableException)",
            "when (send > 100)"
        ),
        new(
            "takes the commit of another process for its own",
            Transaction,
            """return row.GetString("op") == entry.Operation;""",
            "return true;"
        ),
        new(
            "has a new operation id each time that it sends",
            Transaction,
            "            WriteResult result;\n",
            """
                        WriteResult result;
                        entry = entry with { Operation = Guid.NewGuid().ToString("N"), After = version.Tag };
                        all[1] = new Change(entryRow.Key, entry.ToRow()) { IsNew = !replaces };

            """
        ),
        new(
            "does not send the version of v",
            Transaction,
            "new Change(row.Key, row, version.Tag) { IsNew = version.Tag is null }",
            "new Change(row.Key, row)"
        ),
        new(
            "does not send the versions of rows",
            Transaction,
            ".. changes];",
            ".. changes.Select(c => c with { IfMatch = null })];"
        ),
        new("packs two that touch each other", "Packing.cs", "(fits && !pending.IsTouchedBy(written))", "fits"),
        new(
            "uses the version of v again after a refusal",
            Queue,
            "var now = await ReadVersionAsync();",
            "var now = await Task.FromResult(version);"
        ),
        new(
            "answers before the commit",
            Queue,
            "        JournalVersion? next;\n",
            "        pack.ForEach(p => p.Done.TrySetResult(true));\n        JournalVersion? next;\n"
        ),
        new(
            "forgets the ranges that a decision has read",
            "DecisionView.cs",
            "_keys.Contains(key) || _ranges.Keys.Any(r => r.Contains(key))",
            "_keys.Contains(key)"
        ),
        new("forgets what is only counted as written", Queue, "pack.SelectMany(p => p.View.WrittenKeys)", "[]"),
        new(
            "takes a commit that the log does not tell for one that changed nothing",
            "CommitHistory.cs",
            "!_keys.TryGetValue(seq, out var keys) || decision.IsTouchedBy(keys)",
            "_keys.TryGetValue(seq, out var keys) && decision.IsTouchedBy(keys)"
        ),
        new(
            "does not look at the first commit after a decision's reads",
            "CommitHistory.cs",
            "for (var seq = decision.View.Seq + 1; seq <= last; seq++)",
            "for (var seq = decision.View.Seq + 2; seq <= last; seq++)"
        ),
        new(
            "brings a list up to date from a log with gaps",
            "PartitionJournal.cs",
            "entries.Count <= last - first || ",
            ""
        ),
        new("keeps a row that a commit has changed", "KeptRows.cs", "kept.IsRead &= seq <= kept.ReadAt;", "")
        {
            Scenario = "rules",
        },
    ];
}
