using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>What indexes name that is too long to stand in their rows.</summary>
internal static class NamespaceRowsChildren
{
    /// <summary>Fetches the children of those indexes that were too long to stand in their rows.</summary>
    public static async Task LoadChildrenAsync(
        this NamespaceRows rows,
        ImageRows imageRows,
        string @namespace,
        CancellationToken cancellationToken
    )
    {
        var incomplete = rows.Images.Where(i => !i.Value.HasFacts && MediaTypes.IsIndex(i.Value.MediaType));
        foreach (var (key, row) in incomplete.ToList())
        {
            rows.Images[key] = await imageRows.WithFactsAsync(@namespace, row, cancellationToken);
        }
    }
}
