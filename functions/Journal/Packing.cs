namespace ImagesFunctions.Journal;

/// <summary>A decision that waits to be committed.</summary>
internal sealed class PendingDecision(DecisionView view, IReadOnlyList<Change> changes)
{
    /// <summary>What it read.</summary>
    public DecisionView View => view;

    /// <summary>What it writes.</summary>
    public IReadOnlyList<Change> Changes => changes;

    /// <summary>True: committed. False: stale, to be made again.</summary>
    public TaskCompletionSource<bool> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether it shares its transaction with no other.</summary>
    public bool GoesAlone { get; set; }

    /// <summary>Whether a commit of these keys changes what it read or writes.</summary>
    public bool IsTouchedBy(IReadOnlySet<string> keys) =>
        View.IsTouchedBy(keys) || Changes.Any(c => keys.Contains(c.Key));
}

/// <summary>Chooses the decisions that one transaction commits together.</summary>
internal static class Packing
{
    private const int MaxCharacters = 400_000;

    /// <summary>
    /// Packs the first decision and what fits behind it. The decisions of a pack count as made one after the other, so none may
    /// have read or written what an earlier one writes.
    /// </summary>
    /// <param name="open">The decisions that wait, in the order in which they came; at least one.</param>
    public static List<PendingDecision> Pack(IReadOnlyList<PendingDecision> open)
    {
        var pack = new List<PendingDecision>();
        var written = new HashSet<string>(StringComparer.Ordinal);
        var characters = 0;
        foreach (var pending in open)
        {
            var length = pending.Changes.Sum(c => c.Length) + pending.View.WrittenKeys.Sum(key => key.Length);
            var fits =
                !pending.GoesAlone
                && !pack.Exists(p => p.GoesAlone)
                && written.Count + pending.Changes.Count <= Change.MaxRows
                && characters + length <= MaxCharacters;
            if (pack.Count == 0 || (fits && !pending.IsTouchedBy(written)))
            {
                pack.Add(pending);
                written.UnionWith(pending.Changes.Select(c => c.Key));
                written.UnionWith(pending.View.WrittenKeys);
                characters += length;
            }
        }

        return pack;
    }
}
