using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Reads the rows that say who needs what, and removes those of dependents that are gone.</summary>
internal sealed class DependencySweep(SweepRun run, Survey survey, DependencyGarbage garbage)
{
    private static readonly string[] s_columns = ["app", "needed", "by"];

    /// <summary>Reads all rows <c>n</c>, and tries manifests that wait.</summary>
    public async Task ReadAsync(CancellationToken cancellationToken)
    {
        UInt128 tried = default;
        await foreach (var row in run.StreamAsync('n').WithCancellation(cancellationToken))
        {
            var need = DependencyRow.From(row);
            var needed = Fingerprint.Of(need.App, need.Needed);
            if (need.By.Digest is { } by && survey.IsLive(Fingerprint.Of(need.App, by)))
            {
                survey.Needed.Add(needed);
            }

            if (need.ManifestType is not null && needed != tried && IsWaitingManifest(needed))
            {
                // All that it needs may be there, and the process that brought the last of it was killed.
                tried = needed;
                await run.LandedAsync(run.PathOf(need.App, need.Needed), kind: null, cancellationToken);
            }
        }
    }

    /// <summary>By rising keys, and of each manifest only as long as none was spared: see <see cref="DependencyGarbage.RemoveAsync"/>.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var batch = new List<(string Key, UInt128 By)>();
        await foreach (var row in run.StreamAsync('n', s_columns).WithCancellation(cancellationToken))
        {
            var need = DependencyRow.From(row);
            var by = Fingerprint.Of(need.App, need.By.Text);
            if (IsSuspect(need, by, row.Timestamp))
            {
                batch.Add((row.Key, by));
            }
            else if (need.By.Digest is not null && !survey.IsLive(by))
            {
                survey.Dependents.Add(by);
            }

            if (batch.Count == Garbage.MaxRows)
            {
                await RemoveAsync(batch, cancellationToken);
            }
        }

        await RemoveAsync(batch, cancellationToken);
    }

    /// <summary>Removes the rows of what an <c>index.json</c> no longer names, app by app.</summary>
    public async Task SweepNamedAsync(CancellationToken cancellationToken)
    {
        var batch = new List<string>();
        string? app = null;
        await foreach (var row in run.StreamAsync('n', s_columns).WithCancellation(cancellationToken))
        {
            var need = DependencyRow.From(row);
            if (!IsSuspectOfLayout(need, row.Timestamp))
            {
                continue;
            }

            if (need.App != app || batch.Count == Garbage.MaxRows)
            {
                await RemoveNamedAsync(app, batch, cancellationToken);
                app = need.App;
            }

            batch.Add(row.Key);
        }

        await RemoveNamedAsync(app, batch, cancellationToken);
    }

    private bool IsWaitingManifest(UInt128 needed) =>
        !survey.IsLive(needed) && survey.Blobs.TryGetValue(needed, out var blob) && blob.State == BlobState.Good;

    private bool IsSuspect(DependencyRow need, UInt128 by, DateTimeOffset? at) =>
        need.By.Digest is null
            ? need.By.WaitingTag is { } tag
                && !survey.Awaited.Contains(Fingerprint.Of(need.App, $"{need.Needed}!{tag}"))
            : !survey.IsLive(by) && !run.Age.IsYoung(at, pushed: false) && !survey.Dependents.Contains(by);

    private bool IsSuspectOfLayout(DependencyRow need, DateTimeOffset? at)
    {
        var needed = Fingerprint.Of(need.App, need.Needed);
        return need.By == Dependent.Layout
            && !run.Age.IsYoung(at, pushed: false)
            && !(survey.IsLive(needed) && survey.Tagged.Contains(needed));
    }

    // Empties the batch.
    private async Task RemoveAsync(List<(string Key, UInt128 By)> batch, CancellationToken cancellationToken)
    {
        batch.RemoveAll(row => survey.Dependents.Contains(row.By));
        List<string> keys = [.. batch.Select(row => row.Key)];
        var removed =
            keys.Count == 0 ? 0 : await run.TryAsync(() => garbage.RemoveAsync(run.Namespace, keys, cancellationToken));
        run.Counts.Add(SweepKind.Needs, Math.Max(removed, 0));
        if (removed < keys.Count)
        {
            survey.Dependents.UnionWith(batch.Select(row => row.By));
        }

        batch.Clear();
    }

    // Empties the batch.
    private async Task RemoveNamedAsync(string? app, List<string> batch, CancellationToken cancellationToken)
    {
        if (app is null || batch.Count == 0)
        {
            return;
        }

        List<string> keys = [.. batch];
        var repository = run.RepositoryOf(app);
        var removed = await run.TryAsync(() => garbage.RemoveNamedAsync(repository, keys, cancellationToken));
        run.Counts.Add(SweepKind.Needs, Math.Max(removed, 0));
        batch.Clear();
    }
}
