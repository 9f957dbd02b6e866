using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Decides about rows that say who needs what: see <see cref="Garbage"/>.</summary>
internal sealed class DependencyGarbage(GarbageCommit commit, LayoutIndex layoutIndex, SweepAge age)
{
    /// <summary>
    /// Removes those of these rows whose dependent is gone: a manifest that is no image and has no blob, a tag that does not
    /// wait for it any more. Rows of one manifest have to be given by rising keys, each only after all before it are gone.
    /// </summary>
    /// <remarks>
    /// The rows first, then their dependents' blobs: a process writes such rows only when it has a blob. So rows that were written anew
    /// have another ETag than was read here, or their dependent's blob is seen.
    /// </remarks>
    public Task<int> RemoveAsync(string @namespace, IReadOnlyList<string> keys, CancellationToken cancellationToken) =>
        commit.RunEachAsync(@namespace, keys, ChangesAsync, cancellationToken);

    /// <summary>Removes those of these rows of one app that stand for <c>index.json</c> and of which it names nothing any more.</summary>
    public Task<int> RemoveNamedAsync(
        Repository repository,
        IReadOnlyList<string> keys,
        CancellationToken cancellationToken
    ) =>
        commit.RunAsync(
            repository.Namespace,
            (view, stop) => NamedChangesAsync(view, repository, keys, stop),
            cancellationToken
        );

    /// <summary>Decides what <see cref="RemoveAsync"/> changes because of one of its rows.</summary>
    internal async Task<IReadOnlyList<Change>> ChangesAsync(
        DecisionView view,
        TableRow row,
        CancellationToken cancellationToken
    ) => await IsGarbageAsync(view, row, cancellationToken) ? [Remove(row)] : [];

    /// <summary>Decides what <see cref="RemoveNamedAsync"/> changes.</summary>
    internal async Task<List<Change>> NamedChangesAsync(
        DecisionView view,
        Repository repository,
        IReadOnlyList<string> keys,
        CancellationToken cancellationToken
    )
    {
        // The rows first: applying a newer file writes the rows of all that it names anew.
        var rows = await view.GetAllAsync(keys, cancellationToken);
        var named = await layoutIndex.NamedAsync(new IndexPath(repository), cancellationToken);
        return [.. rows.Where(r => !named.Contains(DependencyRow.From(r).Needed)).Select(Remove)];
    }

    private async Task<bool> IsGarbageAsync(DecisionView view, TableRow row, CancellationToken cancellationToken)
    {
        var need = DependencyRow.From(row);
        return need.By switch
        {
            { Digest: { } manifest } => await IsGoneAsync(view, need.App, manifest, cancellationToken)
                && !age.IsYoung(row.Timestamp, pushed: false),
            { WaitingTag: { } tag } => !await WaitsAsync(view, need, tag, cancellationToken),
            _ => false,
        };
    }

    // Neither a row nor a blob is left of it. A blob that is marked may yet be written anew.
    private static async Task<bool> IsGoneAsync(
        DecisionView view,
        string app,
        Digest manifest,
        CancellationToken cancellationToken
    ) =>
        await view.GetAsync(Keys.Blob(app, manifest), cancellationToken) is null
        && ImageRow.Live(await view.GetAsync(Keys.Image(app, manifest), cancellationToken)) is null;

    private static async Task<bool> WaitsAsync(
        DecisionView view,
        DependencyRow need,
        string tag,
        CancellationToken cancellationToken
    ) =>
        await view.GetAsync(Keys.Tag(need.App, tag), cancellationToken) is { } row
        && TagRow.From(row) is { Generation: null } waiting
        && waiting.Digest == need.Needed;

    private static Change Remove(TableRow row) => new(row.Key, null, row.Version);
}
