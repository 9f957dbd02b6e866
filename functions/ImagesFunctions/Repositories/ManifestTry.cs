using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>One try to commit a manifest that is stored in the repository: see <see cref="ManifestCommit"/>.</summary>
internal sealed class ManifestTry(RowStore rowStore, Content content, ImageRows imageRows, Refusals refusals)
{
    private const int MaxForgotten = 5;

    /// <summary>Tries to commit a manifest.</summary>
    public async Task<ManifestOutcome> RunAsync(BlobPath path, CancellationToken cancellationToken)
    {
        var (repository, digest) = (path.Repository, path.Digest);
        var blob = await rowStore.BlobAsync(path, cancellationToken);
        if (blob is not { State: BlobState.Good })
        {
            return new ManifestOutcome(ManifestState.Unknown);
        }

        var outcome = new ManifestOutcome(ManifestState.Already, MoreTags: true);
        var committed = await rowStore.ImageAsync(repository, digest, cancellationToken);
        if (committed is not { State: ImageState.Complete })
        {
            outcome = await TryAsync(path, blob, committed?.MediaType, cancellationToken);
        }

        while (outcome.State is ManifestState.Already or ManifestState.Committed && outcome.MoreTags)
        {
            var more = await rowStore.CommitAsync(
                repository.Namespace,
                (view, stop) => WaitingTags.FillAsync(view, repository, digest, stop),
                cancellationToken
            );
            outcome = outcome with { MoreTags = more };
        }

        return outcome;
    }

    private async Task<ManifestOutcome> TryAsync(
        BlobPath path,
        BlobRow blob,
        string? committedType,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await ReadAndCommitAsync(path, blob, committedType, cancellationToken);
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

    private async Task<ManifestOutcome> ReadAndCommitAsync(
        BlobPath path,
        BlobRow blob,
        string? committedType,
        CancellationToken cancellationToken
    )
    {
        var types = committedType is null ? await TypesAsync(path, cancellationToken) : [committedType];
        if (types.Count == 0 || await content.ReadAsync(path, blob.BlobETag, cancellationToken) is not { } bytes)
        {
            // Nothing names it, or it was overwritten or deleted, which is another event.
            return new ManifestOutcome(ManifestState.Unknown);
        }

        var manifest = ParseAsOneOf(bytes, types);
        var (outcome, isNew) = await WriteDependenciesAndDecideAsync(path, blob, manifest, cancellationToken);
        if (outcome.State == ManifestState.Committed)
        {
            // It may have been refused before, under another media type.
            await refusals.ClearAsync(path, cancellationToken);
        }

        var isWaiting = outcome.State == ManifestState.Waiting;
        return outcome with
        {
            IsNew = isNew,
            Children = isWaiting ? [.. manifest.NeededManifests.Select(m => m.Digest)] : [],
        };
    }

    // The media types under which it is named.
    private async Task<List<string?>> TypesAsync(BlobPath path, CancellationToken cancellationToken) =>
        [
            .. (await rowStore.DependentsAsync(path.Repository, path.Digest, cancellationToken))
                .Where(n => n.ManifestType is not null)
                .Select(n => n.ManifestType)
                .Distinct(StringComparer.Ordinal),
        ];

    // Dependents may name different media types; it is enough that one of them is right.
    private static Manifest ParseAsOneOf(byte[] bytes, List<string?> types)
    {
        for (var i = 0; ; i++)
        {
            try
            {
                return Manifest.Parse(bytes, types[i]);
            }
            catch (InvalidContentException) when (i + 1 < types.Count) { }
        }
    }

    private async Task<(ManifestOutcome Outcome, bool IsNew)> WriteDependenciesAndDecideAsync(
        BlobPath path,
        BlobRow blob,
        Manifest manifest,
        CancellationToken cancellationToken
    )
    {
        var dependencies = Dependencies.Of(path, manifest);
        var prepared = Prepared(path, manifest, ImageState.Complete);
        var isNew = false;
        for (var attempt = 1; attempt <= MaxForgotten; attempt++)
        {
            isNew |= await WriteDependenciesAsync(path, manifest, dependencies, cancellationToken);
            var outcome = await rowStore.CommitAsync(
                path.Repository.Namespace,
                (view, stop) =>
                    ManifestDecision.DecideAsync(view, blob, prepared, dependencies, [], condition: null, stop),
                cancellationToken
            );
            if (outcome.State != ManifestState.Forgotten)
            {
                return (outcome, isNew);
            }
        }

        throw new StorageUnavailableException($"what {blob.Digest} needs was swept each time it was written down");
    }

    // True when the rows are new.
    private async Task<bool> WriteDependenciesAsync(
        BlobPath path,
        Manifest manifest,
        List<DependencyRow> dependencies,
        CancellationToken cancellationToken
    )
    {
        var (ns, app) = (path.Repository.Namespace, path.Repository.App);
        if (manifest.IsIndex)
        {
            var waiting = Prepared(path, manifest, ImageState.Waiting);
            await rowStore.CommitAsync(
                ns,
                (view, stop) =>
                    ManifestDecision.AddWaitingIndexAsync(view, Keys.Image(app, path.Digest), waiting, stop),
                cancellationToken
            );
        }

        if (dependencies.Count == 0 || await rowStore.GetAsync(ns, dependencies[^1].Key, cancellationToken) is not null)
        {
            return false;
        }

        await rowStore.PutDependenciesAsync(ns, dependencies, cancellationToken);
        return true;
    }

    private PreparedImage Prepared(BlobPath path, Manifest manifest, ImageState state) =>
        new(imageRows, content, path, manifest, state);
}
