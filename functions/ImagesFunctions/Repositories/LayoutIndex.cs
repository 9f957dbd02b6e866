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

    // A waiting tag takes two rows; one row is left for the ETag.
    private const int MaxTagsACommit = 48;

    private enum Applied
    {
        Whole,

        // But for the rows that say what it names, which do not fit.
        WithoutNaming,
        Partly,

        // This version of the file was applied before.
        Before,
        FileChanged,
    }

    // The result of one commit, and the tags that are up to date with it.
    private sealed record Step(Applied Applied, IReadOnlyList<string> Touched);

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
            var file = LayoutIndexFile.Parse(path, stored);
            if (!await ApplyAsync(file, cancellationToken))
            {
                return false;
            }

            // A newer file has an event of its own, which applies it. Only what was said about a file may be about another one.
            var saying = file.Problem is { } problem
                ? RefuseAsync(path, etag, problem, cancellationToken)
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

    // False when the file changed meanwhile.
    private async Task<bool> ApplyAsync(LayoutIndexFile file, CancellationToken cancellationToken)
    {
        var repository = file.Path.Repository;
        // Tags that commits of this application have set; they are not read again.
        var done = new HashSet<string>(StringComparer.Ordinal);
        while (true)
        {
            var (applied, touched) = await rowStore.CommitAsync(
                repository.Namespace,
                (view, stop) => DecideAsync(view, file, done, stop),
                cancellationToken
            );
            if (applied == Applied.FileChanged)
            {
                return false;
            }

            if (applied == Applied.Whole)
            {
                return true;
            }

            if (applied is Applied.WithoutNaming or Applied.Before)
            {
                // After the tags: from here on the manifests may be committed, and find the tags that wait for them.
                var onlyMissing = applied == Applied.Before;
                await PutDependenciesAsync(repository, file.Naming(), onlyMissing, cancellationToken);
                return true;
            }

            done.UnionWith(touched);
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

    private async Task<Decision<Step>> DecideAsync(
        DecisionView view,
        LayoutIndexFile file,
        HashSet<string> done,
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
            return Decision.Nothing(new Step(Applied.FileChanged, []));
        }

        if (isApplied)
        {
            return Before(applied!, file);
        }

        var current = (await tags).Select(TagRow.From).ToDictionary(t => t.Tag, StringComparer.Ordinal);
        return await ApplyAsync(view, file, done, current, cancellationToken);
    }

    // The tags of the file in the place of those that are there: all, or as many as a commit has room for.
    private static async Task<Decision<Step>> ApplyAsync(
        DecisionView view,
        LayoutIndexFile file,
        HashSet<string> done,
        Dictionary<string, TagRow> current,
        CancellationToken cancellationToken
    )
    {
        var changes = current
            .Values.Where(t => t.FromLayout && !file.Tags.ContainsKey(t.Tag))
            .Select(t => new Change(t.Key, null))
            .ToList();
        if (changes.Count > 2 * MaxTagsACommit)
        {
            return Decision.Of(new Step(Applied.Partly, []), changes[..(2 * MaxTagsACommit)]);
        }

        var app = file.Path.Repository.App;
        var touched = new List<string>();
        foreach (var (tag, digest) in file.Tags.Where(t => !done.Contains(t.Key)))
        {
            if (changes.Count >= (2 * MaxTagsACommit) - 1)
            {
                return Decision.Of(new Step(Applied.Partly, touched), changes);
            }

            touched.Add(tag);
            changes.AddRange(await SetTagAsync(view, app, tag, digest, current, cancellationToken));
        }

        return Whole(file, touched, changes);
    }

    private static Decision<Step> Before(LayoutRow applied, LayoutIndexFile file)
    {
        var step = new Step(Applied.Before, []);
        return applied.IsTaken ? Decision.Nothing(step) : Decision.Of(step, [LayoutRow.Of(file).ToChange()]);
    }

    // With the rows that say what the file names, where those fit.
    private static Decision<Step> Whole(LayoutIndexFile file, IReadOnlyList<string> touched, List<Change> changes)
    {
        var naming = Dependencies.Changes(file.Naming()).ToList();
        var rides = changes.Count + naming.Count < Change.MaxRows;
        return Decision.Of(
            new Step(rides ? Applied.Whole : Applied.WithoutNaming, touched),
            [.. changes, .. rides ? naming : [], LayoutRow.Of(file).ToChange()]
        );
    }

    private static async Task<List<Change>> SetTagAsync(
        DecisionView view,
        string app,
        string tag,
        Digest digest,
        Dictionary<string, TagRow> current,
        CancellationToken cancellationToken
    )
    {
        var image = await view.ImageAsync(app, digest, cancellationToken);
        var wanted = new TagRow(app, tag, digest, image?.Generation, FromLayout: true);
        if (current.GetValueOrDefault(tag) == wanted)
        {
            return [];
        }

        List<Change> changes = [new Change(wanted.Key, wanted.ToRow())];
        if (wanted.Generation is null)
        {
            // The commit of its image finds the tag by this row, and sets it.
            var dependency = new DependencyRow(app, digest, Dependent.Tag(tag), null);
            changes.Add(new Change(dependency.Key, dependency.ToRow()));
        }

        return changes;
    }
}
