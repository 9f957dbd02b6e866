using System.Text;
using Azure;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Blobs;

/// <summary>What does not fit into image rows: blobs of the container <c>derived</c>, which can be made again.</summary>
internal sealed class FactsBlobs(StorageAccount account)
{
    // Many times what a manifest and its config may hold.
    private const int MaxLength = 64 * 1024 * 1024;

    private readonly DerivedBlobs _blobs = new(account);

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

    /// <summary>As <see cref="WriteAsync"/>, of what was made again; where storage does not take it soon it is made again the next time.</summary>
    public async Task TryWriteAsync(string @namespace, ImageRow row, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(account.Times.Optional, account.Times.Clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            await WriteAsync(@namespace, row, end.Token);
        }
        catch (Exception error)
            when ((StorageErrors.IsFailure(error) || StorageErrors.IsUnclear(error))
                && !cancellationToken.IsCancellationRequested
            ) { }
    }

    /// <summary>The row with what its blob holds; null when that is lost or damaged, or storage does not give it out soon.</summary>
    public async Task<ImageRow?> ReadAsync(ImageRow row, CancellationToken cancellationToken) =>
        row.FactsBlob is { } path && await _blobs.TryReadAsync(path, MaxLength, cancellationToken) is { } bytes
            ? LongFacts.TryRead(Encoding.UTF8.GetString(bytes), row)
            : null;
}
