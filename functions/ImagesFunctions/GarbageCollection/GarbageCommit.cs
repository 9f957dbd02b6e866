using ImagesFunctions.Journal;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Commits the sweeper's decisions, unless nothing may be changed.</summary>
internal sealed class GarbageCommit(RowStore rowStore, bool dryRun)
{
    private const int MaxTries = 10;

    /// <summary>Whether nothing may be changed.</summary>
    public bool IsDryRun => dryRun;

    /// <summary>Decides about each of these rows that is there, and commits what that changes.</summary>
    /// <returns>How many rows it changes, or <see cref="Garbage.Busy"/>.</returns>
    public Task<int> RunEachAsync(
        string @namespace,
        IReadOnlyList<string> keys,
        Func<DecisionView, TableRow, CancellationToken, Task<IReadOnlyList<Change>>> decide,
        CancellationToken cancellationToken
    ) =>
        RunAsync(
            @namespace,
            async (view, stop) =>
            {
                var changes = new List<Change>();
                foreach (var row in await view.GetAllAsync(keys, stop))
                {
                    changes.AddRange(await decide(view, row, stop));
                }

                return changes;
            },
            cancellationToken
        );

    /// <summary>Makes a decision and commits it.</summary>
    /// <returns>How many rows it changes, or <see cref="Garbage.Busy"/>.</returns>
    public async Task<int> RunAsync(
        string @namespace,
        Func<DecisionView, CancellationToken, Task<List<Change>>> decide,
        CancellationToken cancellationToken
    )
    {
        var changed = await RunAsync<List<Change>>(
            @namespace,
            async (view, stop) =>
            {
                var changes = await decide(view, stop);
                return (changes, changes);
            },
            cancellationToken
        );
        return changed?.Count ?? Garbage.Busy;
    }

    /// <summary>As the other overload, of a decision with a result of its own.</summary>
    /// <returns>Its result; null: others changed what it read as often as it was made.</returns>
    public async Task<T?> RunAsync<T>(
        string @namespace,
        Func<DecisionView, CancellationToken, Task<(T Result, List<Change> Changes)>> decide,
        CancellationToken cancellationToken
    )
        where T : class
    {
        var (isDone, result) = await rowStore.TryCommitAsync(
            @namespace,
            MaxTries,
            async (view, stop) =>
            {
                var (made, changes) = await decide(view, stop);
                return dryRun ? Decision.Nothing(made) : Decision.Of(made, changes);
            },
            cancellationToken
        );
        return isDone ? result : null;
    }
}
