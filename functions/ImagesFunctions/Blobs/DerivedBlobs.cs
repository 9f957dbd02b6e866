using Azure;
using Azure.Storage.Blobs.Models;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Blobs;

/// <summary>The blobs of the container <c>derived</c>, which are read and written whole and can be made again.</summary>
internal sealed class DerivedBlobs(StorageAccount account)
{
    /// <summary>A value that was written beside a blob; null where there is no such blob or value.</summary>
    public async Task<string?> MetadataAsync(string path, string name, CancellationToken cancellationToken)
    {
        try
        {
            var properties = await account
                .Derived.GetBlobClient(path)
                .GetPropertiesAsync(cancellationToken: cancellationToken);
            return properties.Value.Metadata.TryGetValue(name, out var value) ? value : null;
        }
        catch (RequestFailedException error) when (error.IsNotFound())
        {
            return null;
        }
    }

    /// <summary>A blob's bytes; null where there is none, or another one has just taken its place.</summary>
    public async Task<Stream?> ReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            var blob = await account.Derived.GetBlobClient(path).DownloadContentAsync(cancellationToken);
            return blob.Value.Content.ToStream();
        }
        catch (RequestFailedException error) when (error.IsNotFound() || error.IsConflict())
        {
            return null;
        }
    }

    /// <summary>Writes a blob, whatever was there.</summary>
    public async Task WriteAsync(
        string path,
        Stream bytes,
        IDictionary<string, string> metadata,
        CancellationToken cancellationToken
    )
    {
        var options = new BlobUploadOptions { Metadata = metadata };
        await account.Derived.GetBlobClient(path).UploadAsync(bytes, options, cancellationToken);
    }
}
