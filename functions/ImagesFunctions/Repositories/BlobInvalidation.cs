using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>
/// Invalidates a blob's row when its bytes are gone or are others, and hides every image that needs them. The row is marked
/// first: from then on no image can be committed that needs it. So what is found afterwards to need it is all there is,
/// and none of the steps has to be made again because something else was committed.
/// </summary>
internal sealed class BlobInvalidation(RowStore rowStore, Content content)
{
    private const int MaxHidden = 90;
    private const int MaxCharacters = 300_000;

    /// <summary>
    /// Does nothing where the row is not this one any more, or the stored blob is again what the row says. Goes on where an
    /// earlier one was killed.
    /// </summary>
    /// <param name="path">The blob.</param>
    /// <param name="blob">Its row.</param>
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

    // True: look once more. A round that finds nothing to hide comes after the commits of all others, and is the last.
    private static async Task<Decision<bool>> HideAsync(
        DecisionView view,
        BlobRow blob,
        CancellationToken cancellationToken
    )
    {
        if (Same(await view.GetAsync(blob.Key, cancellationToken), blob) is not { State: BlobState.Invalid } row)
        {
            // Good bytes have landed meanwhile.
            return Decision.Nothing(false);
        }

        var changes = new List<Change>();
        var seen = new HashSet<Digest> { blob.Digest };
        var hurt = new Queue<Digest>(seen);
        while (
            hurt.TryDequeue(out var digest) && changes.Count < MaxHidden && changes.Sum(c => c.Length) < MaxCharacters
        )
        {
            if (
                await view.ImageAsync(blob.App, digest, cancellationToken) is { State: ImageState.Complete } image
            )
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

        // With what it hides, a round writes the blob's row as it is: if that was renewed meanwhile, nothing is hidden.
        return changes.Count == 0
            ? Decision.Of(false, [new Change(row.Key, null, row.RowETag)])
            : Decision.Of(true, [.. changes, Write(view, row)]);
    }

    private static BlobRow? Same(TableRow? entity, BlobRow blob) =>
        entity is not null && BlobRow.From(entity) is var row && row.BlobETag == blob.BlobETag ? row : null;

    private static Change Write(DecisionView view, BlobRow row) => new(row.Key, row.ToRow(), row.RowETag);
}
