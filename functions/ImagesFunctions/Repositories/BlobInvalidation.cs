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
    public async Task RunAsync(Repository repository, BlobRow blob, CancellationToken cancellationToken)
    {
        var goesOn = await rowStore.CommitAsync(
            repository.Namespace,
            (view, stop) => MarkAsync(view, repository, blob, stop),
            cancellationToken
        );
        while (goesOn)
        {
            goesOn = await rowStore.CommitAsync(
                repository.Namespace,
                (view, stop) => HideAsync(view, repository, blob, stop),
                cancellationToken
            );
        }
    }

    private async Task<Decision<bool>> MarkAsync(
        DecisionView view,
        Repository repository,
        BlobRow blob,
        CancellationToken cancellationToken
    )
    {
        if (Same(await view.GetAsync(blob.Key, cancellationToken), blob) is not { State: not BlobState.Deleting } row)
        {
            return Decision.Nothing(false);
        }

        if (row.State == BlobState.Bad)
        {
            return Decision.Nothing(true);
        }

        var path = LayoutPath.Of(repository, blob.Digest);
        return await content.IsStillAsync(path, row.BlobETag, cancellationToken)
            ? Decision.Nothing(false)
            : Decision.Of(true, [Write(view, row with { State = BlobState.Bad })]);
    }

    /// <summary>Decides a round: hides images that need the blob, as many as fit a commit; or, if none is left, removes its row.</summary>
    /// <returns>True: look once more. A round that finds nothing to hide comes after the commits of all others, and is the last.</returns>
    internal static async Task<Decision<bool>> HideAsync(
        DecisionView view,
        Repository repository,
        BlobRow blob,
        CancellationToken cancellationToken
    )
    {
        if (Same(await view.GetAsync(blob.Key, cancellationToken), blob) is not { State: BlobState.Bad } row)
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
                ImageRow.Live(await view.GetAsync(Keys.Image(repository.App, digest), cancellationToken)) is
                { State: ImageState.Complete } image
            )
            {
                var hidden = image with { State = ImageState.Hidden };
                changes.Add(new Change(hidden.Key, hidden.ToRow()));
            }

            foreach (var need in await view.RangeAsync(Keys.Needs(repository.App, digest), cancellationToken))
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
