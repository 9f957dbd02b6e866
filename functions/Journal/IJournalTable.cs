using System.Runtime.ExceptionServices;

namespace ImagesFunctions.Journal;

/// <summary>
/// What a journal needs of a table: rows with keys in ordinal order, versions that a write can depend on, and transactions
/// over the rows of one partition.
/// </summary>
public interface IJournalTable
{
    /// <summary>The row, or null.</summary>
    Task<TableRow?> GetAsync(string partition, string key, CancellationToken cancellationToken);

    /// <summary>The rows of a range, in the order of their keys.</summary>
    Task<IReadOnlyList<TableRow>> RangeAsync(string partition, KeyRange range, CancellationToken cancellationToken);

    /// <summary>
    /// Writes changes in one transaction, which is sent once: all of them or none. A failure that is not one of the outcomes is
    /// thrown.
    /// </summary>
    Task<WriteResult> WriteAsync(string partition, IReadOnlyList<Change> changes, CancellationToken cancellationToken);
}

/// <summary>The outcome of a write.</summary>
public enum WriteOutcome
{
    /// <summary>It took effect.</summary>
    Done,

    /// <summary>Nothing changed: a row has another version, or a row that must be new exists.</summary>
    Refused,

    /// <summary>Nothing changed: a row to change is gone.</summary>
    Gone,

    /// <summary>It is unknown whether it took effect: the answer was lost, or the table was busy.</summary>
    Unclear,
}

/// <summary>The result of a write.</summary>
/// <param name="Outcome">Its outcome.</param>
/// <param name="Versions">The new versions of the rows, in the order of the changes, null for one that is removed; none where nothing is done.</param>
/// <param name="Error">The error of the table, where the write is not done.</param>
public readonly record struct WriteResult(
    WriteOutcome Outcome,
    IReadOnlyList<VersionTag?>? Versions = null,
    Exception? Error = null
)
{
    /// <summary>The new version of the first row; null where that is removed, or nothing is done.</summary>
    public VersionTag? First => Versions is [var first, ..] ? first : null;

    /// <summary>Whether it took effect.</summary>
    public bool IsDone => Outcome == WriteOutcome.Done;

    /// <summary>Throws the error of the table, where the write is not done.</summary>
    public void ThrowIfNotDone()
    {
        if (!IsDone)
        {
            ExceptionDispatchInfo.Throw(Error!);
        }
    }
}

/// <summary>A row to write or to remove.</summary>
/// <param name="Key">The row key.</param>
/// <param name="Row">The whole new row; null to remove it.</param>
/// <param name="IfMatch">
/// The version of the row as it was read, for rows that others may write outside the partition's order; null for the rest.
/// </param>
public sealed record Change(string Key, TableRow? Row, VersionTag? IfMatch = null)
{
    /// <summary>The maximum number of rows of a decision: a transaction has 100, two of which are the version and the entry.</summary>
    public const int MaxRows = 98;

    /// <summary>Whether the row must not exist yet.</summary>
    public bool IsNew { get; init; }

    /// <summary>Is told the row's new version, once the change is committed: unless the answer that has it was lost.</summary>
    public Action<VersionTag>? Written { get; init; }

    /// <summary>The length of the row, about, in characters.</summary>
    public int Length { get; } =
        Key.Length + (Row?.Values.Sum(p => p.Key.Length + ((p.Value as string)?.Length ?? 8)) ?? 0);
}
