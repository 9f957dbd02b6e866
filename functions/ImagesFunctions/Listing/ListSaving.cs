using System.Diagnostics;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Listing;

/// <summary>
/// Saves snapshots of one namespace's list, now and then. Nobody waits for it, and nothing is lost if it fails: then the next process
/// scans, or replays more.
/// </summary>
internal sealed class ListSaving(RowStore rowStore, ListSnapshots snapshots, string @namespace)
{
    // The rows of one page, which are scanned about as fast as a snapshot is loaded.
    private const int MinRows = 1_000;

    // Well below the number of commits that are replayed at most.
    private const int MinCommits = 256;

    private static readonly TimeSpan s_minInterval = TimeSpan.FromMinutes(1);

    private long _saved;
    private long _savedAt;
    private Task _last = Task.CompletedTask;

    /// <summary>There is a snapshot after this commit.</summary>
    public void Found(long seq) => _saved = seq;

    /// <summary>Begins to save a list.</summary>
    /// <param name="rows">What it was made from.</param>
    /// <param name="seq">The number of the last commit in it.</param>
    /// <param name="wasScanned">Whether no snapshot was of use.</param>
    public void SaveIfWorthIt(ListedRows<ImageTexts> rows, long seq, bool wasScanned)
    {
        if (
            rows.Count >= MinRows
            && _last.IsCompleted
            && (wasScanned || (seq - _saved >= MinCommits && Stopwatch.GetElapsedTime(_savedAt) > s_minInterval))
        )
        {
            // Copies of references; the rows themselves are changed by the next commit.
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
        using var deadline = new CancellationTokenSource(KeptList.Longest);
        try
        {
            // Another process may have been first. Who had to scan found none that is of use.
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
            // Tried again after some commits.
        }
    }
}
