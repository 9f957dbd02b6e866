using ImagesFunctions.Journal;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Model;

/// <summary>How decisions are counted: how tests plant faults into it.</summary>
internal record Quota
{
    /// <summary>Adds to a decision what it changes of the row <c>q</c>.</summary>
    public virtual Task<Decision<T>> CountedAsync<T>(
        DecisionView view,
        Decision<T> decision,
        CancellationToken cancellationToken
    ) => view.CountedAsync(decision, isEnforced: true, cancellationToken);
}
