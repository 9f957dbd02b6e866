namespace ImagesFunctions.Exploration.Histories;

/// <summary>
/// Whether a history has an explanation: one order of all operations in which each takes effect at one moment between its start and
/// its end, each tag that was read is as the operations before have left it, and each list shows all tags as they are at one moment.
/// </summary>
public static class HistoryCheck
{
    /// <summary>Checks a history: each tag alone first, which says more where it is one that has no explanation; then all of it.</summary>
    /// <returns>What has no explanation; null where all has.</returns>
    public static string? Run(IReadOnlyCollection<Operation> history)
    {
        var known = Observed(history);
        foreach (var tag in known.Select(o => o.Tag).OfType<string>().Distinct(StringComparer.Ordinal))
        {
            var alone = known.Where(o => o.Tag == tag || o.Op == OperationKind.DeleteImage);
            if (new Explanation([tag]).Find([.. alone]) is { } unexplained)
            {
                return $"the tag {tag} has no order of its operations: {unexplained}";
            }
        }

        var tags = known.Select(o => o.Tag).OfType<string>();
        var listed = known.SelectMany(o => o.Tags?.Keys ?? []);
        return new Explanation([.. tags.Concat(listed).Distinct(StringComparer.Ordinal)]).Find(known) is { } torn
            ? $"the tags together have no order of their operations: {torn}"
            : null;
    }

    // Without what says nothing: what was refused, reads without an answer, and pushes without one whose digest nobody has seen. If
    // such a push took effect, it was overwritten before anybody looked.
    private static List<Operation> Observed(IReadOnlyCollection<Operation> history)
    {
        var seen = history
            .Where(o => o is { Op: OperationKind.Get or OperationKind.List, Outcome: OperationOutcome.Ok })
            .SelectMany(o => o.Tags is { } tags ? tags.Values : [o.Value!])
            .OfType<string>()
            .ToHashSet(StringComparer.Ordinal);
        return
        [
            .. history.Where(o =>
                o.Outcome == OperationOutcome.Ok
                || (
                    o.Outcome == OperationOutcome.Unknown
                    && o.Op switch
                    {
                        OperationKind.Put => seen.Contains(o.Value!),
                        OperationKind.Delete or OperationKind.DeleteImage => true,
                        _ => false,
                    }
                )
            ),
        ];
    }
}
