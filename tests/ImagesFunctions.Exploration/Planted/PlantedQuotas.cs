using ImagesFunctions.Exploration.Catalog;
using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Quotas;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Planted;

/// <summary>Faults in how what an account takes is counted and limited.</summary>
internal static class PlantedQuotas
{
    /// <summary>All of them, by their names.</summary>
    public static IReadOnlyDictionary<string, QuotaProcesses> All { get; } =
        new Dictionary<string, QuotaProcesses>(StringComparer.Ordinal)
        {
            ["counts what is added to an account, and not what goes"] = new() { Quota = new OnlyAdds() },
            ["lets through what does not fit"] = new() { Quota = new LetsThrough() },
            ["counts an account by rows that have changed since"] = new CountsWhatWas(),
        };

    private sealed record OnlyAdds : Quota
    {
        public override async Task<Decision<T>> CountedAsync<T>(
            DecisionView view,
            Decision<T> decision,
            CancellationToken cancellationToken
        ) =>
            decision.Changes.Any(c => Keys.All('b').Contains(c.Key) && UsedRow.Of(c.Row) == default)
                ? decision
                : await base.CountedAsync(view, decision, cancellationToken);
    }

    private sealed record LetsThrough : Quota
    {
        public override Task<Decision<T>> CountedAsync<T>(
            DecisionView view,
            Decision<T> decision,
            CancellationToken cancellationToken
        ) => view.CountedAsync(decision, isEnforced: false, cancellationToken);
    }

    private sealed record CountsWhatWas : QuotaProcesses
    {
        public override Counter Count(World world, Actor actor, ModelStorage storage, ModelBlobs blobs) =>
            new Process(world, actor, storage, blobs);

        private sealed class Process(World world, Actor actor, ModelStorage storage, ModelBlobs blobs)
            : Counter(world, actor, storage, blobs)
        {
            protected override async Task<IReadOnlyList<JournalEntry>> EntriesAsync(long first, long last) =>
                [.. (await base.EntriesAsync(first, last)).Select(entry => entry with { Keys = [] })];
        }
    }
}
