using ImagesFunctions.Journal;

namespace ImagesFunctions.Rows;

// Refusals.
internal sealed partial class RowStore
{
    /// <summary>Writes a refusal, or replaces the one of the same path. What failed is for the next pass of the sweeper.</summary>
    public async Task PutRefusedAsync(RefusedRow row, CancellationToken cancellationToken)
    {
        var partition = RefusedRow.PartitionOf(row.Path);
        await Due.AnnounceAsync(partition, cancellationToken);
        (await _table.PutAsync(partition, new Change(row.Key, row.ToRow()), cancellationToken)).ThrowIfNotDone();
        if (row.IsFailure)
        {
            await Due.AnnounceNowAsync(partition, cancellationToken);
        }
    }

    /// <summary>The refusal of a path, or null.</summary>
    public async Task<RefusedRow?> RefusedAsync(string path, CancellationToken cancellationToken) =>
        await GetAsync(RefusedRow.PartitionOf(path), Keys.Refused(path), cancellationToken) is { } row
            ? RefusedRow.From(row)
            : null;

    /// <summary>Removes a refusal. False when the path has none.</summary>
    public async Task<bool> RemoveRefusedAsync(string path, CancellationToken cancellationToken)
    {
        // Most paths have no refusal, and a point read costs less than a failed delete.
        if (await RefusedAsync(path, cancellationToken) is null)
        {
            return false;
        }

        // Without a condition: a retry after a lost answer finds no row, which is success.
        await _table.PutAsync(RefusedRow.PartitionOf(path), new Change(Keys.Refused(path), null), cancellationToken);
        return true;
    }
}
