using ImagesFunctions.Oci;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Ingest;

/// <summary>What is listed, what waits and what was refused: the answer to "why is my drop not listed?"</summary>
/// <param name="Listed">Images that count, sorted by repository and digest.</param>
/// <param name="Waiting">Manifests that miss something.</param>
/// <param name="Refused">Blobs that do not count.</param>
/// <param name="PendingTags">Tags whose image is not there yet.</param>
public sealed record IngestStatus(
    IReadOnlyList<ListedImage> Listed,
    IReadOnlyList<WaitingManifest> Waiting,
    IReadOnlyList<RefusedBlob> Refused,
    IReadOnlyList<PendingTag> PendingTags
);

/// <summary>An image that counts.</summary>
public sealed record ListedImage(string Repository, string Digest, IReadOnlyList<string> Tags, long Size);

/// <summary>A manifest that waits for these digests: its own, if its blob has not landed.</summary>
public sealed record WaitingManifest(string Repository, string Manifest, IReadOnlyList<string> Missing);

/// <summary>A blob that does not count. State is <c>refused</c> for bad input, <c>failed</c> where storage failed five times.</summary>
public sealed record RefusedBlob(string Path, string Reason, string? ActualDigest, string State, DateTimeOffset At);

/// <summary>A tag that waits for its image.</summary>
public sealed record PendingTag(string Repository, string Tag, string Digest);

/// <summary>Reads an <see cref="IngestStatus"/> from the rows.</summary>
public sealed class StatusReader
{
    private readonly Catalog _catalog;
    private readonly Content _content;
    private readonly TimeProvider _time;

    internal StatusReader(Catalog catalog, Content content, TimeProvider time)
    {
        _catalog = catalog;
        _content = content;
        _time = time;
    }

    /// <summary>Reads the status of one app, or of the whole namespace where <paramref name="app"/> is null.</summary>
    public async Task<IngestStatus> ReadAsync(string @namespace, string? app, CancellationToken cancellationToken)
    {
        var rows = await _catalog.ReadAsync(@namespace, app, cancellationToken);
        await rows.LoadFactsAsync(_content, cancellationToken);
        var listed = rows.Listed()
            .Select(i => new ListedImage($"{@namespace}/{i.Row.App}", i.Row.Digest.ToString(), i.Tags, i.Row.Size));
        var pending = rows
            .Tags.Values.Where(t => t.Generation is null)
            .Select(t => new PendingTag($"{@namespace}/{t.App}", t.Tag, t.Digest.ToString()));
        return new IngestStatus(
            [.. listed],
            await WaitingAsync(@namespace, app, rows, cancellationToken),
            await RefusedAsync(@namespace, app, cancellationToken),
            [.. pending]
        );
    }

    private async Task<List<WaitingManifest>> WaitingAsync(
        string @namespace,
        string? app,
        NamespaceRows rows,
        CancellationToken cancellationToken
    )
    {
        var complete = rows
            .Images.Values.Where(i => i.State == ImageState.Complete)
            .Select(i => (i.App, i.Digest))
            .ToHashSet();
        var needRows = await _catalog.RangeAsync(
            @namespace,
            app is null ? Keys.All('n') : Keys.OfApp('n', app),
            cancellationToken
        );
        var missing = new SortedDictionary<(string App, string Manifest), List<string>>();
        foreach (var need in needRows.Select(NeedRow.From))
        {
            // A tag or an index.json that needs a manifest: the manifest itself is what waits.
            var waiting = need.By.Digest ?? need.Needed;
            if (complete.Contains((need.App, waiting)))
            {
                continue;
            }

            var list = missing.TryGetValue((need.App, waiting.ToString()), out var known)
                ? known
                : missing[(need.App, waiting.ToString())] = [];
            var there =
                need.ManifestType is not null && need.By.Digest is not null
                    ? complete.Contains((need.App, need.Needed))
                    : await IsBlobThereAsync(@namespace, need, cancellationToken);
            if (!there && !list.Contains(need.Needed.ToString(), StringComparer.Ordinal))
            {
                list.Add(need.Needed.ToString());
            }
        }

        return
        [
            .. missing
                .Where(m => m.Value.Count > 0)
                .Select(m => new WaitingManifest($"{@namespace}/{m.Key.App}", m.Key.Manifest, m.Value)),
        ];
    }

    private async Task<bool> IsBlobThereAsync(string @namespace, NeedRow need, CancellationToken cancellationToken) =>
        await _catalog.GetAsync(@namespace, Keys.Blob(need.App, need.Needed), cancellationToken) is { } row
        && !BlobRow.From(row).IsDeleting;

    private async Task<List<RefusedBlob>> RefusedAsync(
        string @namespace,
        string? app,
        CancellationToken cancellationToken
    )
    {
        var now = _time.GetUtcNow();
        var prefix = app is null ? null : $"{@namespace}/{app}/";
        return
        [
            .. (await _catalog.RangeAsync(@namespace, Keys.All('x'), cancellationToken))
                .Select(RefusedRow.From)
                .Where(r => r.Expires > now && (prefix is null || r.Path.StartsWith(prefix, StringComparison.Ordinal)))
                .OrderBy(r => r.Path, StringComparer.Ordinal)
                .Select(r => new RefusedBlob(
                    r.Path,
                    r.Reason,
                    r.ActualDigest,
                    r.IsFailure ? "failed" : "refused",
                    r.At
                )),
        ];
    }
}
