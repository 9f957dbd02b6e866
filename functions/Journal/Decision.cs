namespace ImagesFunctions.Journal;

/// <summary>A decision: a result, and the changes that make it true. Without changes nothing is committed.</summary>
/// <param name="Result">The result.</param>
/// <param name="Changes">The changes.</param>
public sealed record Decision<T>(T Result, IReadOnlyList<Change> Changes)
{
    /// <summary>Who has it made, as the entry of its commit says it; null where nobody is known.</summary>
    public string? By { get; init; }

    /// <summary>Work that is needed before the decision can be made; null when it is made.</summary>
    public Func<CancellationToken, Task>? Prepare { get; init; }
}

/// <summary>Makes decisions.</summary>
public static class Decision
{
    /// <summary>Changes nothing.</summary>
    public static Decision<T> Nothing<T>(T result) => new(result, []);

    /// <summary>
    /// Asks for work on immutable data; then the decision is made again, on the same rows. So a decision itself has no other
    /// effect, however often it is made.
    /// </summary>
    /// <param name="prepare">Does the work, and keeps the result for the decision.</param>
    public static Decision<T> After<T>(Func<CancellationToken, Task> prepare) =>
        new(default!, []) { Prepare = prepare };

    /// <summary>Changes rows.</summary>
    public static Decision<T> Of<T>(T result, IReadOnlyList<Change> changes) => new(result, changes);
}
