using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>
/// Invalidates a blob's row when the stored bytes are gone or changed, and hides every image that needs them. The row is marked
/// first: from then on no image that needs it can be committed. So the dependents that are found afterwards are complete, and no
/// step has to be repeated because of other commits.
/// </summary>
internal sealed class BlobInvalidation(RowStore rowStore, Content content)
{
    private const int MaxHidden = 90;
    private const int MaxCharacters = 300_000;

    /// <summary>
    /// Does nothing when the row has changed, or when the stored blob is again what the row says. Completes an earlier
    /// invalidation that was killed.
    /// </summary>
    /// <param name="path">The blob.</param>
    /// <param name="blob">The blob's row as it was read.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task RunAsync(BlobPath path, BlobRow blob, CancellationToken cancellationToken)
    {
        var goesOn = await rowStore.CommitAsync(
            path.Repository.Namespace,
            (view, stop) => MarkAsync(view, path, blob, stop),
            cancellationToken
        );
        while (goesOn)
        {
            goesOn = await rowStore.CommitAsync(
                path.Repository.Namespace,
                (view, stop) => HideAsync(view, blob, stop),
                cancellationToken
            );
        }
    }

    private async Task<Decision<bool>> MarkAsync(
        DecisionView view,
        BlobPath path,
        BlobRow blob,
        CancellationToken cancellationToken
    )
    {
        if (Same(await view.GetAsync(blob.Key, cancellationToken), blob) is not { State: not BlobState.Deleting } row)
        {
            return Decision.Nothing(false);
        }

        if (row.State == BlobState.Invalid)
        {
            return Decision.Nothing(true);
        }

        return await content.IsStillAsync(path, row.BlobETag, cancellationToken)
            ? Decision.Nothing(false)
            : Decision.Of(true, [Write(view, row with { State = BlobState.Invalid })]);
    }

    /// <summary>Decides a round: hides images that need the blob, as many as fit a commit; or, if none is left, says in its row that it is removed.</summary>
    /// <returns>True: look once more. A round that finds nothing to hide comes after the commits of all others, and is the last.</returns>
    internal static async Task<Decision<bool>> HideAsync(
        DecisionView view,
        BlobRow blob,
        CancellationToken cancellationToken
    )
    {
        if (Same(await view.GetAsync(blob.Key, cancellationToken), blob) is not { State: BlobState.Invalid } row)
        {
            // Valid bytes have landed since.
            return Decision.Nothing(false);
        }

        var changes = new List<Change>();
        var seen = new HashSet<Digest> { blob.Digest };
        var hurt = new Queue<Digest>(seen);
        while (
            hurt.TryDequeue(out var digest) && changes.Count < MaxHidden && changes.Sum(c => c.Length) < MaxCharacters
        )
        {
            if (await view.ImageAsync(blob.App, digest, cancellationToken) is { State: ImageState.Complete } image)
            {
                var hidden = image with { State = ImageState.Hidden };
                changes.Add(new Change(hidden.Key, hidden.ToRow()));
            }

            foreach (var need in await view.RangeAsync(Keys.Dependencies(blob.App, digest), cancellationToken))
            {
                if (DependencyRow.From(need).By.Digest is { } by && seen.Add(by))
                {
                    hurt.Enqueue(by);
                }
            }
        }

        // The same commit writes the blob's row unchanged: if the row was renewed since, the commit fails and nothing is hidden.
        return changes.Count == 0
            ? Decision.Of(false, [Write(view, row.AsRemoved())])
            : Decision.Of(true, [.. changes, Write(view, row)]);
    }

    private static BlobRow? Same(TableRow? entity, BlobRow blob) =>
        entity is not null && BlobRow.From(entity) is var row && row.BlobETag == blob.BlobETag ? row : null;

    private static Change Write(DecisionView view, BlobRow row) => new(row.Key, row.ToRow(), row.RowETag);
}
