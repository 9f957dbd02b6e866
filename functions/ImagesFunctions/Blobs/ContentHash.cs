using System.Security.Cryptography;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Blobs;

/// <summary>What a blob's bytes really are.</summary>
/// <param name="Digest">Their digest.</param>
/// <param name="Size">Their number.</param>
/// <param name="Tar">What was seen in them, if they are a tar, compressed or not.</param>
/// <param name="ETag">The ETag that the blob had from their first to their last.</param>
/// <param name="LastModified">When the blob was written, by the storage service's clock.</param>
internal sealed record HashedBlob(Digest Digest, long Size, TarFacts? Tar, string ETag, DateTimeOffset LastModified);

/// <summary>Takes bytes as they stream by: their hash, their number, and what there is to see in a tar.</summary>
/// <param name="algorithm">sha256 or sha512.</param>
internal sealed class ContentHash(string algorithm) : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(Digest.NameOf(algorithm));
    private readonly LayerPeek _layer = new();

    public string Algorithm => algorithm;

    /// <summary>How many bytes were taken.</summary>
    public long Size { get; private set; }

    /// <summary>What was seen, if the bytes are a tar, compressed or not.</summary>
    public TarFacts? Tar => _layer.Facts;

    /// <summary>The digest of the bytes that were taken so far. More may follow.</summary>
    public Digest Digest => Digest.FromHash(algorithm, _hash.GetCurrentHash());

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _hash.AppendData(bytes);
        _layer.Read(bytes);
        Size += bytes.Length;
    }

    public void Dispose()
    {
        _hash.Dispose();
        _layer.Dispose();
    }
}
