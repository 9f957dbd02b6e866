using ImagesFunctions.Catalog;
using ImagesFunctions.Journal;
using ImagesFunctions.Listing;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Removes the oldest entries of a namespace's journal, when its catalog has them.</summary>
internal sealed class LogTrim(SweepRun run, CatalogJournal catalog)
{
    // A transaction holds no more.
    private const int MaxBatch = 100;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var batch = new List<Change>();
        if (await ForwardAsync(cancellationToken) is not { } journaled)
        {
            return;
        }

        var end = await EndAsync(journaled, cancellationToken);
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

    // The last commit that the catalog has; null where it cannot be brought forward now.
    private async Task<long?> ForwardAsync(CancellationToken cancellationToken)
    {
        var journaled = long.MaxValue;
        var isDone =
            run.IsDryRun
            || await run.TryAsync(async () =>
            {
                journaled = await catalog.ForwardAsync(run.Namespace, [], cancellationToken);
                await catalog.VerifyAsync(run.Namespace, cancellationToken);
                return 0;
            }) != Garbage.Busy;
        return isDone ? journaled : null;
    }

    // The first key that stays, or null. A snapshot of the list is of use as long as the log goes on from it.
    private async Task<string?> EndAsync(long journaled, CancellationToken cancellationToken)
    {
        var kept = await new ListSnapshots(run.Account).SeqAsync(run.Namespace, cancellationToken);
        var newest = (await run.Account.ImageRows.VersionAsync(run.Namespace, cancellationToken)).Seq;
        var first = kept > 0 && newest - kept < PartitionJournal.MaxReplayed ? kept : long.MaxValue;
        first = Math.Min(first, journaled == long.MaxValue ? journaled : journaled + 1);
        return first == long.MaxValue ? null : JournalKeys.Entry(first);
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
