using ImagesFunctions.Journal;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.Catalog;

/// <summary>
/// Gathers what this process commits, and brings the catalogs of those namespaces forward, a few seconds later: one request to
/// storage for all commits of that time to a namespace, as long as no other process commits to it.
/// </summary>
internal sealed class CatalogWriter
{
    /// <summary>How long commits are gathered.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(5);

    // Of all namespaces together. What is over it is read from the log.
    private const long MaxHeld = 8 * 1024 * 1024;

    private const int NamespacesAtOnce = 4;
    private const string Behind = "The catalog of {Namespace} is behind, and is brought forward later: {Reason}";

    private readonly Lock _gate = new();
    private readonly StorageAccount _account;
    private readonly CatalogJournal _journal;
    private readonly ILogger<CatalogWriter> _log;
    private Dictionary<string, List<HeldCommit>> _held = new(StringComparer.Ordinal);
    private TaskCompletionSource _any = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _size;

    public CatalogWriter(StorageAccount account, RowStore rowStore, CatalogJournal journal, ILogger<CatalogWriter> log)
    {
        _account = account;
        _journal = journal;
        _log = log;
        rowStore.Committed = Note;
    }

    /// <summary>Completes when there is something to write.</summary>
    public Task AnyAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return _any.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Brings the catalogs of all namespaces forward to which this process has committed since the last call.</summary>
    /// <returns>Whether all are; else the others are tried by the next call.</returns>
    public async Task<bool> FlushAsync(CancellationToken cancellationToken)
    {
        Dictionary<string, List<HeldCommit>> held;
        lock (_gate)
        {
            (held, _held) = (_held, new Dictionary<string, List<HeldCommit>>(StringComparer.Ordinal));
            _size = 0;
            if (_any.Task.IsCompleted)
            {
                _any = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        var isDone = true;
        await Parallel.ForEachAsync(
            held,
            new ParallelOptions { MaxDegreeOfParallelism = NamespacesAtOnce },
            async (one, _) =>
            {
                try
                {
                    await _journal.ForwardAsync(one.Key, one.Value, cancellationToken);
                }
                catch (Exception error)
                {
                    Volatile.Write(ref isDone, false);
                    Again(one.Key);
                    if (!cancellationToken.IsCancellationRequested)
                    {
                        _log.LogWarning(Behind, one.Key, StorageErrors.Reason(error));
                    }
                }
            }
        );
        return isDone;
    }

    // Called in the order of a namespace's commits.
    private void Note(string @namespace, JournalEntry entry, JournalVersion version)
    {
        var kept = Kept(@namespace, entry, version);
        var size = 100 + (kept?.Rows.Sum(r => 2L * (r.Key.Length + (r.Value?.Length ?? 0))) ?? 0);
        lock (_gate)
        {
            var commits = Of(@namespace);
            _size += size;
            // Without the first of them the rest need not be kept.
            if (_size <= MaxHeld)
            {
                commits.Add(new HeldCommit(kept, entry.Seq, entry.After));
            }

            _any.TrySetResult();
        }
    }

    // Null where the rows have to be scanned. The commit has taken effect: nothing may fail because of what is kept of it.
    private CatalogEntry? Kept(string @namespace, JournalEntry entry, JournalVersion version)
    {
        // Where the answer of a commit was lost its version is not known.
        var tag = version.Tag == entry.After ? null : version.Tag;
        try
        {
            return entry.Rows is null ? null : CatalogEntry.Of(entry, tag, _account.Clock.UtcNow);
        }
        catch (Exception error)
        {
            _log.LogWarning(Behind, @namespace, error.Message);
            return null;
        }
    }

    private void Again(string @namespace)
    {
        lock (_gate)
        {
            // The commits themselves are in the log.
            Of(@namespace);
            _any.TrySetResult();
        }
    }

    private List<HeldCommit> Of(string @namespace)
    {
        if (!_held.TryGetValue(@namespace, out var commits))
        {
            _held.Add(@namespace, commits = []);
        }

        return commits;
    }
}
