using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs.Specialized;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Blobs;

/// <summary>
/// Push sessions: their rows, which move only by comparing ETags, and their bytes, of which each attempt writes its own. So
/// any number of clients and processes may work on one session at once, and it is never torn.
/// </summary>
internal sealed class UploadSessions(StorageAccount account)
{
    private const int RemovalsAtOnce = 8;

    // So many short parts are put together into one: few, so that no chunk waits long for it.
    private const int MergedAtOnce = 16;

    // What is shorter counts as short. Tiny parts become small ones first, so that no byte is copied often.
    private static readonly long[] s_short = [64 * 1024, 512 * 1024, BlobWriter.BlockSize];

    private readonly StoredTable _rows = account.ImageRows;
    private readonly BlobCopies _copies = new(account);

    /// <summary>A session's id.</summary>
    public static string NewSession() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>Begins a session.</summary>
    public async Task<UploadRow> BeginAsync(
        Repository repository,
        string algorithm,
        CancellationToken cancellationToken
    )
    {
        var row = new UploadRow(repository.App, NewSession(), algorithm, [], account.Clock.UtcNow);
        // Nobody else has this id: a second try after a lost answer writes the same.
        var written = await _rows.PutAsync(repository.Namespace, new Change(row.Key, row.ToRow()), cancellationToken);
        written.ThrowIfNotDone();
        return row;
    }

    /// <summary>The session, or null when the repository has none of this id.</summary>
    public async Task<UploadRow?> FindAsync(Repository repository, string id, CancellationToken cancellationToken) =>
        id.Length == 32
        && id.All(char.IsAsciiHexDigitLower)
        && await _rows.GetAsync(repository.Namespace, Keys.Upload(id), cancellationToken) is { } entity
        && UploadRow.From(entity) is var row
        && row.App == repository.App
            ? row
            : null;

    /// <summary>
    /// Stores a chunk, which counts only once a session names it. Null when it was not accepted; a part of no bytes is none
    /// either, and is not stored.
    /// </summary>
    public async Task<UploadPart?> WritePartAsync(
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

    /// <summary>Adds a part to the session. Null when somebody else has moved or ended it; then the part is removed.</summary>
    public async Task<UploadRow?> AppendAsync(
        Repository repository,
        UploadRow session,
        UploadPart part,
        CancellationToken cancellationToken
    )
    {
        var moved = session with { Parts = [.. session.Parts, part], Updated = account.Clock.UtcNow };
        var shorter = await MergeAsync(repository, moved, cancellationToken);
        var written = await _rows.PutAsync(
            repository.Namespace,
            new Change(shorter.Key, shorter.ToRow(), session.RowETag),
            cancellationToken
        );
        if (written.IsDone)
        {
            await RemovePartsAsync(repository, session.Id, moved.Parts.Except(shorter.Parts));
            return shorter with { RowETag = written.First ?? default };
        }

        // After a lost answer the refusal may be our own success: the row tells.
        var now = await FindAsync(repository, session.Id, cancellationToken);
        if (now is not null && now.Parts.SequenceEqual(shorter.Parts))
        {
            return now;
        }

        await RemovePartsAsync(
            repository,
            session.Id,
            moved.Parts.Union(shorter.Parts).Except(now?.Parts ?? []).Except(session.Parts)
        );
        return null;
    }

    /// <summary>Ends a session. False when there was none any more. What it stored goes with it, or later with the sweeper.</summary>
    public async Task<bool> EndAsync(Repository repository, UploadRow session, CancellationToken cancellationToken)
    {
        var removal = new Change(session.Key, null);
        if (!(await _rows.PutAsync(repository.Namespace, removal, cancellationToken)).IsDone)
        {
            return false;
        }

        await RemovePartsAsync(repository, session.Id, session.Parts);
        return true;
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

    /// <summary>
    /// Copies what is stored to a path of the container <c>images</c> where nothing is, inside storage. Returns the new blob's
    /// ETag; null when somebody was faster, and it is to be looked at again.
    /// </summary>
    /// <exception cref="CopySourceGoneException">The session was ended, and what it stored is gone.</exception>
    public Task<string?> CopyAsync(
        Repository repository,
        string id,
        IReadOnlyList<UploadPart> parts,
        string path,
        CancellationToken cancellationToken
    ) => _copies.CopyAsync(Sources(repository, id, parts), account.Images.GetBlockBlobClient(path), cancellationToken);

    /// <summary>Makes sure that what a session has stored can be copied.</summary>
    /// <exception cref="CopySourceGoneException">The session was ended, and what it stored is gone.</exception>
    public Task DemandAsync(
        Repository repository,
        string id,
        IReadOnlyList<UploadPart> parts,
        CancellationToken cancellationToken
    ) => BlobCopies.DemandSourcesAsync(Sources(repository, id, parts), cancellationToken);

    /// <summary>As above, from a blob of the container <c>images</c> that has this ETag.</summary>
    /// <exception cref="CopySourceGoneException">That blob is gone.</exception>
    public Task<string?> CopyAsync(
        string from,
        string etag,
        long size,
        string path,
        CancellationToken cancellationToken
    ) =>
        _copies.CopyAsync(
            [new CopySource(account.Images.GetBlockBlobClient(from), etag, size)],
            account.Images.GetBlockBlobClient(path),
            cancellationToken
        );

    private List<CopySource> Sources(Repository repository, string id, IEnumerable<UploadPart> parts) =>
        [
            .. parts.Select(p => new CopySource(
                account.Uploads.GetBlockBlobClient(UploadRow.PathOf(repository.Namespace, id, p)),
                null,
                p.Size
            )),
        ];

    private static string NewId() => RandomNumberGenerator.GetHexString(12, lowercase: true);

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

    // Puts a few short parts together into one when there are many at the end.
    private async Task<UploadRow> MergeAsync(
        Repository repository,
        UploadRow session,
        CancellationToken cancellationToken
    )
    {
        if (FirstMerged(session.Parts) is not { } first)
        {
            return session;
        }

        var some = session.Parts.Skip(first).Take(MergedAtOnce).ToList();
        var merged = new UploadPart(NewId(), some.Sum(p => p.Size));
        try
        {
            await _copies.CopyPiecesAsync(
                Sources(repository, session.Id, some),
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

    /// <summary>Removes parts that nobody names. What cannot be removed now goes with the sweeper.</summary>
    public async Task RemovePartsAsync(Repository repository, string id, IEnumerable<UploadPart> parts)
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
}
