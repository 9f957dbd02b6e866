using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>One try to commit a manifest that is stored in the repository: see <see cref="ManifestCommit"/>.</summary>
internal sealed class ManifestTry(RowStore rowStore, Content content, ImageRows imageRows, Refusals refusals)
{
    private const int MaxTries = 5;

    /// <summary>Tries to commit a manifest.</summary>
    public async Task<ManifestOutcome> RunAsync(BlobPath path, CancellationToken cancellationToken)
    {
        try
        {
            var outcome = await TryAsync(path, cancellationToken);
            if (outcome.State is not (ManifestState.Committed or ManifestState.Already))
            {
                return outcome;
            }

            // It may have been refused before, under a media type that was not its own.
            var clearing =
                outcome.State == ManifestState.Committed
                    ? refusals.ClearAsync(path, cancellationToken)
                    : Task.CompletedTask;
            // After the commit, whoever made it: what needs this one writes its row n and then looks for this one's row i.
            var looking = rowStore.DependentsAsync(path.Repository, path.Digest, cancellationToken);
            await Task.WhenAll(clearing, looking);
            var dependents = await looking;
            if (dependents.Exists(d => d.By.WaitingTag is not null))
            {
                await FillTagsAsync(path, cancellationToken);
            }

            return outcome with
            {
                Dependents = [.. Dependencies.Manifests(dependents)],
            };
        }
        catch (InvalidContentException error)
        {
            await refusals.RefuseAsync(
                RefusalKind.Manifest,
                path,
                $"not a usable manifest: {error.Message}",
                null,
                cancellationToken
            );
            return new ManifestOutcome(ManifestState.Refused);
        }
    }

    private async Task<ManifestOutcome> TryAsync(BlobPath path, CancellationToken cancellationToken)
    {
        var isNew = false;
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            var step = new ManifestStep(content, imageRows, path);
            var outcome = await rowStore.CommitAsync(
                path.Repository.Namespace,
                (view, stop) => ManifestDecision.DecideAsync(view, step, stop),
                cancellationToken
            );
            if (outcome.State is not (ManifestState.Waiting or ManifestState.Forgotten))
            {
                return outcome with { IsNew = isNew };
            }

            // Who brings what is missing looks for these rows after that. Where they were not there, it may have been brought
            // and looked for meanwhile: it is decided once more.
            var isWritten = await WriteDependenciesAsync(step, cancellationToken);
            isNew |= isWritten;
            if (!isWritten && outcome.State == ManifestState.Waiting)
            {
                return outcome with
                {
                    IsNew = isNew,
                    Children = [.. step.Manifest!.NeededManifests.Select(m => m.Digest)],
                };
            }
        }

        throw new StorageUnavailableException($"what {path.Digest} needs was swept each time it was written down");
    }

    // True when they were not there before.
    private async Task<bool> WriteDependenciesAsync(ManifestStep step, CancellationToken cancellationToken)
    {
        var (ns, app) = (step.Path.Repository.Namespace, step.Path.Repository.App);
        if (step.Manifest!.IsIndex)
        {
            var waiting = new PreparedImage(imageRows, content, step.Path, step.Manifest, ImageState.Waiting);
            var key = Keys.Image(app, step.Path.Digest);
            await rowStore.CommitAsync(
                ns,
                (view, stop) => ManifestDecision.AddWaitingIndexAsync(view, key, waiting, stop),
                cancellationToken
            );
        }

        if (
            step.Dependencies.Count == 0
            || await rowStore.GetAsync(ns, step.Dependencies[^1].Key, cancellationToken) is not null
        )
        {
            return false;
        }

        await rowStore.PutDependenciesAsync(ns, step.Dependencies, cancellationToken);
        return true;
    }

    private async Task FillTagsAsync(BlobPath path, CancellationToken cancellationToken)
    {
        while (
            await rowStore.CommitAsync(
                path.Repository.Namespace,
                (view, stop) => WaitingTags.FillAsync(view, path.Repository, path.Digest, stop),
                cancellationToken
            )
        ) { }
    }
}
