using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Exploration.Catalog;

/// <summary>Commits as <c>RowStore</c> does: with what a decision changes of the row <c>q</c>, where there may be a quota.</summary>
/// <param name="journal">The journal.</param>
/// <param name="counted">Adds that to a decision; null: there is no quota.</param>
internal sealed class CountedJournal(PartitionJournal journal, Quota? counted)
{
    /// <summary>See <see cref="PartitionJournal.CommitAsync"/>.</summary>
    public Task<T> CommitAsync<T>(
        Func<DecisionView, CancellationToken, Task<Decision<T>>> decide,
        CancellationToken cancellationToken
    ) => journal.CommitAsync(Counted(decide), cancellationToken);

    /// <summary>See <see cref="PartitionJournal.TryCommitAsync"/>.</summary>
    public Task<(bool IsDone, T? Result)> TryCommitAsync<T>(
        int maxTries,
        Func<DecisionView, CancellationToken, Task<Decision<T>>> decide,
        CancellationToken cancellationToken
    ) => journal.TryCommitAsync(maxTries, Counted(decide), cancellationToken);

    private Func<DecisionView, CancellationToken, Task<Decision<T>>> Counted<T>(
        Func<DecisionView, CancellationToken, Task<Decision<T>>> decide
    ) =>
        counted is null
            ? decide
            : async (view, stop) => await counted.CountedAsync(view, await decide(view, stop), stop);
}
