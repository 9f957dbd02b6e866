using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Listing;

/// <summary>Reads an <see cref="IngestStatus"/> from the rows.</summary>
public sealed class StatusReader
{
    private readonly RowStore _rowStore;
    private readonly Content _content;
    private readonly ImageRows _imageRows;
    private readonly LayoutIndex _layoutIndex;
    private readonly StorageClock _clock;
    private readonly CoalescedReads<IngestStatus> _problems;

    internal StatusReader(
        RowStore rowStore,
        Content content,
        ImageRows imageRows,
        LayoutIndex layoutIndex,
        StorageClock clock
    )
    {
        _rowStore = rowStore;
        _content = content;
        _imageRows = imageRows;
        _layoutIndex = layoutIndex;
        _clock = clock;
        // It holds all rows of the namespace, so however often it is asked for, there is one at a time.
        _problems = new(
            async (ns, stop) => await ReadProblemsAsync(ns, app: null, await RowsAsync(ns, app: null, stop), stop)
        )
        {
            MaxTry = TimeSpan.FromMinutes(3),
        };
    }

    /// <summary>Reads the status of one app, or of the whole namespace where <paramref name="app"/> is null.</summary>
    public async Task<IngestStatus> ReadAsync(string @namespace, string? app, CancellationToken cancellationToken)
    {
        var rows = await RowsAsync(@namespace, app, cancellationToken);
        var listed = new ListedRows<ImageRow>(row => row)
            .Apply(rows)
            .Values.OfType<ListedRow<ImageRow>>()
            .Select(i => new StatusImage($"{@namespace}/{i.Row.App}", i.Row.Digest.ToString(), i.Tags, i.Row.Size));
        return await ReadProblemsAsync(@namespace, app, rows, cancellationToken) with
        {
            Listed = [.. listed],
            Unseen = await UnseenAsync(@namespace, app, cancellationToken),
        };
    }

    /// <summary>What waits and what was refused in a namespace; what is listed or no event was delivered for is not looked for.</summary>
    internal Task<IngestStatus> ProblemsAsync(string @namespace, CancellationToken cancellationToken) =>
        _problems.ReadAsync(@namespace, cancellationToken);

    private async Task<NamespaceRows> RowsAsync(string @namespace, string? app, CancellationToken cancellationToken)
    {
        var rows = await _rowStore.ReadAsync(@namespace, app, cancellationToken);
        await rows.LoadChildrenAsync(_imageRows, @namespace, cancellationToken);
        return rows;
    }

    private async Task<IngestStatus> ReadProblemsAsync(
        string @namespace,
        string? app,
        NamespaceRows rows,
        CancellationToken cancellationToken
    )
    {
        var pending = rows
            .Tags.Values.Where(t => t.Generation is null)
            .Select(t => new PendingTag($"{@namespace}/{t.App}", t.Tag, t.Digest.ToString()));
        var range = app is null ? Keys.All('n') : Keys.OfApp('n', app);
        var needs = (await _rowStore.RangeAsync(@namespace, range, cancellationToken))
            .Select(DependencyRow.From)
            .ToList();
        return new IngestStatus(
            Listed: [],
            await WaitingAsync(@namespace, needs, rows, cancellationToken),
            await RefusedAsync(@namespace, app, cancellationToken),
            [.. pending],
            Unseen: []
        )
        {
            Notes =
            [
                .. ImageNote.Of(@namespace, rows),
                .. await DeletedAsync(@namespace, needs, rows, cancellationToken),
            ],
        };
    }

    private async Task<List<WaitingManifest>> WaitingAsync(
        string @namespace,
        List<DependencyRow> needs,
        NamespaceRows rows,
        CancellationToken cancellationToken
    )
    {
        var complete = rows
            .Images.Values.Where(i => i.State == ImageState.Complete)
            .Select(i => (i.App, i.Digest))
            .ToHashSet();
        var waiting = new List<WaitingManifest>();
        var needsOf = needs.Where(n => n.By.Digest is not null).ToLookup(n => (n.App, By: n.By.Digest!));
        foreach (var manifest in await WantedAsync(@namespace, needs, needsOf, rows, complete, cancellationToken))
        {
            var missing = new List<string>();
            // Its own blob comes first: before it has landed, nobody knows what else it needs.
            foreach (
                var need in needsOf[manifest]
                    .Prepend(new DependencyRow(manifest.App, manifest.Digest, Dependent.Layout, null))
            )
            {
                if (
                    !complete.Contains((need.App, need.Needed))
                    && !await IsThereAsync(@namespace, need, cancellationToken)
                )
                {
                    missing.Add(need.Needed.ToString());
                }
            }

            if (missing.Count > 0)
            {
                waiting.Add(new WaitingManifest($"{@namespace}/{manifest.App}", manifest.Digest.ToString(), missing));
            }
        }

        return
        [
            .. waiting
                .OrderBy(w => w.Repository, StringComparer.Ordinal)
                .ThenBy(w => w.Manifest, StringComparer.Ordinal),
        ];
    }

    // What somebody still wants and is not complete: rows that say who needs what outlive those who needed it.
    private async Task<IReadOnlyCollection<(string App, Digest Digest)>> WantedAsync(
        string @namespace,
        List<DependencyRow> needs,
        ILookup<(string App, Digest By), DependencyRow> needsOf,
        NamespaceRows rows,
        HashSet<(string App, Digest Digest)> complete,
        CancellationToken cancellationToken
    )
    {
        var wanted = new HashSet<(string App, Digest Digest)>([
            .. rows.Tags.Values.Where(t => t.Generation is null).Select(t => (t.App, t.Digest)),
            .. rows.Images.Values.Where(i => i.State == ImageState.Hidden).Select(i => (i.App, i.Digest)),
        ]);
        foreach (
            var layout in needs
                .Where(n => n.By == Dependent.Layout && !n.Deleted && !complete.Contains((n.App, n.Needed)))
                .GroupBy(n => n.App, StringComparer.Ordinal)
        )
        {
            if (Repository.TryParse($"{@namespace}/{layout.Key}", out var repository))
            {
                var named = await _layoutIndex.NamedAsync(repository, cancellationToken);
                wanted.UnionWith(layout.Where(n => named.Contains(n.Needed)).Select(n => (n.App, n.Needed)));
            }
        }

        var open = new Queue<(string App, Digest Digest)>(wanted);
        while (open.TryDequeue(out var one))
        {
            foreach (var child in needsOf[one].Where(n => n.ManifestType is not null).Select(n => (n.App, n.Needed)))
            {
                if (!complete.Contains(child) && wanted.Add(child))
                {
                    open.Enqueue(child);
                }
            }
        }

        wanted.ExceptWith(complete);
        return wanted;
    }

    private async Task<List<ImageNote>> DeletedAsync(
        string @namespace,
        List<DependencyRow> needs,
        NamespaceRows rows,
        CancellationToken cancellationToken
    )
    {
        var notes = new List<ImageNote>();
        foreach (var layout in needs.Where(n => n.Deleted).GroupBy(n => n.App, StringComparer.Ordinal))
        {
            var repository = Repository.Of(@namespace, layout.Key);
            var named = await _layoutIndex.NamedAsync(repository, cancellationToken);
            notes.AddRange(
                layout
                    .Where(n => named.Contains(n.Needed) && !IsLive(rows, n))
                    .Select(n => new ImageNote(
                        ImageNote.Deleted,
                        repository.ToString(),
                        n.Needed.ToString(),
                        "it was deleted, and index.json still names it",
                        []
                    ))
            );
        }

        return notes;
    }

    private static bool IsLive(NamespaceRows rows, DependencyRow need) =>
        rows.Images.TryGetValue(Keys.Image(need.App, need.Needed), out var image)
        && image.State is ImageState.Complete or ImageState.Hidden;

    private async Task<bool> IsThereAsync(string @namespace, DependencyRow need, CancellationToken cancellationToken) =>
        need.ManifestType is null
        && await _rowStore.GetAsync(@namespace, Keys.Blob(need.App, need.Needed), cancellationToken) is { } row
        && BlobRow.From(row).State == BlobState.Good;

    private async Task<List<RefusedBlob>> RefusedAsync(
        string @namespace,
        string? app,
        CancellationToken cancellationToken
    )
    {
        var now = _clock.UtcNow;
        return
        [
            .. (await _rowStore.RangeAsync(@namespace, Keys.All('x'), cancellationToken))
                .Select(RefusedRow.From)
                .Where(r => r.Expires > now && (app is null || IsOf($"{@namespace}/{app}", r.Path)))
                .OrderBy(r => r.Path, StringComparer.Ordinal)
                .Select(r => new RefusedBlob(
                    Refusals.Visible(r.Path),
                    r.Reason,
                    r.ActualDigest,
                    r.IsFailure ? "failed" : "refused",
                    r.At
                )),
        ];
    }

    private async Task<List<string>> UnseenAsync(string @namespace, string? app, CancellationToken cancellationToken)
    {
        // The container first: what is looked at meanwhile is seen.
        var stored = await _content.ListAsync(
            app is null ? $"{@namespace}/" : $"{@namespace}/{app}/",
            cancellationToken
        );
        var seen = new HashSet<(string Path, string ETag)>();
        foreach (
            var blob in (await _rowStore.RangeAsync(@namespace, Keys.All('b'), cancellationToken)).Select(BlobRow.From)
        )
        {
            seen.Add((LayoutPath.Of(Repository.Of(@namespace, blob.App), blob.Digest), blob.BlobETag));
        }

        foreach (var layout in await _rowStore.RangeAsync(@namespace, Keys.All('j'), cancellationToken))
        {
            seen.Add((LayoutPath.IndexOf(Repository.Of(@namespace, layout.Text("app"))), layout.Text("etag")));
        }

        var refused = (await _rowStore.RangeAsync(@namespace, Keys.All('x'), cancellationToken))
            .Select(x => x.Text("path"))
            .ToHashSet(StringComparer.Ordinal);
        return
        [
            .. stored
                .Where(b =>
                    !seen.Contains(b)
                    && !refused.Contains(b.Path)
                    && !IsLayoutFile(b.Path)
                    && !ForeignFile.IsOne(b.Path)
                )
                .Where(b => app is null || IsOf($"{@namespace}/{app}", b.Path))
                .Select(b => Refusals.Visible(b.Path)),
        ];
    }

    // `oci-layout` says nothing that anybody would look at.
    private static bool IsLayoutFile(string path) =>
        LayoutPath.TryParse(path, out var parsed, out _) && parsed is { Digest: null, IsIndex: false };

    // A path that is none of a layout's belongs to every repository that it may be meant for.
    internal static bool IsOf(string repository, string path) =>
        LayoutPath.TryParse(path, out var parsed, out _)
            ? parsed.Repository.ToString() == repository
            : path.StartsWith(repository + '/', StringComparison.Ordinal);
}
