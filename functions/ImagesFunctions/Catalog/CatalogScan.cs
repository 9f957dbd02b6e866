using ImagesFunctions.Journal;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Catalog;

/// <summary>Makes the state of a catalog from the rows themselves: for a store without one, and where the log has gaps.</summary>
internal static class CatalogScan
{
    private static readonly string[] s_blob = ["app", "digest", "state", "blob_etag"];
    private static readonly string[] s_need = ["app", "needed", "by", "deleted"];

    /// <summary>Reads the rows as they were at one moment after the call. Its number is 0 where the namespace has no commit.</summary>
    /// <exception cref="StorageUnavailableException">They change faster than they can be read.</exception>
    public static async Task<CatalogState> ReadAsync(
        StorageAccount account,
        RowStore rowStore,
        string @namespace,
        CancellationToken cancellationToken
    )
    {
        // Before the rows: what is committed again meanwhile has a row by then.
        var deleted = await DeletedAsync(account, @namespace, cancellationToken);
        var state = new CatalogState();
        var version = await rowStore.ScanAsync(
            @namespace,
            [Keys.All('i'), Keys.All('t'), Keys.All('j'), Keys.All('p')],
            () =>
            {
                state = new CatalogState();
                return Apply;
            },
            cancellationToken
        );
        (state.Seq, state.Tag) = (version.Seq, version.Tag);
        foreach (var image in deleted.Where(d => !state.HasImage(Keys.Image(d.App, d.Digest))))
        {
            state.Deleted[image.Key] = image;
        }

        return state;

        void Apply(string key, TableRow? row)
        {
            if (row is null)
            {
                state.Rows.Remove(key);
            }
            else
            {
                state.Rows[key] = CatalogRow.Of(row);
            }
        }
    }

    // Bytes that are being removed, and what an index.json names although it was deleted.
    private static async Task<List<DeletedImage>> DeletedAsync(
        StorageAccount account,
        string @namespace,
        CancellationToken cancellationToken
    )
    {
        var deleted = new Dictionary<string, DeletedImage>(StringComparer.Ordinal);
        var blobs = account.ImageRows.StreamWithRetries(@namespace, Keys.All('b'), s_blob);
        await foreach (var row in blobs.WithCancellation(cancellationToken))
        {
            var blob = BlobRow.From(row);
            if (blob.IsBeingRemoved)
            {
                Add(new DeletedImage(blob.App, blob.Digest, blob.BlobETag, DateTimeOffset.UnixEpoch, IsNamed: false));
            }
        }

        var needs = account.ImageRows.StreamWithRetries(@namespace, Keys.All('n'), s_need);
        await foreach (var row in needs.WithCancellation(cancellationToken))
        {
            var need = DependencyRow.From(row);
            if (need.Deleted)
            {
                Add(new DeletedImage(need.App, need.Needed, ETag: null, DateTimeOffset.UnixEpoch, IsNamed: true));
            }
        }

        return [.. deleted.Values];

        void Add(DeletedImage image) =>
            deleted[image.Key] = deleted.TryGetValue(image.Key, out var known)
                ? known with
                {
                    ETag = known.ETag ?? image.ETag,
                    IsNamed = known.IsNamed || image.IsNamed,
                }
                : image;
    }
}
