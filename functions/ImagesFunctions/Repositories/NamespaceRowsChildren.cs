using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>Children of indexes that are too long for their rows.</summary>
internal static class NamespaceRowsChildren
{
    /// <summary>Loads the children of indexes whose facts are in a blob.</summary>
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
