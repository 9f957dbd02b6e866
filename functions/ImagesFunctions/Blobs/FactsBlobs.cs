using Azure;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Blobs;

/// <summary>What does not fit into image rows: blobs of the container <c>derived</c>, which can be made again.</summary>
internal sealed class FactsBlobs(StorageAccount account)
{
    /// <summary>
    /// Keeps it. The path is made from the digest, so the same facts are the same blob. Those
    /// of an index that waits are others: whoever is late with them must not overwrite those of the complete one.
    /// </summary>
    /// <returns>Where it is.</returns>
    public async Task<string> WriteAsync(string @namespace, ImageRow row, CancellationToken cancellationToken)
    {
        var kind = row.State == ImageState.Waiting ? "waiting" : "facts";
        var path = $"{@namespace}/{row.App}/{kind}/{ImageRow.Schema}/{row.Digest.Algorithm}/{row.Digest.Encoded}";
        var json = BinaryData.FromString(LongFacts.Write(row));
        try
        {
            await account.Derived.GetBlobClient(path).UploadAsync(json, overwrite: true, cancellationToken);
        }
        catch (RequestFailedException error) when (error.IsHeld())
        {
            // It was written before, from the same bytes. Where it cannot be read either, it is made again each time.
        }

        return path;
    }

    /// <summary>The row with what its blob holds; null when that is lost, or storage does not give it out.</summary>
    public async Task<ImageRow?> ReadAsync(ImageRow row, CancellationToken cancellationToken)
    {
        try
        {
            var blob = await account.Derived.GetBlobClient(row.FactsBlob).DownloadContentAsync(cancellationToken);
            return LongFacts.Read(blob.Value.Content.ToString(), row);
        }
        catch (RequestFailedException error) when (error.IsAbsent() || error.IsHeld())
        {
            return null;
        }
    }
}
