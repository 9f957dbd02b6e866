using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Catalog;

/// <summary>Forgets deleted images of which nothing is left that could bring them back.</summary>
internal static class CatalogPrune
{
    // Two point reads each.
    private const int MaxAtOnce = 500;

    /// <summary>Looks at some of them: their bytes are removed, and no applied <c>index.json</c> names them.</summary>
    public static async Task RunAsync(
        StorageAccount account,
        string @namespace,
        CatalogState state,
        CancellationToken cancellationToken
    )
    {
        foreach (var deleted in state.Deleted.Values.Take(MaxAtOnce).ToList())
        {
            var (app, digest) = (deleted.App, deleted.Digest);
            var need = Keys.Dependency(app, digest, Dependent.Layout);
            if (
                BlobRow.FromOrNull(
                    await account.ImageRows.GetAsync(@namespace, Keys.Blob(app, digest), cancellationToken)
                )
                    is null
                        or { IsRemoved: true }
                && (
                    await account.ImageRows.GetAsync(@namespace, need, cancellationToken) is not { } row
                    || !DependencyRow.From(row).Deleted
                )
            )
            {
                state.Deleted.Remove(deleted.Key);
            }
        }
    }
}
