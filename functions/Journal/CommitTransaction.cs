namespace ImagesFunctions.Journal;

/// <summary>Sends a commit, again and again until it is known whether it took effect.</summary>
internal sealed class CommitTransaction(IJournalTable table, string partition, TimeProvider time, Random? random = null)
{
    private const int MaxSends = 8;

    /// <summary>Sends it.</summary>
    /// <param name="version">The version before the commit.</param>
    /// <param name="entry">Its entry.</param>
    /// <param name="changes">Its changes.</param>
    /// <param name="replaces">Whether an entry of its number may be there, left from a history that a backup has replaced.</param>
    /// <returns>The new version, or null when the transaction was refused and has changed nothing.</returns>
    /// <exception cref="StorageUnavailableException">There was no definite answer.</exception>
    public async Task<JournalVersion?> SendAsync(
        JournalVersion version,
        JournalEntry entry,
        IEnumerable<Change> changes,
        bool replaces = false
    )
    {
        var row = new TableRow(JournalKeys.Version) { ["seq"] = entry.Seq };
        var next = new Change(row.Key, row, version.Tag) { IsNew = version.Tag is null };
        var entryRow = (entry with { After = version.Tag }).ToRow();
        List<Change> all = [next, new Change(entryRow.Key, entryRow) { IsNew = !replaces }, .. changes];
        for (var send = 1; ; send++)
        {
            WriteResult result;
            try
            {
                result = await table.WriteAsync(partition, all, CancellationToken.None);
                switch (result.Outcome)
                {
                    case WriteOutcome.Done:
                        Tell(all, result);
                        return new JournalVersion(entry.Seq, result.First);
                    // Gone: a row to remove under its version is gone. After a lost answer, the refusal may mean that we have succeeded.
                    case WriteOutcome.Refused or WriteOutcome.Gone:
                        return send > 1 && await IsOursAsync(entry) ? await AfterOursAsync(version, entry) : null;
                }
            }
            catch (Exception error) when (send > 1 && error is not StorageUnavailableException)
            {
                // An earlier send may have taken effect. Whoever took this for a refusal would commit twice.
                throw new StorageUnavailableException("storage does not tell whether a commit took effect", error);
            }

            if (send == MaxSends)
            {
                throw new StorageUnavailableException("storage gave no definite answer to a commit", result.Error);
            }

            await Backoff.DelayAsync(
                send,
                TimeSpan.FromMilliseconds(50),
                TimeSpan.FromSeconds(4),
                time,
                random ?? Random.Shared,
                CancellationToken.None
            );
        }
    }

    private async Task<bool> IsOursAsync(JournalEntry entry)
    {
        if (await table.GetAsync(partition, JournalKeys.Entry(entry.Seq), CancellationToken.None) is { } row)
        {
            return row.GetString("op") == entry.Operation;
        }

        if ((await table.VersionAsync(partition, CancellationToken.None)).Seq >= entry.Seq)
        {
            // The process was suspended for longer than entries are kept: sending again could commit twice.
            throw new StorageUnavailableException("the log no longer tells whether a commit took effect");
        }

        return false;
    }

    private static void Tell(List<Change> changes, WriteResult result)
    {
        foreach (var (change, version) in changes.Zip(result.Versions ?? []))
        {
            if (version is { } tag)
            {
                change.Written?.Invoke(tag);
            }
        }
    }

    // Our commit took effect, but the answer with its version is lost. If another process has committed since, or the version cannot
    // be read, the old one matches nothing, and the next transaction is refused.
    private async Task<JournalVersion> AfterOursAsync(JournalVersion version, JournalEntry entry)
    {
        var old = version with { Seq = entry.Seq };
        try
        {
            var now = await table.VersionAsync(partition, CancellationToken.None);
            return now.Seq == entry.Seq ? now : old;
        }
        catch (Exception)
        {
            return old;
        }
    }
}
