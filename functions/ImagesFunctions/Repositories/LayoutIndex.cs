using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>
/// Applies the <c>index.json</c> of a dropped OCI image layout: it says which blobs are manifests, sets the tags of its
/// annotations <c>org.opencontainers.image.ref.name</c>, and removes tags that an earlier version of the file had set.
/// </summary>
internal sealed class LayoutIndex(RowStore rowStore, Content content, ManifestCommit manifests, Refusals refusals)
{
    private const int MaxTries = 10;

    /// <summary>Applies the file as it stands now, whatever state an earlier, killed or concurrent, application left.</summary>
    /// <exception cref="StorageUnavailableException">Storage failed, or the file changed each time it was read.</exception>
    public async Task LandedAsync(IndexPath path, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            if (await content.ReadAsync(path, cancellationToken) is not { } stored)
            {
                await refusals.ClearAsync(path, cancellationToken);
                return;
            }

            if (await ApplyAsync(path, stored, cancellationToken))
            {
                return;
            }
        }

        throw new StorageUnavailableException($"{path} was overwritten each time it was read");
    }

    /// <summary>The manifests that the file names as it is stored now; none where the file is missing or invalid.</summary>
    public async Task<IReadOnlySet<Digest>> NamedAsync(IndexPath path, CancellationToken cancellationToken)
    {
        try
        {
            return await content.ReadAsync(path, cancellationToken) is { } stored
                ? LayoutIndexFile.Parse(path, stored).Manifests.Select(m => m.Digest).ToHashSet()
                : new HashSet<Digest>();
        }
        catch (InvalidContentException)
        {
            return new HashSet<Digest>();
        }
    }

    // False when the file changed meanwhile.
    private async Task<bool> ApplyAsync(IndexPath path, SmallBlob stored, CancellationToken cancellationToken)
    {
        var etag = stored.ETag;
        try
        {
            var now = content.Clock.UtcNow.ToUnixTimeMilliseconds();
            var file = LayoutIndexFile.Parse(path, stored) with { At = DateTimeOffset.FromUnixTimeMilliseconds(now) };
            var (isStill, left) = await ApplyAsync(file, cancellationToken);
            if (!isStill)
            {
                return false;
            }

            // A newer file has an event of its own, which applies it. Only what was said about a file may be about another one.
            var saying = (file.Problem ?? left) is not null
                ? RefuseAsync(
                    path,
                    etag,
                    string.Join("; ", new[] { file.Problem, left }.OfType<string>()),
                    cancellationToken
                )
                : ClearAsync(path, etag, cancellationToken);
            await Task.WhenAll(
                saying,
                manifests.CommitReadyAsync(path.Repository, file.Manifests.Select(m => m.Digest), [], cancellationToken)
            );
            return await saying;
        }
        catch (InvalidContentException error)
        {
            return await RefuseAsync(path, etag, error.Message, cancellationToken);
        }
    }

    // False when the file changed meanwhile.
    private async Task<bool> ClearAsync(IndexPath path, string etag, CancellationToken cancellationToken) =>
        !await refusals.ClearAsync(path, cancellationToken)
        || await content.IsStillAsync(path, etag, cancellationToken);

    // False when the file changed meanwhile.
    private async Task<bool> RefuseAsync(
        IndexPath path,
        string etag,
        string reason,
        CancellationToken cancellationToken
    )
    {
        await refusals.RefuseAsync(RefusalKind.Index, path, reason, null, cancellationToken);
        return await content.IsStillAsync(path, etag, cancellationToken);
    }

    // Not still where the file changed meanwhile. And what of it rules have left undone, or null.
    private async Task<(bool IsStill, string? Left)> ApplyAsync(
        LayoutIndexFile file,
        CancellationToken cancellationToken
    )
    {
        var repository = file.Path.Repository;
        // Tags that commits of this application have set are not read again.
        var progress = new LayoutProgress(new(StringComparer.Ordinal), new(StringComparer.Ordinal));
        while (true)
        {
            var step = await rowStore.CommitAsync(
                repository.Namespace,
                (view, stop) => DecideAsync(view, file, progress, stop),
                cancellationToken
            );
            switch (step.Applied)
            {
                case LayoutApplied.FileChanged:
                    return (false, null);
                case LayoutApplied.Whole:
                    return (true, step.Problem);
                case LayoutApplied.WithoutNaming or LayoutApplied.Before:
                    // After the tags: from here on the manifests may be committed, and find the tags that wait for them.
                    var onlyMissing = step.Applied == LayoutApplied.Before;
                    await PutDependenciesAsync(repository, file.Naming(), onlyMissing, cancellationToken);
                    return (true, step.Problem);
            }

            progress.Done.UnionWith(step.Touched);
            foreach (var (tag, reason) in step.Left)
            {
                progress.Left[tag] = reason;
            }
        }
    }

    // Where the file was applied before, an existing row may say that its manifest was deleted since.
    private async Task PutDependenciesAsync(
        Repository repository,
        List<DependencyRow> dependencies,
        bool onlyMissing,
        CancellationToken cancellationToken
    )
    {
        if (onlyMissing)
        {
            var deleted = new HashSet<string>(StringComparer.Ordinal);
            foreach (var dependency in dependencies)
            {
                if (
                    await rowStore.GetAsync(repository.Namespace, dependency.Key, cancellationToken) is { } row
                    && DependencyRow.From(row).Deleted
                )
                {
                    deleted.Add(dependency.Key);
                }
            }

            dependencies.RemoveAll(n => deleted.Contains(n.Key));
        }

        await rowStore.PutDependenciesAsync(repository.Namespace, dependencies, cancellationToken);
    }

    private async Task<Decision<LayoutStep>> DecideAsync(
        DecisionView view,
        LayoutIndexFile file,
        LayoutProgress progress,
        CancellationToken cancellationToken
    )
    {
        var app = file.Path.Repository.App;
        var layout = await view.GetAsync(Keys.Layout(app), cancellationToken);
        // After the version and the row: a process that applied a newer file has changed one of them, or the ETag differs here.
        var isStill = content.IsStillAsync(file.Path, file.ETag, cancellationToken);
        var applied = layout is null ? null : LayoutRow.From(layout);
        var isApplied = applied?.IsOf(file) == true;
        var tags = isApplied
            ? Task.FromResult<IReadOnlyList<TableRow>>([])
            : view.RangeAsync(Keys.OfApp('t', app), cancellationToken);
        await Task.WhenAll(isStill, tags);
        if (!await isStill)
        {
            return Decision.Nothing(new LayoutStep(LayoutApplied.FileChanged, []));
        }

        if (isApplied)
        {
            return LayoutTags.Before(applied!, file);
        }

        var current = (await tags).Select(TagRow.From).ToDictionary(t => t.Tag, StringComparer.Ordinal);
        return await LayoutTags.ApplyAsync(view, file, progress, current, cancellationToken);
    }
}
