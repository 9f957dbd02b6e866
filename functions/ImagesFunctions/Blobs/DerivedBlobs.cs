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
        catch (RequestFailedException error) when (error.IsAbsent())
        {
            return null;
        }
    }

    /// <summary>A blob's bytes; null where there is none, it has too many, or storage is slow or does not give it.</summary>
    public async Task<byte[]?> TryReadAsync(string path, int maxLength, CancellationToken cancellationToken)
    {
        var times = account.Times;
        using var deadline = new CancellationTokenSource(times.Optional, times.Clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            using var blob = (
                await account.Derived.GetBlobClient(path).DownloadStreamingAsync(cancellationToken: end.Token)
            ).Value;
            if (blob.Details.ContentLength > maxLength)
            {
                return null;
            }

            var bytes = new byte[blob.Details.ContentLength];
            deadline.CancelAfter(
                times.Optional + TimeSpan.FromSeconds((double)bytes.Length / times.OptionalBytesPerSecond)
            );
            // The deadline holds even where the stream forgets it.
            await blob.Content.ReadExactlyAsync(bytes, end.Token).AsTask().WaitAsync(end.Token);
            return bytes;
        }
        catch (Exception error)
            when ((StorageErrors.IsFailure(error) || StorageErrors.IsUnclear(error))
                && !cancellationToken.IsCancellationRequested
            )
        {
            return null;
        }
    }

    /// <summary>A blob's bytes; null where there is none, or it has too many.</summary>
    public async Task<byte[]?> ReadAsync(string path, int maxLength, CancellationToken cancellationToken)
    {
        try
        {
            using var blob = (
                await account.Derived.GetBlobClient(path).DownloadStreamingAsync(cancellationToken: cancellationToken)
            ).Value;
            if (blob.Details.ContentLength > maxLength)
            {
                return null;
            }

            var bytes = new byte[blob.Details.ContentLength];
            await blob.Content.ReadExactlyAsync(bytes, cancellationToken);
            return bytes;
        }
        catch (RequestFailedException error) when (error.IsAbsent())
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
