using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Listing;

/// <summary>Finds the manifests of a namespace, or of one app of it, that wait, and what each of them misses.</summary>
internal sealed class WaitingManifests
{
    private readonly RowStore _rowStore;
    private readonly LayoutIndex _layoutIndex;
    private readonly string _namespace;
    private readonly NamespaceRows _rows;
    private readonly IReadOnlyList<DependencyRow> _dependencies;
    private readonly ILookup<(string App, Digest By), DependencyRow> _dependenciesOf;
    private readonly HashSet<(string App, Digest Digest)> _complete;

    /// <summary>Looks at these rows.</summary>
    /// <param name="rowStore">Reads the rows of blobs.</param>
    /// <param name="layoutIndex">Reads <c>index.json</c> files.</param>
    /// <param name="namespace">The namespace.</param>
    /// <param name="rows">Its image and tag rows.</param>
    /// <param name="dependencies">Its dependency rows.</param>
    public WaitingManifests(
        RowStore rowStore,
        LayoutIndex layoutIndex,
        string @namespace,
        NamespaceRows rows,
        IReadOnlyList<DependencyRow> dependencies
    )
    {
        (_rowStore, _layoutIndex, _namespace, _rows, _dependencies) = (
            rowStore,
            layoutIndex,
            @namespace,
            rows,
            dependencies
        );
        _dependenciesOf = dependencies.Where(d => d.By.Digest is not null).ToLookup(d => (d.App, By: d.By.Digest!));
        _complete = rows
            .Images.Values.Where(i => i.State == ImageState.Complete)
            .Select(i => (i.App, i.Digest))
            .ToHashSet();
    }

    /// <summary>The waiting manifests, sorted by repository and digest.</summary>
    public async Task<IReadOnlyList<WaitingManifest>> FindAsync(CancellationToken cancellationToken)
    {
        var waiting = new List<WaitingManifest>();
        foreach (var (app, digest) in await WantedAsync(cancellationToken))
        {
            var missing = await MissingAsync(app, digest, cancellationToken);
            if (missing.Count > 0)
            {
                waiting.Add(new WaitingManifest($"{_namespace}/{app}", digest.ToString(), missing));
            }
        }

        return
        [
            .. waiting
                .OrderBy(w => w.Repository, StringComparer.Ordinal)
                .ThenBy(w => w.Manifest, StringComparer.Ordinal),
        ];
    }

    private async Task<List<string>> MissingAsync(string app, Digest manifest, CancellationToken cancellationToken)
    {
        var missing = new List<string>();
        // Its own blob first: before it has landed, its dependencies are unknown.
        var own = new DependencyRow(app, manifest, Dependent.Layout, null);
        foreach (var dependency in _dependenciesOf[(app, manifest)].Prepend(own))
        {
            if (!_complete.Contains((app, dependency.Needed)) && !await IsThereAsync(dependency, cancellationToken))
            {
                missing.Add(dependency.Needed.ToString());
            }
        }

        return missing;
    }

    // Incomplete manifests that are still wanted: dependency rows outlive their dependents.
    private async Task<IReadOnlyCollection<(string App, Digest Digest)>> WantedAsync(
        CancellationToken cancellationToken
    )
    {
        var wanted = new HashSet<(string App, Digest Digest)>([
            .. _rows.Tags.Values.Where(t => t.Generation is null).Select(t => (t.App, t.Digest)),
            .. _rows.Images.Values.Where(i => i.State == ImageState.Hidden).Select(i => (i.App, i.Digest)),
        ]);
        foreach (
            var layout in _dependencies
                .Where(d => d.By == Dependent.Layout && !d.Deleted && !_complete.Contains((d.App, d.Needed)))
                .GroupBy(d => d.App, StringComparer.Ordinal)
        )
        {
            if (Repository.TryParse($"{_namespace}/{layout.Key}", out var repository))
            {
                var named = await _layoutIndex.NamedAsync(new IndexPath(repository), cancellationToken);
                wanted.UnionWith(layout.Where(d => named.Contains(d.Needed)).Select(d => (d.App, d.Needed)));
            }
        }

        var open = new Queue<(string App, Digest Digest)>(wanted);
        while (open.TryDequeue(out var manifest))
        {
            var children = _dependenciesOf[manifest].Where(d => d.ManifestType is not null);
            foreach (var child in children.Select(d => (d.App, d.Needed)))
            {
                if (!_complete.Contains(child) && wanted.Add(child))
                {
                    open.Enqueue(child);
                }
            }
        }

        wanted.ExceptWith(_complete);
        return wanted;
    }

    private async Task<bool> IsThereAsync(DependencyRow dependency, CancellationToken cancellationToken) =>
        dependency.ManifestType is null
        && await _rowStore.GetAsync(_namespace, Keys.Blob(dependency.App, dependency.Needed), cancellationToken)
            is { } row
        && BlobRow.From(row).State == BlobState.Good;
}
