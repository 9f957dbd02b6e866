using Azure.Data.Tables;
using Azure.Storage.Blobs.Models;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Local;

/// <summary>What a store holds, as far as it matters to a first start.</summary>
internal enum StoreHolds
{
    /// <summary>No account, no blob, no row.</summary>
    Nothing,

    /// <summary>The sample or a part of it, and nothing else: a first start did not come to its end.</summary>
    TheSample,

    /// <summary>Anything else.</summary>
    Something,
}

/// <summary>Looks whether a store is fresh: the one that is gets an account and the sample, and no other does.</summary>
internal static class FreshStore
{
    /// <summary>Looks at its accounts, its blobs and its rows. What others write meanwhile may not be seen.</summary>
    public static async Task<StoreHolds> LookAsync(StorageAccount storage, CancellationToken cancellationToken)
    {
        if (await AnyAsync(storage.Accounts, filter: null, cancellationToken))
        {
            return StoreHolds.Something;
        }

        var sample = SampleImage
            .Layout()
            .Select(file => $"{SampleImage.Repository}/{file.Path}")
            .ToHashSet(StringComparer.Ordinal);
        var part = false;
        await foreach (
            var blob in storage.Images.GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix: null, cancellationToken)
        )
        {
            if (!sample.Contains(blob.Name))
            {
                return StoreHolds.Something;
            }

            part = true;
        }

        // The watcher has made rows of what it found, and a note to sweep them: in a partition with a '!', which no namespace has.
        var official = SampleImage.Repository.Split('/')[0];
        var others = part
            ? TableClient.CreateQueryFilter($"PartitionKey ge {"0"} and PartitionKey ne {official}")
            : null;
        return await AnyAsync(storage.ImageTable, others, cancellationToken) ? StoreHolds.Something
            : part ? StoreHolds.TheSample
            : StoreHolds.Nothing;
    }

    private static async Task<bool> AnyAsync(TableClient table, string? filter, CancellationToken cancellationToken) =>
        await table
            .QueryAsync<TableEntity>(filter, maxPerPage: 1, ["PartitionKey"], cancellationToken)
            .AnyAsync(cancellationToken);
}
