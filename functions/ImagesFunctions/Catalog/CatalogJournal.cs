using System.Collections.Concurrent;
using ImagesFunctions.Journal;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.Catalog;

/// <summary>A commit that this process has made.</summary>
/// <param name="Entry">What the catalog keeps of it; null where it did not fit into the log.</param>
/// <param name="Seq">Its number.</param>
/// <param name="After">The version that it replaced; null where it is not known.</param>
internal sealed record HeldCommit(CatalogEntry? Entry, long Seq, VersionTag? After);

/// <summary>
/// Brings catalogs forward: what the log of a namespace has since the last commit that its catalog has. Several processes may do that
/// at the same time, and each may be killed anywhere: a journal is only added to while it ends where it is known to end, and what
/// somebody has left undone the next one does.
/// </summary>
internal sealed class CatalogJournal(StorageAccount account, RowStore rowStore, ILogger<CatalogJournal> log)
{
    private const int MaxTries = 6;

    // A block of an append blob.
    private const int MaxBlock = 4 * 1024 * 1024;

    private const int EntriesAtOnce = 64;
    private const string Damaged = "The catalog of {Namespace} is written anew: {Reason}";

    private readonly CatalogFiles _files = new(account);
    private readonly ConcurrentDictionary<string, CatalogEnd> _ends = new(StringComparer.Ordinal);

    /// <summary>Brings a catalog forward to what the namespace had at the call.</summary>
    /// <param name="namespace">The namespace.</param>
    /// <param name="held">Commits of this process in their order, which need not be read; none: the log is read to its end.</param>
    /// <param name="cancellationToken">Ends it between two steps.</param>
    /// <returns>The number of the last commit that the catalog has; 0 where the namespace has none.</returns>
    /// <exception cref="StorageUnavailableException">Others were faster each time. Exceptions of the Azure SDK mean the same.</exception>
    public async Task<long> ForwardAsync(
        string @namespace,
        IReadOnlyList<HeldCommit> held,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            // Taken out: whatever fails, the next one looks where it ends.
            var end = _ends.TryRemove(@namespace, out var known)
                ? known
                : await _files.EndAsync(@namespace, cancellationToken);
            if (end is null || await NextAsync(@namespace, end, held, cancellationToken) is not { } next)
            {
                return await CheckpointAsync(@namespace, cancellationToken);
            }

            if (await AppendAsync(@namespace, end, next, cancellationToken) is { } after)
            {
                _ends[@namespace] = after;
                if (after.IsLong)
                {
                    await CompactAsync(@namespace, cancellationToken);
                }

                return after.Version.Seq;
            }
        }

        throw new StorageUnavailableException($"the catalog of {@namespace} is written by others each time");
    }

    /// <summary>Writes a checkpoint of the rows as they are, whatever the catalog has.</summary>
    /// <returns>The number of the last commit that it has; 0 where the namespace has none: then the catalog stays as it is.</returns>
    /// <exception cref="StorageUnavailableException">Others were faster each time.</exception>
    public async Task<long> CheckpointAsync(string @namespace, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            _ends.TryRemove(@namespace, out _);
            var before = await _files.LookAsync(@namespace, cancellationToken);
            var state = await CatalogScan.ReadAsync(account, rowStore, @namespace, cancellationToken);
            if (state.Seq == 0)
            {
                return 0;
            }

            await KeepLaterAsync(@namespace, state, cancellationToken);
            if (await _files.ReplaceAsync(@namespace, state, before, cancellationToken) is { } end)
            {
                _ends[@namespace] = end;
                return state.Seq;
            }
        }

        throw new StorageUnavailableException($"the catalog of {@namespace} is written by others each time");
    }

    /// <summary>Reads a catalog, and writes it anew where it is damaged: as long as the rows are there.</summary>
    public async Task VerifyAsync(string @namespace, CancellationToken cancellationToken)
    {
        try
        {
            var read = await _files.ReadAsync(@namespace, cancellationToken);
            // An earlier version that brings a catalog forward leaves out rules and quotas, which it does not know.
            var policies = await account.ImageRows.RangeAsync(@namespace, Keys.All('p'), cancellationToken);
            var kept = read?.State.Rows.Keys.Count(Keys.All('p').Contains) ?? 0;
            if (
                kept != policies.Count
                || policies.Any(row => !CatalogRow.IsOf(row, read?.State.Rows.GetValueOrDefault(row.Key)))
            )
            {
                await CheckpointAsync(@namespace, cancellationToken);
            }
        }
        catch (InvalidDataException error)
        {
            log.LogError(Damaged, @namespace, error.Message);
            await CheckpointAsync(@namespace, cancellationToken);
        }
    }

    // The rows are those of an older copy of the table, or somebody has made the table anew: that what came after is nowhere else is
    // for the operator to know.
    private async Task KeepLaterAsync(string @namespace, CatalogState state, CancellationToken cancellationToken)
    {
        try
        {
            if (
                await _files.ReadAsync(@namespace, cancellationToken) is { } old
                && !old.State.Version.MayLeadTo(state.Version)
            )
            {
                await _files.KeepAsync(@namespace, old.State, cancellationToken);
            }
        }
        catch (InvalidDataException)
        {
            // Nobody can read it; soft-deleted bytes of it are what is left.
        }
    }

    private async Task CompactAsync(string @namespace, CancellationToken cancellationToken)
    {
        _ends.TryRemove(@namespace, out _);
        try
        {
            if (await _files.ReadAsync(@namespace, cancellationToken) is not { } read)
            {
                return;
            }

            await CatalogPrune.RunAsync(account, @namespace, read.State, cancellationToken);
            if (await _files.ReplaceAsync(@namespace, read.State, read, cancellationToken) is { } end)
            {
                _ends[@namespace] = end;
            }
        }
        catch (InvalidDataException error)
        {
            log.LogError(Damaged, @namespace, error.Message);
            await CheckpointAsync(@namespace, cancellationToken);
        }
    }

    // Null where it does not end there any more.
    private async Task<CatalogEnd?> AppendAsync(
        string @namespace,
        CatalogEnd end,
        IReadOnlyList<CatalogEntry> next,
        CancellationToken cancellationToken
    )
    {
        using var lines = new MemoryStream();
        var (written, version) = (end.Version.Seq, end.Version);
        for (var i = 0; i < next.Count; i++)
        {
            version = new JournalVersion(next[i].Seq, next[i].Tag);
            // The last one says how far the catalog goes, even if it has nothing to keep.
            if (next[i].Rows.Count > 0 || i == next.Count - 1)
            {
                (next[i] with { From = written }).WriteTo(lines);
                written = next[i].Seq;
            }

            if (lines.Length > MaxBlock / 2 || i == next.Count - 1)
            {
                var block = lines.ToArray();
                if (await _files.AppendAsync(@namespace, end, block, version, cancellationToken) is not { } after)
                {
                    return null;
                }

                end = after;
                lines.SetLength(0);
            }
        }

        return end;
    }

    // What the log has since then. Null where it cannot be told from the log: then the rows are scanned.
    private async Task<IReadOnlyList<CatalogEntry>?> NextAsync(
        string @namespace,
        CatalogEnd end,
        IReadOnlyList<HeldCommit> held,
        CancellationToken cancellationToken
    )
    {
        var next = new List<CatalogEntry>();
        var last = end.Version;
        foreach (var commit in held.Where(c => c.Seq > end.Version.Seq))
        {
            if (commit.Seq != last.Seq + 1)
            {
                // Another process has committed between.
                break;
            }

            if (commit.Entry is null || (last.Tag is { } tag && commit.After is { } after && tag != after))
            {
                return null;
            }

            next.Add(commit.Entry);
            last = new JournalVersion(commit.Seq, commit.Entry.Tag);
        }

        return held.Count > 0 && last.Seq >= held[^1].Seq
            ? next
            : await ReadOnAsync(@namespace, last, next, cancellationToken);
    }

    private async Task<IReadOnlyList<CatalogEntry>?> ReadOnAsync(
        string @namespace,
        JournalVersion last,
        List<CatalogEntry> next,
        CancellationToken cancellationToken
    )
    {
        var version = await account.ImageRows.VersionAsync(@namespace, cancellationToken);
        if (!last.MayLeadTo(version) || version.Seq - last.Seq > PartitionJournal.MaxReplayed)
        {
            return null;
        }

        while (last.Seq < version.Seq)
        {
            var to = Math.Min(version.Seq, last.Seq + EntriesAtOnce);
            var entries = await account.ImageRows.EntriesAsync(@namespace, last.Seq + 1, to, cancellationToken);
            if (entries.Count < to - last.Seq)
            {
                return null;
            }

            for (var i = 0; i < entries.Count; i++)
            {
                if (entries[i].Rows is null || !last.MayLeadTo(entries[i]))
                {
                    return null;
                }

                var tag =
                    i + 1 < entries.Count ? entries[i + 1].After
                    : to == version.Seq ? version.Tag
                    : null;
                // When it was committed is not known: before what is there now.
                var entry = CatalogEntry.Of(entries[i], tag, DateTimeOffset.UnixEpoch);
                next.Add(await WithLayoutsAsync(@namespace, entries[i], entry, cancellationToken));
                last = new JournalVersion(entry.Seq, tag);
            }
        }

        return next;
    }

    // The log of an earlier version has no applied index.json in full. The row as it is now: what comes after has its own entry.
    private async Task<CatalogEntry> WithLayoutsAsync(
        string @namespace,
        JournalEntry logged,
        CatalogEntry entry,
        CancellationToken cancellationToken
    )
    {
        var rows = entry.Rows;
        foreach (var key in logged.Keys.Where(k => Keys.All('j').Contains(k) && !logged.Rows!.ContainsKey(k)))
        {
            var row = await account.ImageRows.GetAsync(@namespace, key, cancellationToken);
            rows = [.. rows, KeyValuePair.Create(key, row is null ? null : CatalogRow.Of(row))];
        }

        return entry with
        {
            Rows = rows,
        };
    }
}
