using ImagesFunctions.Journal;
using ImagesFunctions.Listing;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Removes the oldest entries of a namespace's journal.</summary>
internal sealed class LogTrim(SweepRun run)
{
    // A transaction holds no more.
    private const int MaxBatch = 100;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var batch = new List<Change>();
        var end = await EndAsync(cancellationToken);
        var entries = run.Account.ImageRows.StreamWithRetries(run.Namespace, JournalKeys.Entries, "op");
        // In order: so there are no holes, and the first entry that stays is the last to look at.
        await foreach (var row in entries.WithCancellation(cancellationToken))
        {
            if (
                run.Age.IsYoungerThan(row.Timestamp, run.Age.Options.KeepLog)
                || (end is not null && string.CompareOrdinal(row.Key, end) >= 0)
            )
            {
                break;
            }

            batch.Add(new Change(row.Key, null));
            if (batch.Count == MaxBatch && !await RemoveAsync(batch, cancellationToken))
            {
                return;
            }
        }

        await RemoveAsync(batch, cancellationToken);
    }

    // The first key that stays, or null. A snapshot of the list is of use as long as the log goes on from it.
    private async Task<string?> EndAsync(CancellationToken cancellationToken)
    {
        var kept = await new ListSnapshots(run.Account).SeqAsync(run.Namespace, cancellationToken);
        var newest = (await run.Account.ImageRows.VersionAsync(run.Namespace, cancellationToken)).Seq;
        return kept > 0 && newest - kept < PartitionJournal.MaxReplayed ? JournalKeys.Entry(kept) : null;
    }

    // False when another sweeper trims it.
    private async Task<bool> RemoveAsync(List<Change> batch, CancellationToken cancellationToken)
    {
        if (batch.Count == 0)
        {
            return true;
        }

        if (!run.IsDryRun)
        {
            var result = await run.Account.ImageRows.WriteAgainAsync(run.Namespace, batch, cancellationToken);
            if (result.Outcome is WriteOutcome.Refused or WriteOutcome.Gone)
            {
                return false;
            }

            result.ThrowIfNotDone();
        }

        run.Counts.Add(SweepKind.LogEntries, batch.Count);
        batch.Clear();
        return true;
    }
}
