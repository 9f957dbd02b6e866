using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs.Specialized;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Blobs;

/// <summary>
/// The bytes of push sessions: blobs of the container <c>uploads</c>, of which each attempt to store a chunk writes its own. They
/// count once a session's row names them: see <see cref="UploadSessions"/>.
/// </summary>
internal sealed class UploadParts(StorageAccount account)
{
    private const int RemovalsAtOnce = 8;

    // So many short parts are put together into one: few, so that no chunk waits long for it.
    private const int MergedAtOnce = 16;

    // What is shorter counts as short. Tiny parts become small ones first, so that no byte is copied often.
    private static readonly long[] s_short = [64 * 1024, 512 * 1024, BlobWriter.BlockSize];

    private readonly BlobCopies _copies = new(account);

    /// <summary>A part whose bytes are so few that they stand in the session's row; null where there are too many, or others before them.</summary>
    public static UploadPart? Inline(UploadRow session, UploadBody body) =>
        session.Parts.Count == 0 && body.IsWhole && body.First.Length <= UploadRow.MaxInline
            ? new UploadPart(NewId(), body.First.Length)
            : null;

    /// <summary>
    /// Stores a chunk, which counts only once a session names it. Null when it was not accepted; a part of no bytes is none
    /// either, and is not stored.
    /// </summary>
    public async Task<UploadPart?> WriteAsync(
        Repository repository,
        string session,
        UploadBody body,
        ContentHash hash,
        Func<bool> accept,
        CancellationToken cancellationToken
    )
    {
        var before = hash.Size;
        var part = new UploadPart(NewId(), 0);
        var path = UploadRow.PathOf(repository.Namespace, session, part);
        var etag = await BlobWriter.WriteAsync(
            account.Uploads.GetBlockBlobClient(path),
            account.UploadStreams.GetBlockBlobClient(path),
            body,
            hash,
            accept,
            conditions: null,
            cancellationToken
        );
        return etag is null ? null : part with { Size = hash.Size - before };
    }

    /// <summary>Writes the blob of a part whose bytes are in memory. Nobody else writes other bytes there: twice is as good as once.</summary>
    public Task OutlineAsync(
        Repository repository,
        string id,
        UploadPart part,
        ReadOnlyMemory<byte> bytes,
        CancellationToken cancellationToken
    ) =>
        account
            .Uploads.GetBlobClient(UploadRow.PathOf(repository.Namespace, id, part))
            .UploadAsync(BinaryData.FromBytes(bytes), overwrite: true, cancellationToken);

    /// <summary>The session with the bytes of its row in a blob, as all others are. The row itself stays as it is until it moves.</summary>
    public async Task<UploadRow> OutlinedAsync(
        Repository repository,
        UploadRow session,
        CancellationToken cancellationToken
    )
    {
        if (session.Inline is { } bytes)
        {
            await OutlineAsync(repository, session.Id, session.Parts[0], bytes, cancellationToken);
        }

        return session with
        {
            Inline = null,
        };
    }

    /// <summary>Hashes what is stored, by reading it once. Null when part of it is gone, and so the session with it.</summary>
    public async Task<ContentHash?> HashAsync(
        Repository repository,
        string id,
        IEnumerable<UploadPart> parts,
        string algorithm,
        CancellationToken cancellationToken
    )
    {
        var hash = new ContentHash(algorithm);
        try
        {
            foreach (var part in parts)
            {
                var blob = account.Uploads.GetBlobClient(UploadRow.PathOf(repository.Namespace, id, part));
                using var download = (await blob.DownloadStreamingAsync(cancellationToken: cancellationToken)).Value;
                using var body = await UploadBody.BeginAsync(download.Content, null, cancellationToken);
                await body.DrainAsync(hash, cancellationToken);
            }

            return hash;
        }
        catch (RequestFailedException error) when (error.IsAbsent())
        {
            hash.Dispose();
            return null;
        }
        catch
        {
            hash.Dispose();
            throw;
        }
    }

    /// <summary>Makes sure that what a session has stored can be copied.</summary>
    /// <exception cref="CopySourceGoneException">The session was ended, and what it stored is gone.</exception>
    public Task DemandAsync(
        Repository repository,
        string id,
        IReadOnlyList<UploadPart> parts,
        CancellationToken cancellationToken
    ) => BlobCopies.DemandSourcesAsync(Sources(repository, id, parts), cancellationToken);

    /// <summary>
    /// Copies what is stored to a path of the container <c>images</c> where nothing is, inside storage. Returns the new blob's
    /// ETag; null when somebody was faster, and it is to be looked at again.
    /// </summary>
    /// <exception cref="CopySourceGoneException">The session was ended, and what it stored is gone.</exception>
    public Task<string?> CopyAsync(
        Repository repository,
        string id,
        IReadOnlyList<UploadPart> parts,
        BlobPath path,
        CancellationToken cancellationToken
    ) =>
        _copies.CopyAsync(
            Sources(repository, id, parts),
            account.Images.GetBlockBlobClient(path.ToString()),
            cancellationToken
        );

    /// <summary>As above, from a blob of the container <c>images</c> that has this ETag.</summary>
    /// <exception cref="CopySourceGoneException">That blob is gone.</exception>
    public Task<string?> CopyAsync(
        BlobPath from,
        string etag,
        long size,
        BlobPath path,
        CancellationToken cancellationToken
    ) =>
        _copies.CopyAsync(
            [new CopySource(account.Images.GetBlockBlobClient(from.ToString()), etag, size)],
            account.Images.GetBlockBlobClient(path.ToString()),
            cancellationToken
        );

    /// <summary>The session with a few short parts put together into one, when there are many at its end.</summary>
    public async Task<UploadRow> MergedAsync(
        Repository repository,
        UploadRow session,
        CancellationToken cancellationToken
    )
    {
        if (FirstMerged(session.Parts) is not { } first)
        {
            return session;
        }

        var batch = session.Parts.Skip(first).Take(MergedAtOnce).ToList();
        var merged = new UploadPart(NewId(), batch.Sum(p => p.Size));
        try
        {
            await _copies.CopyPiecesAsync(
                Sources(repository, session.Id, batch),
                account.Uploads.GetBlockBlobClient(UploadRow.PathOf(repository.Namespace, session.Id, merged)),
                conditions: null,
                cancellationToken
            );
        }
        catch (CopySourceGoneException)
        {
            // The session was ended meanwhile: its row will tell.
            return session;
        }

        return session with
        {
            Parts = [.. session.Parts.Take(first), merged, .. session.Parts.Skip(first + MergedAtOnce)],
        };
    }

    /// <summary>Removes parts that no session names. What cannot be removed now goes with the sweeper.</summary>
    public async Task RemoveAsync(Repository repository, string id, IEnumerable<UploadPart> parts)
    {
        try
        {
            await Parallel.ForEachAsync(
                parts,
                new ParallelOptions { MaxDegreeOfParallelism = RemovalsAtOnce },
                async (part, stop) =>
                    await new StoredBlobs(account.Uploads).DeleteAsync(
                        UploadRow.PathOf(repository.Namespace, id, part),
                        stop
                    )
            );
        }
        catch (Exception error) when (error is RequestFailedException || StorageErrors.IsUnclear(error)) { }
    }

    // The part at which as many short ones begin as are put together; null when there are not so many yet. At most 16 of each
    // length are left for the next chunk, so that a session of tiny chunks fits a row.
    private static int? FirstMerged(IReadOnlyList<UploadPart> parts)
    {
        for (var length = 0; length < s_short.Length; length++)
        {
            var first = parts.Count;
            while (first > 0 && parts[first - 1].Size < s_short[length])
            {
                first--;
            }

            if (parts.Count - first >= MergedAtOnce * (length + 1))
            {
                return first;
            }
        }

        return null;
    }

    private List<CopySource> Sources(Repository repository, string id, IEnumerable<UploadPart> parts) =>
        [
            .. parts.Select(p => new CopySource(
                account.Uploads.GetBlockBlobClient(UploadRow.PathOf(repository.Namespace, id, p)),
                null,
                p.Size
            )),
        ];

    private static string NewId() => RandomNumberGenerator.GetHexString(12, lowercase: true);
}
