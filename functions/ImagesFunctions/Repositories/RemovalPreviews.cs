using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>What would follow from the removal of an image, as it is now.</summary>
/// <param name="NeededBy">The live index or image that needs it, so that it stays; or null.</param>
/// <param name="Children">The manifests that only this index names.</param>
/// <param name="Blobs">The configs and layers that nothing else in the repository needs.</param>
/// <param name="Bytes">Their sizes together, in bytes.</param>
/// <param name="IsWhole">Whether all were looked at; else there are too many.</param>
internal sealed record RemovalPreview(
    Digest? NeededBy,
    IReadOnlyList<Digest> Children,
    IReadOnlyList<string> Blobs,
    long Bytes,
    bool IsWhole
);

/// <summary>Says what a removal would lead to. It promises nothing: the removal decides anew.</summary>
internal sealed class RemovalPreviews(RowStore rowStore, ImageRows imageRows)
{
    private const int MaxReads = 500;

    /// <summary>Looks at an image.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="image">Its row.</param>
    /// <param name="isTagged">Whether a manifest has a tag, and so stays for itself.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    public async Task<RemovalPreview> OfAsync(
        Repository repository,
        ImageRow image,
        Func<Digest, bool> isTagged,
        CancellationToken cancellationToken
    )
    {
        var row = await imageRows.WithFactsAsync(repository.Namespace, image, cancellationToken);
        var needing = await rowStore.LiveDependentsAsync(repository, row.Digest, cancellationToken);
        var neededBy = needing.Count > 0 ? needing[0] : null;
        if (row.Children.Count + row.BlobSizes.Count > MaxReads)
        {
            return new RemovalPreview(neededBy, [], [], 0, IsWhole: false);
        }

        // What goes with it: an index takes along the manifests that nothing else names.
        var going = new HashSet<Digest> { row.Digest };
        var children = row.Children.Select(ImageRow.Parse).Where(c => !isTagged(c));
        await foreach (
            var (child, by) in children.ReadEachAsync(c =>
                rowStore.LiveDependentsAsync(repository, c, cancellationToken)
            )
        )
        {
            if (by.All(going.Contains))
            {
                going.Add(child);
            }
        }

        var blobs = new List<string>();
        await foreach (
            var (blob, by) in row.BlobSizes.Keys.ReadEachAsync(b =>
                rowStore.LiveDependentsAsync(repository, ImageRow.Parse(b), cancellationToken)
            )
        )
        {
            if (by.All(going.Contains))
            {
                blobs.Add(blob);
            }
        }

        going.Remove(row.Digest);
        return new RemovalPreview(neededBy, [.. going], blobs, blobs.Sum(b => row.BlobSizes[b]), IsWhole: true);
    }
}
