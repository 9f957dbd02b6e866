namespace ImagesFunctions.Journal;

/// <summary>What was decided: an answer, and the rows to write so that it becomes true. No rows: there is nothing to do.</summary>
/// <param name="Result">The answer.</param>
/// <param name="Changes">The rows.</param>
public sealed record Decision<T>(T Result, IReadOnlyList<Change> Changes);

/// <summary>Makes decisions.</summary>
public static class Decision
{
    /// <summary>Nothing changes.</summary>
    public static Decision<T> Nothing<T>(T result) => new(result, []);

    /// <summary>These rows change.</summary>
    public static Decision<T> Of<T>(T result, IReadOnlyList<Change> changes) => new(result, changes);
}
