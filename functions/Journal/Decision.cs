namespace ImagesFunctions.Journal;

/// <summary>What was decided: an answer, and the rows to write so that it becomes true. No rows: there is nothing to do.</summary>
/// <param name="Result">The answer.</param>
/// <param name="Changes">The rows.</param>
public sealed record Decision<T>(T Result, IReadOnlyList<Change> Changes)
{
    /// <summary>What has to be made before it can be decided; or null, when it is decided.</summary>
    public Func<CancellationToken, Task>? Prepare { get; init; }
}

/// <summary>Makes decisions.</summary>
public static class Decision
{
    /// <summary>Nothing changes.</summary>
    public static Decision<T> Nothing<T>(T result) => new(result, []);

    /// <summary>
    /// Something has to be made first, from what never changes: then it is decided once more, on the same rows. So a decision
    /// stays free of other effects, however often it is made.
    /// </summary>
    /// <param name="prepare">Makes it, and leaves it where the decision looks for it.</param>
    public static Decision<T> After<T>(Func<CancellationToken, Task> prepare) =>
        new(default!, []) { Prepare = prepare };

    /// <summary>These rows change.</summary>
    public static Decision<T> Of<T>(T result, IReadOnlyList<Change> changes) => new(result, changes);
}
