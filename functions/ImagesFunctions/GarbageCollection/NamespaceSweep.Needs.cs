using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

// What is done about indexes, what they name, and the rows that say who needs what.
internal sealed partial class NamespaceSweep
{
    // Before anything that they need is looked at, so that it goes in the same sweep.
    private async Task SweepChildrenAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < _indexes.Count; i++)
        {
            var (repository, digest) = _indexes[i];
            if (await ReadIndexAsync(repository, digest, cancellationToken) is not { State: ImageState.Deleted } index)
            {
                continue;
            }

            foreach (var child in index.Children.Select(ImageRow.Parse))
            {
                var print = Print(repository.App, child);
                if (
                    !IsLive(print)
                    || _tagged.Contains(print)
                    || await TryAsync(() => garbage.ChildAsync(repository, digest, child, cancellationToken)) <= 0
                )
                {
                    continue;
                }

                counts.Add(SweepKind.Children);
                _images.Remove(print);
                _blobs.Remove(print);
                // An index among them has children of its own.
                _indexes.Add((repository, child));
            }
        }
    }

    private async Task ReadNeedsAsync(CancellationToken cancellationToken)
    {
        UInt128 tried = default;
        await foreach (var row in StreamAsync('n').WithCancellation(cancellationToken))
        {
            var need = NeedRow.From(row);
            var needed = Print(need.App, need.Needed);
            if (need.By.Digest is { } by && IsLive(Print(need.App, by)))
            {
                _needed.Add(needed);
            }

            if (
                need.ManifestType is not null
                && needed != tried
                && !IsLive(needed)
                && _blobs.TryGetValue(needed, out var blob)
                && blob.State == BlobState.Good
            )
            {
                // A manifest that waits. All that it needs may be there, and whoever brought the last of it was killed.
                tried = needed;
                await LandedAsync(LayoutPath.Of(RepositoryOf(need.App), need.Needed), null, cancellationToken);
            }
        }
    }

    // By rising keys, and of each manifest only as long as none was spared: see Garbage.NeedsAsync.
    private async Task SweepNeedsAsync(CancellationToken cancellationToken)
    {
        var batch = new List<(string Key, UInt128 By)>();
        await foreach (var row in StreamAsync('n', ["app", "needed", "by"]).WithCancellation(cancellationToken))
        {
            var need = NeedRow.From(row);
            var by = Print(need.App, need.By.Text);
            var isSuspect = need.By.Digest is null
                ? need.By.WaitingTag is { } tag && !_awaited.Contains(Print(need.App, $"{need.Needed}!{tag}"))
                : !IsLive(by) && !age.IsYoung(row.Timestamp, pushed: false) && !_needing.Contains(by);
            if (isSuspect)
            {
                batch.Add((row.Key, by));
            }
            else if (need.By.Digest is not null && !IsLive(by))
            {
                _needing.Add(by);
            }

            if (batch.Count == Garbage.Most)
            {
                await SweepAsync();
            }
        }

        await SweepAsync();

        async Task SweepAsync()
        {
            batch.RemoveAll(row => _needing.Contains(row.By));
            List<string> keys = [.. batch.Select(row => row.Key)];
            var removed =
                keys.Count == 0 ? 0 : await TryAsync(() => garbage.NeedsAsync(@namespace, keys, cancellationToken));
            counts.Add(SweepKind.Needs, Math.Max(removed, 0));
            if (removed < keys.Count)
            {
                _needing.UnionWith(batch.Select(row => row.By));
            }

            batch.Clear();
        }
    }

    private async Task SweepNamedNeedsAsync(CancellationToken cancellationToken)
    {
        var batch = new List<string>();
        string? app = null;
        await foreach (var row in StreamAsync('n', ["app", "needed", "by"]).WithCancellation(cancellationToken))
        {
            var need = NeedRow.From(row);
            var needed = Print(need.App, need.Needed);
            if (
                need.By != Needer.Layout
                || age.IsYoung(row.Timestamp, pushed: false)
                || (IsLive(needed) && _tagged.Contains(needed))
            )
            {
                continue;
            }

            if (need.App != app || batch.Count == Garbage.Most)
            {
                await SweepAsync();
                app = need.App;
            }

            batch.Add(row.Key);
        }

        await SweepAsync();

        async Task SweepAsync()
        {
            if (batch.Count > 0)
            {
                List<string> keys = [.. batch];
                var repository = RepositoryOf(app!);
                var removed = await TryAsync(() => garbage.NamedNeedsAsync(repository, keys, cancellationToken));
                counts.Add(SweepKind.Needs, Math.Max(removed, 0));
                batch.Clear();
            }
        }
    }

    // Behind the rows of what they need: as long as those are there, what they name may still come and be an image.
    private async Task SweepIndexesAsync(CancellationToken cancellationToken)
    {
        foreach (var (repository, digest) in _indexes)
        {
            if (
                !_needing.Contains(Print(repository.App, digest))
                && await ReadIndexAsync(repository, digest, cancellationToken) is { } index
                && await TryAsync(() => garbage.IndexAsync(repository, index, cancellationToken)) > 0
            )
            {
                counts.Add(SweepKind.Indexes);
            }
        }
    }

    private async Task<ImageRow?> ReadIndexAsync(
        Repository repository,
        Digest digest,
        CancellationToken cancellationToken
    ) =>
        await account.ImageRows.GetAsync(@namespace, Keys.Image(repository.App, digest), cancellationToken) is { } row
        && ImageRow.From(row) is { State: ImageState.Deleted or ImageState.Waiting } index
            ? await imageRows.WithFactsAsync(@namespace, index, cancellationToken)
            : null;
}
