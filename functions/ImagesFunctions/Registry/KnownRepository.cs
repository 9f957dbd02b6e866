using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Registry;

/// <summary>Whether a repository is known: it has or had content, and its rows are not swept yet.</summary>
internal static class KnownRepository
{
    /// <summary>Whether it has a row of an image, a tag, a dependency, a referrer or a layout.</summary>
    public static async Task<bool> IsKnownAsync(
        this StorageAccount account,
        Repository repository,
        CancellationToken cancellationToken
    )
    {
        var (ns, app) = (repository.Namespace, repository.App);
        if (await account.ImageRows.GetAsync(ns, Keys.Layout(app), cancellationToken) is not null)
        {
            return true;
        }

        foreach (var kind in "itnr")
        {
            var rows = account.ImageRows.Stream(ns, Keys.OfApp(kind, app), "app");
            await foreach (var _ in rows.WithCancellation(cancellationToken))
            {
                return true;
            }
        }

        return false;
    }
}
