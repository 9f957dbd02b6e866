using ImagesFunctions.Journal;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Rows;

/// <summary>Scans of rows as they were at one moment: page by page, and then what was committed meanwhile.</summary>
internal static class RowScan
{
    private const int MaxTries = 5;

    /// <summary>Scans ranges: see <see cref="RowStore.ScanAsync(string, string?, Func{Action{string, TableRow?}}, CancellationToken)"/>.</summary>
    /// <exception cref="StorageUnavailableException">The journal has gaps each time, or storage does not answer.</exception>
    public static async Task<JournalVersion> RunAsync(
        StoredTable table,
        PartitionJournal journal,
        string @namespace,
        IReadOnlyList<KeyRange> ranges,
        Func<Action<string, TableRow?>> begin,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            var apply = begin();
            var before = await table.VersionAsync(@namespace, cancellationToken);
            if (before.Seq == 0)
            {
                return before;
            }

            var gate = new Lock();
            await Task.WhenAll(ranges.Select(ApplyAsync));
            var after = await table.VersionAsync(@namespace, cancellationToken);
            if (await journal.ChangesAsync(IsWanted, before, after, cancellationToken) is { } changes)
            {
                foreach (var (key, row) in changes)
                {
                    apply(key, row);
                }

                return after;
            }

            async Task ApplyAsync(KeyRange range)
            {
                await foreach (var page in table.PagesAsync(@namespace, range, cancellationToken))
                {
                    lock (gate)
                    {
                        foreach (var row in page)
                        {
                            apply(row.Key, row);
                        }
                    }
                }
            }
        }

        throw new StorageUnavailableException($"the namespace {@namespace} changes faster than it can be read");

        bool IsWanted(string key) => ranges.Any(range => range.Contains(key));
    }
}
