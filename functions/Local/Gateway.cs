using Azure;
using Azure.Data.Tables;
using Azure.Storage.Blobs;

namespace ImagesFunctions.Local;

/// <summary>Looks at an account before it is served, because each push would fail with less to say.</summary>
internal static class Gateway
{
    private const string Deploy = "deploy the function app first (docs/deploy.md), or name another account";
    private const string Roles =
        "your identity needs the roles Storage Blob Data Contributor and Storage Table Data Contributor on it";

    /// <summary>Reads from every container and table, and changes nothing.</summary>
    /// <exception cref="LocalException">One of them is missing or may not be read.</exception>
    public static async Task CheckAsync(LocalStore store, CancellationToken cancellationToken)
    {
        var storage = store.Account;
        foreach (
            var container in (BlobContainerClient[])[storage.Images, storage.Uploads, storage.Derived, storage.Catalog]
        )
        {
            await TryAsync(
                $"container {container.Name}",
                () => container.GetPropertiesAsync(cancellationToken: cancellationToken)
            );
        }

        foreach (var table in (TableClient[])[storage.ImageTable, storage.Accounts])
        {
            await TryAsync(
                $"table {table.Name}",
                () =>
                    table
                        .QueryAsync<TableEntity>(
                            maxPerPage: 1,
                            select: ["PartitionKey"],
                            cancellationToken: cancellationToken
                        )
                        .AnyAsync(cancellationToken)
                        .AsTask()
            );
        }

        async Task TryAsync(string what, Func<Task> read)
        {
            try
            {
                await read();
            }
            catch (RequestFailedException error) when (error.Status == StatusCodes.Status404NotFound)
            {
                throw new LocalException($"{store.Address} has no {what}: {Deploy}", error);
            }
            catch (RequestFailedException error)
                when (error.Status is StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden)
            {
                throw new LocalException(
                    $"{store.Address} refuses to show its {what} ({error.ErrorCode}): {Roles}",
                    error
                );
            }
        }
    }
}
