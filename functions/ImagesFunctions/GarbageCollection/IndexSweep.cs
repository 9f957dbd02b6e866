using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Reads the rows of images, and sweeps indexes that are deleted or wait, and what they name.</summary>
internal sealed class IndexSweep(SweepRun run, Survey survey, ImageRows imageRows, Garbage garbage)
{
    /// <summary>Reads all rows <c>i</c>, without their facts, which are long.</summary>
    /// <exception cref="InvalidOperationException">One is of a newer schema: then nothing may be swept.</exception>
    public async Task ReadImagesAsync(CancellationToken cancellationToken)
    {
        await foreach (var row in run.StreamAsync('i', ImageHead.Columns).WithCancellation(cancellationToken))
        {
            var image = ImageHead.From(row);
            survey.Add(image);
            if (image.State is ImageState.Deleted or ImageState.Waiting)
            {
                survey.Indexes.Add((run.RepositoryOf(image.App), image.Digest));
            }
            else if (image.State == ImageState.Hidden)
            {
                // What it misses may have come, and the process that brought it may have been killed.
                await run.LandedAsync(run.PathOf(image.App, image.Digest), kind: null, cancellationToken);
            }
        }
    }

    /// <summary>
    /// Removes the images of deleted indexes, before anything that they need is looked at, so that it goes in the same sweep.
    /// </summary>
    public async Task SweepChildrenAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < survey.Indexes.Count; i++)
        {
            var (repository, digest) = survey.Indexes[i];
            if (await ReadAsync(repository, digest, cancellationToken) is not { State: ImageState.Deleted } index)
            {
                continue;
            }

            foreach (var child in index.Children.Select(ImageRow.Parse))
            {
                if (await IsRemovedAsync(repository, digest, child, cancellationToken))
                {
                    // An index among them has children of its own.
                    survey.Indexes.Add((repository, child));
                }
            }
        }
    }

    /// <summary>
    /// Removes the rows of indexes of which nothing is left, behind those of what they need: as long as those are there, what they
    /// name may still come and be an image.
    /// </summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        foreach (var (repository, digest) in survey.Indexes)
        {
            if (
                !survey.Dependents.Contains(Fingerprint.Of(repository.App, digest))
                && await ReadAsync(repository, digest, cancellationToken) is { } index
                && await run.TryAsync(() => garbage.Rows.RemoveIndexAsync(repository, index, cancellationToken)) > 0
            )
            {
                run.Counts.Add(SweepKind.Indexes);
            }
        }
    }

    private async Task<bool> IsRemovedAsync(
        Repository repository,
        Digest index,
        Digest child,
        CancellationToken cancellationToken
    )
    {
        var image = Fingerprint.Of(repository.App, child);
        if (
            !survey.IsLive(image)
            || survey.Tagged.Contains(image)
            || await run.TryAsync(() => garbage.Blobs.RemoveChildAsync(repository, index, child, cancellationToken))
                <= 0
        )
        {
            return false;
        }

        run.Counts.Add(SweepKind.Children);
        survey.Forget(repository.App, child);
        return true;
    }

    private async Task<ImageRow?> ReadAsync(
        Repository repository,
        Digest digest,
        CancellationToken cancellationToken
    ) =>
        await run.Account.ImageRows.GetAsync(run.Namespace, Keys.Image(repository.App, digest), cancellationToken)
            is { } row
        && ImageRow.From(row) is { State: ImageState.Deleted or ImageState.Waiting } index
            ? await imageRows.WithFactsAsync(run.Namespace, index, cancellationToken)
            : null;
}
