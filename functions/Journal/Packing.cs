namespace ImagesFunctions.Journal;

/// <summary>A decision that waits to be committed.</summary>
internal sealed class PendingDecision(DecisionView view, IReadOnlyList<Change> changes, string? by = null)
{
    /// <summary>Its reads.</summary>
    public DecisionView View => view;

    /// <summary>Its changes.</summary>
    public IReadOnlyList<Change> Changes => changes;

    /// <summary>Who has it made; null where nobody is known.</summary>
    public string? By => by;

    /// <summary>True when it is committed, false when it is stale.</summary>
    public TaskCompletionSource<bool> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether it is committed in a transaction without others.</summary>
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
    /// Packs the first decision and those of the others that fit. The decisions of a pack count as made one after the other, so
    /// none may have read or written what an earlier one writes.
    /// </summary>
    /// <param name="open">The waiting decisions in the order of their arrival; at least one.</param>
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
