using ImagesFunctions.Oci;

namespace ImagesFunctions.Storage;

/// <summary>Takes a blob's row back when its bytes are gone or are others, and hides every image that needs them.</summary>
internal sealed class TakeBack(Catalog catalog, Content content)
{
    private const int MostHidden = 90;
    private const int MostCharacters = 300_000;

    /// <summary>Does nothing where the row is not this one any more, or the stored blob is again what the row says.</summary>
    public async Task RunAsync(Repository repository, BlobRow blob, CancellationToken cancellationToken)
    {
        while (
            await catalog.CommitAsync(
                repository.Namespace,
                (view, stop) => DecideAsync(view, repository, blob, stop),
                cancellationToken
            )
        ) { }
    }

    // True: there is more to hide than one transaction holds; the blob's own row goes with the last one.
    private async Task<Decision<bool>> DecideAsync(
        CatalogView view,
        Repository repository,
        BlobRow blob,
        CancellationToken cancellationToken
    )
    {
        var entity = await view.GetAsync(blob.Key, cancellationToken);
        if (entity is null || BlobRow.From(entity) is not { IsDeleting: false } row || row.BlobETag != blob.BlobETag)
        {
            return Decision.Nothing(false);
        }

        if (await content.IsStillAsync(LayoutPath.Of(repository, blob.Digest), row.BlobETag, cancellationToken))
        {
            return Decision.Nothing(false);
        }

        // An image that is committed meanwhile may need the blob, and its needs are not in the log: its own row is.
        view.Watch(Keys.OfApp('i', repository.App));
        var changes = new List<Change>();
        var seen = new HashSet<Digest> { blob.Digest };
        var hurt = new Queue<Digest>(seen);
        while (hurt.TryDequeue(out var digest))
        {
            if (await view.GetAsync(Keys.Image(repository.App, digest), cancellationToken) is { } image)
            {
                var complete = ImageRow.From(image);
                if (complete.State == ImageState.Complete)
                {
                    changes.Add(
                        new Change(complete.Key, (complete with { State = ImageState.Hidden }).ToEntity(view.Namespace))
                    );
                }
            }

            if (changes.Count >= MostHidden || changes.Sum(c => c.Length) > MostCharacters)
            {
                // The blob's row goes along as it is: if it is renewed meanwhile, nothing is hidden for a reason that is gone.
                return Decision.Of(true, [.. changes, new Change(row.Key, row.ToEntity(view.Namespace), row.RowETag)]);
            }

            foreach (var need in await view.RangeAsync(Keys.Needs(repository.App, digest), cancellationToken))
            {
                if (NeedRow.From(need).By.Digest is { } by && seen.Add(by))
                {
                    hurt.Enqueue(by);
                }
            }
        }

        return Decision.Of(false, [.. changes, new Change(row.Key, null, row.RowETag)]);
    }
}
