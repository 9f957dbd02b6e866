using ImagesFunctions.Accounts;
using ImagesFunctions.Blobs;
using ImagesFunctions.Catalog;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.Rebuild;

/// <summary>
/// Makes lost tables anew from what is in containers: tokens from their backup, and each namespace from its catalog and its bytes. What
/// is not whole yet is answered by nobody. A rebuild that is killed anywhere is finished by the next one; several at once do no harm.
/// </summary>
internal sealed class Rebuilder(StorageAccount guarded, ILogger<Rebuilder> log, ILogger<Repositories.Refusals> refusals)
{
    private readonly StorageAccount _account = guarded.Unguarded();
    private readonly TableRebuild _images = new(guarded.ImageTable, guarded.ImageMarks, guarded.Times);
    private readonly TableRebuild _tokens = new(guarded.Accounts, guarded.TokenMarks, guarded.Times);

    /// <summary>Whether a table is lost, and there is a catalog to make it from.</summary>
    public async Task<bool> IsNeededAsync(CancellationToken cancellationToken) =>
        (await _images.IsNeededAsync(cancellationToken) || await _tokens.IsNeededAsync(cancellationToken))
        && (await new CatalogFiles(_account).NamespacesAsync(cancellationToken)).Count > 0;

    /// <summary>Makes the tables anew that are lost, and nothing else.</summary>
    /// <param name="cancellationToken">Ends it between two steps; the next one goes on.</param>
    /// <exception cref="StorageUnavailableException">Storage is away. Exceptions of the Azure SDK mean the same.</exception>
    public async Task<RebuildResult> RunAsync(CancellationToken cancellationToken)
    {
        var lost = new List<TableRebuild>();
        foreach (var table in (TableRebuild[])[_tokens, _images])
        {
            if (await table.IsNeededAsync(cancellationToken))
            {
                log.LogWarning("The table {Table} is lost, and is made anew", table.Name);
                lost.Add(table);
            }
        }

        // Side by side: each waits for a minute.
        await Task.WhenAll(lost.Select(table => table.BeginAsync(cancellationToken)));
        var tokens = 0;
        if (lost.Contains(_tokens))
        {
            tokens = await new TokenBackup(_account).RestoreAsync(cancellationToken);
            await _tokens.EndAsync(cancellationToken);
        }

        var result = new RebuildResult([.. lost.Select(table => table.Name)], tokens, [], []);
        return lost.Contains(_images) ? await ImagesAsync(result, cancellationToken) : result;
    }

    private async Task<RebuildResult> ImagesAsync(RebuildResult result, CancellationToken cancellationToken)
    {
        var (done, failed) = (new List<string>(), new List<KeyValuePair<string, string>>());
        foreach (var @namespace in await NamespacesAsync(cancellationToken))
        {
            if (await FailureOfAsync(@namespace, cancellationToken) is { } failure)
            {
                failed.Add(new(@namespace, failure));
            }
            else
            {
                done.Add(@namespace);
            }
        }

        if (failed.Count == 0)
        {
            await _images.EndAsync(cancellationToken);
        }
        else
        {
            // Of no namespace, and found anew.
            await _images.WholeAsync(Keys.RefusedPartition, cancellationToken);
        }

        return result with
        {
            Namespaces = done,
            Failed = failed,
        };
    }

    // Null where it is whole. The others need not wait for one that cannot be.
    private async Task<string?> FailureOfAsync(string @namespace, CancellationToken cancellationToken)
    {
        try
        {
            if (!await _images.IsWholeAsync(@namespace, cancellationToken))
            {
                await new NamespaceRebuild(_account, refusals, @namespace).RunAsync(cancellationToken);
                await _images.WholeAsync(@namespace, cancellationToken);
                log.LogInformation("The namespace {Namespace} is whole again", @namespace);
            }

            return null;
        }
        catch (Exception error)
            when (!cancellationToken.IsCancellationRequested
                && (StorageErrors.IsFailure(error) || error is InvalidDataException or InvalidOperationException)
            )
        {
            log.LogError(
                error,
                "The namespace {Namespace} could not be made anew, and is not served: {Reason}",
                @namespace,
                StorageErrors.Reason(error)
            );
            return StorageErrors.Reason(error);
        }
    }

    // Those that have a catalog or blobs.
    private async Task<SortedSet<string>> NamespacesAsync(CancellationToken cancellationToken)
    {
        var all = await new CatalogFiles(_account).NamespacesAsync(cancellationToken);
        await foreach (var folder in new StoredBlobs(_account.Images).FoldersAsync(cancellationToken))
        {
            if (Repository.IsNamespace(folder))
            {
                all.Add(folder);
            }
        }

        return all;
    }
}
