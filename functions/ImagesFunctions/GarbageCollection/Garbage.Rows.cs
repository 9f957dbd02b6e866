using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

// The decisions about rows that stand for nothing any more.
internal sealed partial class Garbage
{
    /// <summary>Removes those of these tags that no image has, and those that wait though no <c>index.json</c> is there.</summary>
    public Task<int> TagsAsync(string @namespace, IReadOnlyList<string> keys, CancellationToken cancellationToken) =>
        CommitAsync(
            @namespace,
            async (view, stop) =>
            {
                var changes = new List<Change>();
                foreach (var row in await ReadAsync(view, keys, stop))
                {
                    var tag = TagRow.From(row);
                    var image = ImageRow.Live(await view.GetAsync(Keys.Image(tag.App, tag.Digest), stop));
                    if (tag.Generation is not null && tag.Generation != image?.Generation)
                    {
                        changes.Add(new Change(row.Key, null));
                    }
                    else if (
                        tag.Generation is null
                        && image is null
                        && !age.IsYoung(row.Timestamp, pushed: false)
                        && await IndexJsonAsync(view.Partition, tag.App, stop) is null
                    )
                    {
                        var need = Keys.Need(tag.App, tag.Digest, Needer.Tag(tag.Tag));
                        changes.Add(new Change(row.Key, null));
                        changes.AddRange(await ReadAsync(view, [need], stop) is [var n] ? [Remove(n)] : []);
                    }
                }

                return changes;
            },
            cancellationToken
        );

    /// <summary>Removes those of these referrers that are no images.</summary>
    public Task<int> ReferrersAsync(
        string @namespace,
        IReadOnlyList<string> keys,
        CancellationToken cancellationToken
    ) =>
        CommitAsync(
            @namespace,
            async (view, stop) =>
            {
                var changes = new List<Change>();
                foreach (var row in await ReadAsync(view, keys, stop))
                {
                    var referrer = ReferrerRow.From(row);
                    if (ImageRow.Live(await view.GetAsync(Keys.Image(referrer.App, referrer.Digest), stop)) is null)
                    {
                        changes.Add(new Change(row.Key, null));
                    }
                }

                return changes;
            },
            cancellationToken
        );

    /// <summary>
    /// Removes those of these rows whose needer is gone: a manifest that is no image and has no blob, a tag that does not
    /// wait for it any more. Rows of one manifest have to be given by rising keys, each only after all before it are gone.
    /// </summary>
    /// <remarks>
    /// The rows first, then their needers' blobs: who writes such rows has a blob already. So rows that were written anew
    /// have another ETag than was read here, or their needer's blob is seen.
    /// </remarks>
    public Task<int> NeedsAsync(string @namespace, IReadOnlyList<string> keys, CancellationToken cancellationToken) =>
        CommitAsync(
            @namespace,
            async (view, stop) =>
            {
                var gone = new Dictionary<(string, Digest), bool>();
                var changes = new List<Change>();
                foreach (var row in await ReadAsync(view, keys, stop))
                {
                    var need = NeedRow.From(row);
                    if (need.By.Digest is { } by)
                    {
                        if (!gone.TryGetValue((need.App, by), out var isGone))
                        {
                            isGone = await IsGoneAsync(view, need.App, by, stop);
                            gone[(need.App, by)] = isGone;
                        }

                        changes.AddRange(isGone && !age.IsYoung(row.Timestamp, pushed: false) ? [Remove(row)] : []);
                    }
                    else if (
                        need.By.WaitingTag is { } tag
                        && !(await ReadAsync(view, [Keys.Tag(need.App, tag)], stop))
                            .ConvertAll(TagRow.From)
                            .Exists(t => t.Generation is null && t.Digest == need.Needed)
                    )
                    {
                        changes.Add(Remove(row));
                    }
                }

                return changes;
            },
            cancellationToken
        );

    /// <summary>Removes those of these rows of one app whose need by <c>index.json</c> is no longer named there.</summary>
    public Task<int> NamedNeedsAsync(
        Repository repository,
        IReadOnlyList<string> keys,
        CancellationToken cancellationToken
    ) =>
        CommitAsync(
            repository.Namespace,
            async (view, stop) =>
            {
                // The rows first: who applies a newer file writes the rows of all that it names anew.
                var rows = await ReadAsync(view, keys, stop);
                var named = await layoutIndex.NamedAsync(repository, stop);
                return [.. rows.Where(r => !named.Contains(NeedRow.From(r).Needed)).Select(Remove)];
            },
            cancellationToken
        );

    // A manifest of which neither a row nor a blob is left. A blob that is marked may yet be written anew.
    private static async Task<bool> IsGoneAsync(
        DecisionView view,
        string app,
        Digest manifest,
        CancellationToken cancellationToken
    ) =>
        await view.GetAsync(Keys.Blob(app, manifest), cancellationToken) is null
        && ImageRow.Live(await view.GetAsync(Keys.Image(app, manifest), cancellationToken)) is null;

    private static async Task<List<TableRow>> ReadAsync(
        DecisionView view,
        IReadOnlyList<string> keys,
        CancellationToken cancellationToken
    )
    {
        var rows = await Task.WhenAll(keys.Select(key => view.GetAsync(key, cancellationToken)));
        return [.. rows.OfType<TableRow>()];
    }

    private static Change Remove(TableRow row) => new(row.Key, null, row.Version);
}
