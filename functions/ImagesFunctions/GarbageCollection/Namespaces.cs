using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Tells which namespaces there are: those that have rows or blobs, and the partition of refusals without a namespace.</summary>
internal sealed class Namespaces(StorageAccount account)
{
    /// <summary>All of them, in order.</summary>
    public async Task<SortedSet<string>> AllAsync(CancellationToken cancellationToken)
    {
        var all = new SortedSet<string>(await FoldersAsync(cancellationToken), StringComparer.Ordinal);
        for (var last = ""; await NextAsync(last, cancellationToken) is { } next; last = next)
        {
            all.Add(next);
        }

        return all;
    }

    /// <summary>Those that have blobs, in order: one request for each 5,000 of each container.</summary>
    public async Task<List<string>> FoldersAsync(CancellationToken cancellationToken)
    {
        var folders = new SortedSet<string>(StringComparer.Ordinal);
        StoredBlobs[] containers = [new(account.Images), new(account.Uploads), new(account.Derived)];
        foreach (var container in containers)
        {
            await foreach (var folder in container.FoldersAsync(cancellationToken))
            {
                // What stands elsewhere belongs to no namespace.
                if (Repository.IsNamespace(folder))
                {
                    folders.Add(folder);
                }
            }
        }

        return [.. folders];
    }

    /// <summary>The first one behind this one, or null; one request.</summary>
    /// <param name="folders">Those that have blobs.</param>
    /// <param name="last">The one before; "" for the first.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<string?> NextAsync(List<string> folders, string last, CancellationToken cancellationToken)
    {
        var place = folders.BinarySearch(last, StringComparer.Ordinal);
        var folder = folders.ElementAtOrDefault(place < 0 ? ~place : place + 1);
        var partition = await NextAsync(last, cancellationToken);
        return folder is null || (partition is not null && string.CompareOrdinal(partition, folder) < 0)
            ? partition
            : folder;
    }

    // One query a partition: tables cannot list them. Those of other names that begin with ! are of something else.
    private async Task<string?> NextAsync(string last, CancellationToken cancellationToken)
    {
        do
        {
            last = await account.ImageRows.NextPartitionAsync(last, cancellationToken) ?? "";
        } while (last.StartsWith('!') && last != Keys.RefusedPartition);

        return last.Length == 0 ? null : last;
    }
}
