using ImagesFunctions.Journal;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Telemetry;

namespace ImagesFunctions.Listing;

/// <summary>
/// The lists of namespaces. A list is never older than its request: the request reads the namespace's sequence number, and a list
/// in memory is brought up to it from the journal. A list that is not in memory starts from its snapshot, or from a scan.
/// </summary>
internal sealed class NamespaceLists(RowStore rowStore, ImageRows imageRows, ListSnapshots snapshots)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Namespace, string? App), KeptList> _kept = [];

    // The same lists, in the order of their last use.
    private readonly LinkedList<KeptList> _byUse = [];
    private long _bytes;

    /// <summary>The maximum size of the lists in memory, about, in bytes. The default is a quarter of the memory of the process, at most 256 MiB.</summary>
    public long MaxBytes { get; init; } =
        Math.Min(256L * 1024 * 1024, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);

    /// <summary>The number of lists in memory.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _kept.Count;
            }
        }
    }

    /// <summary>The list of a namespace, or a list that has at least all images of one app of it.</summary>
    /// <param name="namespace">The namespace.</param>
    /// <param name="app">The app; null for all.</param>
    /// <param name="sequences">The sequence numbers that the list must not be older than.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="StorageUnavailableException">The sequence number or the rows cannot be read now. An old list is never returned.</exception>
    public async Task<NamespaceList> CurrentAsync(
        string @namespace,
        string? app,
        SequenceReads sequences,
        CancellationToken cancellationToken
    )
    {
        var version = await sequences.OfAsync(@namespace);
        if (Known(@namespace, app) is { } known && !known.Version.MayLeadTo(version) && known.MadeAt < sequences.Begun)
        {
            // Numbers only grow, and each belongs to one version: the storage account was emptied or restored.
            Forget(@namespace);
        }

        if (version.Seq == 0)
        {
            return NamespaceList.Empty;
        }

        var kept = Kept(@namespace, app);
        Metrics.ListRead(isHit: kept.List?.IsAtLeast(version) == true);
        var list = await kept.AtLeastAsync(version, cancellationToken);
        Trim(kept);
        return list;
    }

    /// <summary>As the other overload, where no sequence number was prefetched.</summary>
    public Task<NamespaceList> CurrentAsync(string @namespace, string? app, CancellationToken cancellationToken) =>
        CurrentAsync(@namespace, app, new SequenceReads(rowStore, cancellationToken), cancellationToken);

    private NamespaceList? Known(string @namespace, string? app)
    {
        lock (_gate)
        {
            return (_kept.GetValueOrDefault((@namespace, null)) ?? _kept.GetValueOrDefault((@namespace, app)))?.List;
        }
    }

    private void Forget(string @namespace)
    {
        lock (_gate)
        {
            foreach (var kept in _kept.Values.Where(k => k.Key.Namespace == @namespace).ToList())
            {
                Remove(kept);
            }
        }
    }

    // The list of the whole namespace serves for its apps as well.
    private KeptList Kept(string @namespace, string? app)
    {
        lock (_gate)
        {
            var kept = _kept.GetValueOrDefault((@namespace, null));
            if (kept is null && !_kept.TryGetValue((@namespace, app), out kept))
            {
                _kept.Add((@namespace, app), kept = new KeptList(rowStore, imageRows, snapshots, @namespace, app));
                _bytes += kept.Counted;
            }
            else
            {
                _byUse.Remove(kept.Use);
            }

            _byUse.AddLast(kept.Use);
            return kept;
        }
    }

    // Drops the least recently used lists, but never the last two: a request needs its account's list and the official one, and
    // if one were dropped for the other, each request would scan again. There may be thousands of small lists, so this does not
    // go through all of them.
    private void Trim(KeptList used)
    {
        lock (_gate)
        {
            if (used.Use.List is null)
            {
                // It was dropped meanwhile.
                return;
            }

            _bytes += used.Bytes - used.Counted;
            used.Counted = used.Bytes;
            // It may have taken long to make, while others were used.
            _byUse.Remove(used.Use);
            _byUse.AddLast(used.Use);
            while (_byUse.Count > 2 && _bytes > MaxBytes)
            {
                Remove(_byUse.First!.Value);
            }
        }
    }

    private void Remove(KeptList kept)
    {
        _kept.Remove(kept.Key);
        _byUse.Remove(kept.Use);
        _bytes -= kept.Counted;
    }
}
