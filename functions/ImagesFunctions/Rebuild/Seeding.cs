using ImagesFunctions.Blobs;
using ImagesFunctions.Catalog;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Rebuild;

/// <summary>
/// Writes what a catalog says as the first rows of an empty namespace, by commits of its order. A row beside them says how far that is,
/// and goes with the last one: so who goes on after a kill, or beside another one, writes nothing that was written before.
/// </summary>
internal sealed class Seeding(StorageAccount account, RowStore rowStore, Content content, string @namespace)
{
    // More commits than can have been made since the catalog was written: no process knows a number from here on.
    private const long Ahead = 1L << 20;

    private const int MaxRows = 90;
    private const int MaxCharacters = 300_000;
    private const int MaxSends = 6;
    private const string AfterName = "after";

    private readonly Dictionary<string, LayoutIndexFile?> _files = new(StringComparer.Ordinal);

    // What follows a key, in their order: the changes that make up for it.
    private sealed record Batch(string Last, IReadOnlyList<Change> Changes, bool IsEnd);

    /// <summary>Writes them, or what is left of them to write.</summary>
    public async Task RunAsync(CatalogState state, CancellationToken cancellationToken)
    {
        if (!await BeginAsync(state, cancellationToken))
        {
            return;
        }

        for (var after = ""; after is not null; )
        {
            // Where another one is further already, the next batch begins there.
            var batch = await NextAsync(state, after, cancellationToken);
            after = await rowStore.CommitAsync(
                @namespace,
                (view, stop) => DecideAsync(view, after, batch, stop),
                cancellationToken
            );
        }
    }

    // False where the rows are seeded.
    private async Task<bool> BeginAsync(CatalogState state, CancellationToken cancellationToken)
    {
        var version = new TableRow(JournalKeys.Version) { ["seq"] = state.Seq + Ahead };
        var seeding = new TableRow(Keys.Seeding) { [AfterName] = "" };
        Change[] first = [new(version.Key, version) { IsNew = true }, new(seeding.Key, seeding) { IsNew = true }];
        for (var attempt = 1; ; attempt++)
        {
            var result = await account.ImageRows.WriteAsync(@namespace, first, cancellationToken);
            if (result.Outcome is WriteOutcome.Done or WriteOutcome.Refused)
            {
                if (await account.ImageRows.GetAsync(@namespace, Keys.Seeding, cancellationToken) is not null)
                {
                    return true;
                }

                await DemandSeededAsync(state, cancellationToken);
                return false;
            }

            if (attempt == MaxSends)
            {
                result.ThrowIfNotDone();
            }

            await Backoff.DelayAsync(
                attempt,
                TimeSpan.FromMilliseconds(100),
                TimeSpan.FromSeconds(4),
                cancellationToken
            );
        }
    }

    // Rows of somebody who has begun from nothing have lower numbers.
    private async Task DemandSeededAsync(CatalogState state, CancellationToken cancellationToken)
    {
        var version = await account.ImageRows.VersionAsync(@namespace, cancellationToken);
        if (version.Seq < state.Seq)
        {
            throw new InvalidDataException(
                $"the rows of {@namespace} end at {version.Seq}, and its catalog at {state.Seq}: another program has made the table"
            );
        }
    }

    // The key up to which rows are written; null where all are.
    private static async Task<Decision<string?>> DecideAsync(
        DecisionView view,
        string after,
        Batch batch,
        CancellationToken cancellationToken
    )
    {
        if (await view.GetAsync(Keys.Seeding, cancellationToken) is not { } row)
        {
            return Decision.Nothing<string?>(null);
        }

        if (row.GetString(AfterName) is var written && written != after)
        {
            return Decision.Nothing(written);
        }

        var next = new TableRow(Keys.Seeding) { [AfterName] = batch.Last };
        return Decision.Of<string?>(
            batch.IsEnd ? null : batch.Last,
            [.. batch.Changes, new Change(next.Key, batch.IsEnd ? null : next)]
        );
    }

    private async Task<Batch> NextAsync(CatalogState state, string after, CancellationToken cancellationToken)
    {
        var (last, changes) = (after, new Dictionary<string, Change>(StringComparer.Ordinal));
        foreach (var key in state.Deleted.Keys.Concat(state.Rows.Keys).Where(k => string.CompareOrdinal(k, after) > 0))
        {
            if (changes.Count > MaxRows - 2 || changes.Values.Sum(c => c.Length) > MaxCharacters)
            {
                return new Batch(last, [.. changes.Values], IsEnd: false);
            }

            var made = state.Deleted.TryGetValue(key, out var deleted)
                ? await DeletedAsync(deleted, cancellationToken)
                : Kept(key, state.Rows[key]);
            foreach (var change in made)
            {
                changes[change.Key] = change;
            }

            last = key;
        }

        return new Batch(last, [.. changes.Values], IsEnd: true);
    }

    private List<Change> Kept(string key, string text)
    {
        var row = CatalogRow.Begin(key, text);
        if (key[0] == 'j')
        {
            // The file may have another ETag by now, and the same bytes.
            return [(LayoutRow.From(row) with { IsTaken = false }).ToChange()];
        }

        if (key == Keys.Quota)
        {
            // No row b is there yet: each one is counted as it comes.
            return [new Change(key, row), new Change(Keys.Used, default(UsedRow).ToRow())];
        }

        if (key == Keys.Rules)
        {
            return [new Change(key, RulesRow.Rebuilt(row, account.Clock.UtcNow))];
        }

        if (key[0] != 't' || TagRow.From(row) is not { Generation: null } tag)
        {
            return [new Change(key, row)];
        }

        // The commit of its image finds the tag by this row, and sets it.
        var need = new DependencyRow(tag.App, tag.Digest, Dependent.Tag(tag.Tag), ManifestType: null);
        return [new Change(key, row), new Change(need.Key, need.ToRow())];
    }

    private async Task<List<Change>> DeletedAsync(DeletedImage deleted, CancellationToken cancellationToken)
    {
        var path = new BlobPath(Repository.Of(@namespace, deleted.App), deleted.Digest);
        var changes = new List<Change>();
        if (
            await content.StatAsync(path, cancellationToken) is { } stored
            && deleted.IsOf(stored.ETag, stored.LastModified)
        )
        {
            // Its event, or the sweeper, finishes the removal.
            var row = new BlobRow(deleted.App, deleted.Digest, stored.Size, stored.ETag, BlobState.Deleting, Tar: null);
            changes.Add(new Change(row.Key, row.ToRow()));
        }

        if (
            deleted.IsNamed
            && await FileAsync(path.Repository, cancellationToken) is { } file
            && file.Manifests.FirstOrDefault(m => m.Digest == deleted.Digest) is { } named
        )
        {
            var need = new DependencyRow(deleted.App, deleted.Digest, Dependent.Layout, named.MediaType)
            {
                Deleted = true,
            };
            changes.Add(new Change(need.Key, need.ToRow()));
        }

        return changes;
    }

    // The repository's index.json; null where there is none that can be read.
    private async Task<LayoutIndexFile?> FileAsync(Repository repository, CancellationToken cancellationToken)
    {
        if (!_files.TryGetValue(repository.App, out var file))
        {
            var path = new IndexPath(repository);
            try
            {
                file = await content.ReadAsync(path, cancellationToken) is { } stored
                    ? LayoutIndexFile.Parse(path, stored)
                    : null;
            }
            catch (InvalidContentException)
            {
                file = null;
            }

            _files[repository.App] = file;
        }

        return file;
    }
}
