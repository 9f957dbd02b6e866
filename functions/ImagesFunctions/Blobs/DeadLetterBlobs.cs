using System.Runtime.CompilerServices;
using Azure;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Blobs;

/// <summary>The files that Event Grid leaves of events that it could not deliver. Only a cloud has them.</summary>
internal sealed class DeadLetterBlobs(StorageAccount account)
{
    /// <summary>The longest file that is read, in bytes. An event of a blob has about one KiB.</summary>
    public const int MaxLength = 8 * 1024 * 1024;

    private readonly StoredBlobs _blobs = new(account.DeadLetters);

    /// <summary>The files, by their names, which begin with the subscription's and the date; none where there is no container for them.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async IAsyncEnumerable<BlobListing> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var files = _blobs
            .ListAsync("", uncommitted: false, cancellationToken)
            .GetAsyncEnumerator(cancellationToken);
        while (await MoveNextAsync(files))
        {
            yield return files.Current;
        }
    }

    /// <summary>The bytes of a file of at most <see cref="MaxLength"/>; null when it is gone.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<byte[]?> ReadAsync(BlobListing file, CancellationToken cancellationToken)
    {
        try
        {
            var content = await account.DeadLetters.GetBlobClient(file.Name).DownloadContentAsync(cancellationToken);
            return content.Value.Content.ToArray();
        }
        catch (RequestFailedException error) when (error.IsAbsent())
        {
            return null;
        }
    }

    private static async Task<bool> MoveNextAsync(IAsyncEnumerator<BlobListing> files)
    {
        try
        {
            return await files.MoveNextAsync();
        }
        catch (RequestFailedException error) when (error.ErrorCode == "ContainerNotFound")
        {
            return false;
        }
    }

    /// <summary>Removes a file. False when it was written anew after it was listed, or storage holds it as it is.</summary>
    public Task<bool> DeleteAsync(BlobListing file, CancellationToken cancellationToken) =>
        _blobs.DeleteAsync(file.Name, file.ETag, cancellationToken);
}
