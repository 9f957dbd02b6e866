using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Streams;

namespace ImagesFunctions.Boot;

/// <summary>A segment of a boot tar: made bytes, or a stored blob.</summary>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Made">The bytes; null for a blob.</param>
/// <param name="Blob">The blob; null for made bytes.</param>
internal readonly record struct BootSegment(long Length, ReadOnlyMemory<byte> Made, (BlobPath Path, string ETag)? Blob);

/// <summary>
/// An OCI image layout of one image and its tag as a tar, made from headers and stored blobs while it is sent: nothing is stored
/// twice, and no blob is held in memory. The same image and tag always make the same bytes (format version 1).
/// </summary>
internal sealed class BootTar
{
    private readonly List<BootSegment> _segments = [];

    /// <summary>Makes a tar.</summary>
    /// <param name="repository">The repository of the blobs.</param>
    /// <param name="manifests">The image manifests, in the order of <c>index.json</c>.</param>
    /// <param name="tag">The tag that <c>index.json</c> gives them.</param>
    /// <param name="blobs">Their blobs, each once, in the order of the tar.</param>
    public BootTar(
        Repository repository,
        IReadOnlyList<BootManifest> manifests,
        string tag,
        IReadOnlyList<BlobRow> blobs
    )
    {
        Make(TarHeader.OfFolder("./"));
        AddFile("oci-layout", BootIndex.Layout.ToArray());
        AddFile("index.json", BootIndex.Json(manifests, tag));
        Make(TarHeader.OfFolder("blobs/"));
        var folders = new HashSet<string>(StringComparer.Ordinal);
        foreach (var blob in blobs)
        {
            var folder = $"blobs/{blob.Digest.Algorithm}/";
            if (folders.Add(folder))
            {
                Make(TarHeader.OfFolder(folder));
            }

            Make(TarHeader.OfFile(folder + blob.Digest.Encoded, blob.Size));
            if (blob.Size > 0)
            {
                _segments.Add(
                    new BootSegment(blob.Size, default, (new BlobPath(repository, blob.Digest), blob.BlobETag))
                );
            }

            Make(new byte[TarHeader.PaddingOf(blob.Size)]);
        }

        Make(TarHeader.End);
        Length = _segments.Sum(segment => segment.Length);
    }

    /// <summary>Its length in bytes.</summary>
    public long Length { get; }

    /// <summary>Copies a range of its bytes, piece by piece.</summary>
    /// <param name="content">Reads the blobs.</param>
    /// <param name="first">The first byte.</param>
    /// <param name="length">The number of bytes.</param>
    /// <param name="take">Takes a piece, which is valid until it returns.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="StorageUnavailableException">A blob is being overwritten.</exception>
    public async Task CopyAsync(
        Content content,
        long first,
        long length,
        Func<ReadOnlyMemory<byte>, ValueTask> take,
        CancellationToken cancellationToken
    )
    {
        foreach (var segment in _segments)
        {
            if (length == 0)
            {
                return;
            }

            if (first >= segment.Length)
            {
                first -= segment.Length;
                continue;
            }

            var count = Math.Min(length, segment.Length - first);
            if (segment.Blob is not null)
            {
                await CopyBlobAsync(content, segment, first, count, take, cancellationToken);
            }
            else
            {
                await take(segment.Made.Slice((int)first, (int)count));
            }

            (first, length) = (0, length - count);
        }
    }

    private static async Task CopyBlobAsync(
        Content content,
        BootSegment segment,
        long first,
        long length,
        Func<ReadOnlyMemory<byte>, ValueTask> take,
        CancellationToken cancellationToken
    )
    {
        var (path, etag) = segment.Blob!.Value;
        await using var bytes =
            await content.OpenAsync(path, etag, segment.Length, first, length, cancellationToken)
            ?? throw new StorageUnavailableException($"{path} is being overwritten");
        await bytes.ForEachPieceAsync(take, cancellationToken);
    }

    private void AddFile(string path, byte[] bytes)
    {
        Make(TarHeader.OfFile(path, bytes.Length));
        Make(bytes);
        Make(new byte[TarHeader.PaddingOf(bytes.Length)]);
    }

    private void Make(byte[] bytes)
    {
        if (bytes.Length > 0)
        {
            _segments.Add(new BootSegment(bytes.Length, bytes, null));
        }
    }
}
