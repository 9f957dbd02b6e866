using Azure;
using Azure.Data.Tables;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Storage;

/// <summary>
/// The making of a table that is lost, so that no process takes it for an empty one meanwhile: see <see cref="StoreGate"/>. It may
/// break off anywhere, and be begun again, also by several at once.
/// </summary>
/// <param name="table">The table.</param>
/// <param name="marks">What says which of its partitions are whole.</param>
/// <param name="times">How long processes may rely on the table that is lost.</param>
internal sealed class TableRebuild(TableClient table, TableClient marks, StorageTimes times)
{
    // Storage takes at least 40 seconds to remove a table, and longer for a large one.
    private const int MaxTries = 120;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <summary>The table's name.</summary>
    public string Name => table.Name;

    /// <summary>Whether the table is gone, or was and is not whole again.</summary>
    /// <exception cref="RequestFailedException">Storage does not say, as while it removes the table.</exception>
    public async Task<bool> IsNeededAsync(CancellationToken cancellationToken) =>
        await AreMarksThereAsync(cancellationToken) || !await StorageSetup.IsThereAsync(table, cancellationToken);

    /// <summary>Makes the table, when no process relies any more on the one that is lost. From now on only what is marked is read.</summary>
    /// <exception cref="StorageUnavailableException">Storage still removes the old one.</exception>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        await MakeAsync(marks, cancellationToken);
        if (!await StorageSetup.IsThereAsync(table, cancellationToken))
        {
            // And a little more: clocks do not run alike.
            await Task.Delay(times.Vouches * 1.1, times.Clock, cancellationToken);
            await MakeAsync(table, cancellationToken);
        }
    }

    /// <summary>Whether a partition is whole. All are where another process has come to the end of the rebuild meanwhile.</summary>
    public async Task<bool> IsWholeAsync(string partition, CancellationToken cancellationToken)
    {
        try
        {
            var mark = await marks.GetEntityIfExistsAsync<TableEntity>(
                partition,
                StoreGate.Whole,
                cancellationToken: cancellationToken
            );
            return mark.HasValue;
        }
        catch (RequestFailedException error) when (AreMarksGone(error))
        {
            return true;
        }
    }

    /// <summary>Marks a partition as whole.</summary>
    public async Task WholeAsync(string partition, CancellationToken cancellationToken)
    {
        try
        {
            var mark = new TableEntity(partition, StoreGate.Whole);
            await marks.UpsertEntityAsync(mark, TableUpdateMode.Replace, cancellationToken);
        }
        catch (RequestFailedException error) when (AreMarksGone(error))
        {
            // Another process has come to the end, for which all partitions had to be whole.
        }
    }

    /// <summary>All of the table is whole.</summary>
    public Task EndAsync(CancellationToken cancellationToken) => marks.DeleteAsync(cancellationToken);

    private static bool AreMarksGone(RequestFailedException error) =>
        StorageCodes.CodeOf(error) is StorageCodes.TableNotFound or StorageCodes.TableBeingDeleted;

    private async Task<bool> AreMarksThereAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await StorageSetup.IsThereAsync(marks, cancellationToken);
        }
        catch (RequestFailedException error) when (StorageCodes.CodeOf(error) == StorageCodes.TableBeingDeleted)
        {
            // The rebuild before has just come to its end.
            return false;
        }
    }

    private async Task MakeAsync(TableClient made, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await made.CreateIfNotExistsAsync(cancellationToken);
                return;
            }
            catch (RequestFailedException error)
                when (StorageCodes.CodeOf(error) == StorageCodes.TableBeingDeleted && attempt < MaxTries)
            {
                await Task.Delay(Pause, times.Clock, cancellationToken);
            }
        }
    }
}
