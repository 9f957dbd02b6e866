using ImagesFunctions.Journal;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Telemetry;

namespace ImagesFunctions.Listing;

/// <summary>
/// The lists of namespaces, never older than the moment they were asked for: a request reads the namespace's sequence
/// number, and a list that is kept from before is brought up to it from the log. What is not kept begins with its snapshot,
/// or with a scan.
/// </summary>
internal sealed class NamespaceLists(RowStore rowStore, ImageRows imageRows, ListSnapshots snapshots)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Namespace, string? App), KeptList> _kept = [];

    // The same lists; the one that was not used for the longest time comes first.
    private readonly LinkedList<KeptList> _byUse = [];
    private long _bytes;

    /// <summary>About how many bytes the lists that are kept may take. By default a quarter of what the process may have, and 256 MiB at the most.</summary>
    public long MaxBytes { get; init; } =
        Math.Min(256L * 1024 * 1024, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);

    /// <summary>How many lists are kept.</summary>
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

    /// <summary>The list of a namespace, or one that has at least all images of one app of it.</summary>
    /// <param name="namespace">The namespace.</param>
    /// <param name="app">The app, or null for all of them.</param>
    /// <param name="sequences">What the list must not be older than.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="StorageUnavailableException">The namespace's number or its rows cannot be read now. An old list is never the answer.</exception>
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
            // The storage account was emptied or restored under this process.
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

    /// <summary>As the other overload, for one list that nobody read ahead for.</summary>
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

    // The whole namespace's list serves for its apps as well.
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

    // Lets the lists go that were not used for the longest time, but never the two that were used last: a request needs its
    // account's own list and the official one, and if one of them were let go for the other, each request would scan anew.
    // Anybody can have thousands of small lists, so this does not look at them all.
    private void Trim(KeptList used)
    {
        lock (_gate)
        {
            if (used.Use.List is null)
            {
                // It was let go meanwhile.
                return;
            }

            _bytes += used.Bytes - used.Counted;
            used.Counted = used.Bytes;
            // It may have taken long to make, and others were used meanwhile.
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
