using Azure;
using Azure.Data.Tables;
using Azure.Storage.Blobs;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Storage;

/// <summary>The containers and tables of an account as a whole: whether they are there, and their making.</summary>
internal static class StorageSetup
{
    /// <summary>
    /// Creates containers and tables that are missing. A table that is missing beside a catalog of what was in it is lost, and not
    /// new: an empty one would say that nothing is there, so it is left to a rebuild.
    /// </summary>
    /// <returns>False where tables are left missing.</returns>
    public static async Task<bool> CreateAsync(StorageAccount account, CancellationToken cancellationToken)
    {
        BlobContainerClient[] containers = [account.Images, account.Uploads, account.Derived, account.Catalog];
        await Task.WhenAll(containers.Select(c => c.CreateIfNotExistsAsync(cancellationToken: cancellationToken)));
        TableClient[] tables = [account.ImageTable, account.Accounts];
        if (await account.Catalog.GetBlobsAsync(cancellationToken: cancellationToken).AnyAsync(cancellationToken))
        {
            var there = await Task.WhenAll(tables.Select(table => IsThereAsync(table, cancellationToken)));
            return there.All(isThere => isThere);
        }

        await Task.WhenAll(tables.Select(table => table.CreateIfNotExistsAsync(cancellationToken)));
        return true;
    }

    /// <summary>Whether a table is there. One that is being deleted, or that cannot be asked, is neither there nor gone.</summary>
    /// <exception cref="RequestFailedException">It does not say.</exception>
    public static async Task<bool> IsThereAsync(TableClient table, CancellationToken cancellationToken)
    {
        try
        {
            await table
                .QueryAsync<TableEntity>("PartitionKey eq '!'", 1, ["PartitionKey"], cancellationToken)
                .WithRetries(cancellationToken)
                .AnyAsync(cancellationToken);
            return true;
        }
        catch (RequestFailedException error) when (StorageCodes.CodeOf(error) == StorageCodes.TableNotFound)
        {
            return false;
        }
    }

    /// <summary>Asks all containers and tables at once whether they are there: a task each, which fails where it is not, or does not answer.</summary>
    public static IReadOnlyList<(string Name, Task Asked)> Ask(
        StorageAccount account,
        CancellationToken cancellationToken
    )
    {
        // Ranges that have no rows.
        var none = new KeyRange("", "!");
        BlobContainerClient[] containers = [account.Images, account.Uploads, account.Derived, account.Catalog];
        return
        [
            ($"table {StorageAccount.ImagesTable}", account.ImageRows.RangeAsync("!ready", none, cancellationToken)),
            ($"table {StorageAccount.AccountsTable}", account.TokenRows.RangeAsync("!ready", none, cancellationToken)),
            .. containers.Select(c =>
                ($"container {c.Name}", (Task)c.GetPropertiesAsync(cancellationToken: cancellationToken))
            ),
        ];
    }
}
