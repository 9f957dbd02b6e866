using System.Diagnostics;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Listing;

/// <summary>
/// Saves snapshots of the list of one namespace, in the background. If it fails, the next process scans, or replays more commits.
/// </summary>
internal sealed class ListSaving(RowStore rowStore, ListSnapshots snapshots, string @namespace)
{
    // The rows of one page: scanning them takes about as long as loading a snapshot.
    private const int MinRows = 1_000;

    // Well below the maximum number of replayed commits.
    private const int MinCommits = 256;

    private static readonly TimeSpan MinInterval = TimeSpan.FromMinutes(1);

    private long _saved;
    private long _savedAt;
    private Task _last = Task.CompletedTask;

    /// <summary>Takes in that there is a snapshot of this commit.</summary>
    public void Found(long seq) => _saved = seq;

    /// <summary>Starts to save a list, if it is long and there is no snapshot of it, or only one of many commits ago.</summary>
    /// <param name="rows">The rows that the list is made from.</param>
    /// <param name="seq">The number of the last commit that it includes.</param>
    /// <param name="wasScanned">Whether no snapshot was usable.</param>
    public void SaveIfWorthIt(ListedRows<ImageTexts> rows, long seq, bool wasScanned)
    {
        if (
            rows.Count >= MinRows
            && _last.IsCompleted
            && (wasScanned || (seq - _saved >= MinCommits && Stopwatch.GetElapsedTime(_savedAt) > MinInterval))
        )
        {
            // Copies of references: the next commit changes the collections.
            var (images, tags) = rows.Export();
            _savedAt = Stopwatch.GetTimestamp();
            _last = Task.Run(() => SaveAsync(seq, images, tags, wasScanned), CancellationToken.None);
        }
    }

    private async Task SaveAsync(
        long seq,
        IReadOnlyList<(ImageRow Row, ImageTexts? Texts)> images,
        IReadOnlyList<TagRow> tags,
        bool wasScanned
    )
    {
        using var deadline = new CancellationTokenSource(KeptList.MaxTime);
        try
        {
            // Another process may have been faster. After a scan there is no usable snapshot.
            var there = await snapshots.SeqAsync(@namespace, deadline.Token);
            if (
                (wasScanned || there < seq - MinCommits)
                && await rowStore.OperationAsync(@namespace, seq, deadline.Token) is { } operation
            )
            {
                var snapshot = new ListSnapshot(seq, operation, images, tags);
                await snapshots.SaveAsync(@namespace, snapshot, deadline.Token);
                there = seq;
            }

            _saved = there;
        }
        catch (Exception error) when (StorageErrors.IsFailure(error) || StorageErrors.IsUnclear(error))
        {
            // The next save is after some more commits.
        }
    }
}
