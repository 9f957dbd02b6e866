using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary>
/// Copies the files of an image into the container, several at a time, <c>index.json</c> last: so an image appears together with its tags, and of
/// a drop that was ended nothing is listed.
/// </summary>
/// <param name="container">The container of images.</param>
/// <param name="repository">Where in it.</param>
/// <param name="progress">Shows it.</param>
internal sealed class ImageDrop(BlobContainerClient container, string repository, TransferProgress progress)
{
    private const int AtOnce = 4;

    /// <summary>Copies them.</summary>
    /// <param name="files">The image.</param>
    /// <param name="cancellationToken">Ends it; what is there is not sent again the next time.</param>
    /// <returns>How many files there are, and the paths of those that are left out because they are none of a layout.</returns>
    /// <exception cref="LocalException">Something is damaged, or storage is busy for too long.</exception>
    public async Task<(int Count, IReadOnlyList<string> Others)> RunAsync(
        ImageFiles files,
        CancellationToken cancellationToken
    )
    {
        var (parts, others) = (new List<Part>(), new List<string>());
        foreach (var path in files.Paths)
        {
            if (!LayoutPath.TryParse($"{repository}/{path}", out var parsed, out _))
            {
                others.Add(path);
                continue;
            }

            var digest = parsed is BlobPath { Digest.IsSupported: true } blob ? blob.Digest : null;
            var name = digest is null ? path : digest.Encoded[..LsCommand.ShownDigest];
            parts.Add(new Part(path, digest, files[path], progress.Add(name, files[path].Length)));
        }

        using var slots = new SemaphoreSlim(BlobDrop.BlocksAtOnce);
        await Parallel.ForEachAsync(
            parts.OrderByDescending(p => p.File.Length),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (part, stop) => await Drop(part.Path).RunAsync(part.Digest, part.File, part.Item, stop)
        );
        var index = files.IndexFile;
        await Drop(ImageFiles.Index)
            .RunAsync(digest: null, index, progress.Add(ImageFiles.Index, index.Length), cancellationToken);
        return (parts.Count + 1, others);

        BlobDrop Drop(string path) => new(container.GetBlockBlobClient($"{repository}/{path}"), slots, progress.Note);
    }

    private sealed record Part(string Path, Digest? Digest, FileSlice File, TransferItem Item);
}
