using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Listing;

/// <summary>Makes an <see cref="IngestStatus"/> from the rows.</summary>
internal sealed class StatusReader
{
    private readonly RowStore _rowStore;
    private readonly Content _content;
    private readonly ImageRows _imageRows;
    private readonly LayoutIndex _layoutIndex;
    private readonly StorageClock _clock;
    private readonly CoalescedReads<IngestStatus> _problems;

    public StatusReader(
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
        // It reads all rows of the namespace, so requests at the same time share one.
        _problems = new(
            async (ns, stop) => await ReadProblemsAsync(ns, app: null, await RowsAsync(ns, app: null, stop), stop)
        )
        {
            MaxTry = TimeSpan.FromMinutes(3),
        };
    }

    /// <summary>The status of one app; of the whole namespace where <paramref name="app"/> is null.</summary>
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

    /// <summary>What waits and what is refused in a namespace; without <c>Listed</c> and <c>Unseen</c>.</summary>
    internal Task<IngestStatus> ProblemsAsync(string @namespace, CancellationToken cancellationToken) =>
        _problems.ReadAsync(@namespace, cancellationToken);

    private async Task<NamespaceRows> RowsAsync(string @namespace, string? app, CancellationToken cancellationToken)
    {
        var rows = await _rowStore.NamespaceAsync(@namespace, app, cancellationToken);
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
        var dependencies = (await _rowStore.RangeAsync(@namespace, range, cancellationToken))
            .Select(DependencyRow.From)
            .ToList();
        var waiting = new WaitingManifests(_rowStore, _layoutIndex, @namespace, rows, dependencies);
        return new IngestStatus(
            Listed: [],
            await waiting.FindAsync(cancellationToken),
            await RefusedAsync(@namespace, app, cancellationToken),
            [.. pending],
            Unseen: []
        )
        {
            Notes =
            [
                .. ImageNote.Of(@namespace, rows),
                .. await DeletedAsync(@namespace, dependencies, rows, cancellationToken),
            ],
        };
    }

    private async Task<List<ImageNote>> DeletedAsync(
        string @namespace,
        List<DependencyRow> dependencies,
        NamespaceRows rows,
        CancellationToken cancellationToken
    )
    {
        var notes = new List<ImageNote>();
        foreach (var layout in dependencies.Where(n => n.Deleted).GroupBy(n => n.App, StringComparer.Ordinal))
        {
            var repository = Repository.Of(@namespace, layout.Key);
            var named = await _layoutIndex.NamedAsync(new IndexPath(repository), cancellationToken);
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

    private static bool IsLive(NamespaceRows rows, DependencyRow dependency) =>
        rows.Images.TryGetValue(Keys.Image(dependency.App, dependency.Needed), out var image)
        && image.State is ImageState.Complete or ImageState.Hidden;

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
        // The container first: a blob that is taken in meanwhile is then found in the rows.
        var stored = await _content.ListAsync(
            app is null ? $"{@namespace}/" : $"{@namespace}/{app}/",
            cancellationToken
        );
        var seen = new HashSet<(LayoutPath Path, string ETag)>();
        foreach (
            var blob in (await _rowStore.RangeAsync(@namespace, Keys.All('b'), cancellationToken)).Select(BlobRow.From)
        )
        {
            seen.Add((new BlobPath(Repository.Of(@namespace, blob.App), blob.Digest), blob.BlobETag));
        }

        foreach (var layout in await _rowStore.RangeAsync(@namespace, Keys.All('j'), cancellationToken))
        {
            seen.Add((new IndexPath(Repository.Of(@namespace, layout.Text("app"))), layout.Text("etag")));
        }

        var refused = (await _rowStore.RangeAsync(@namespace, Keys.All('x'), cancellationToken))
            .Select(x => x.Text("path"))
            .ToHashSet(StringComparer.Ordinal);
        return [.. stored.Where(IsUnseen).Select(b => Refusals.Visible(b.Path))];

        bool IsUnseen((string Path, string ETag) blob)
        {
            var path = FileOf(blob.Path);
            var isSeen =
                refused.Contains(blob.Path)
                || (
                    path is null ? ForeignFile.IsOne(blob.Path) : path is MarkerPath || seen.Contains((path, blob.ETag))
                );
            return !isSeen && (app is null || IsOf($"{@namespace}/{app}", blob.Path, path));
        }
    }

    /// <summary>Whether a path is of a repository. One that is no file of a layout is of every repository that it may be meant for.</summary>
    internal static bool IsOf(string repository, string path) => IsOf(repository, path, FileOf(path));

    /// <summary>The repository of a file of a layout; null for any other path.</summary>
    internal static Repository? RepositoryOf(string path) => FileOf(path)?.Repository;

    private static bool IsOf(string repository, string path, LayoutPath? file) =>
        file is not null
            ? file.Repository.ToString() == repository
            : path.StartsWith(repository + '/', StringComparison.Ordinal);

    private static LayoutPath? FileOf(string path) => LayoutPath.TryParse(path, out var file, out _) ? file : null;
}
