using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Registry;

/// <summary>The end of a push session: its chunks become a blob of the repository (spec, end-6).</summary>
internal sealed class UploadEnd(
    UploadSessions sessions,
    UploadParts uploadParts,
    UploadHashes hashes,
    UploadChunks chunks,
    Pushes pushes
)
{
    /// <summary>PUT: the end, with the last chunk or without.</summary>
    public async Task PutAsync(RegistryRequest request)
    {
        var path = UploadRequest.Named(request);
        // A body can be read only once: it needs the session as it is now.
        var recent = UploadRequest.HasBody(request) ? null : chunks.Recent(request);
        if (recent is not null && await IsFinishedAsync(request, recent, path))
        {
            return;
        }

        if (await sessions.FindAsync(request.Repository, request.Path.Last, request.Stop) is not { } session)
        {
            await RepeatAsync(request, path);
            return;
        }

        try
        {
            var stored = await StoreAsync(request, session, path);
            await sessions.EndAsync(request.Repository, stored, request.Stop);
            UploadRequest.Created(request, path.Digest);
        }
        catch (RegistryError error) when (error.Code == "DIGEST_INVALID")
        {
            // What does not hash to its digest never will.
            await sessions.EndAsync(request.Repository, session, request.Stop);
            throw;
        }
    }

    // False when the session does not end in that blob as this process knows it: others may have moved or ended it since.
    private async Task<bool> IsFinishedAsync(RegistryRequest request, UploadRow recent, BlobPath path)
    {
        Task<bool>? ending = null;
        Task<bool> EndAsync(UploadRow stored) =>
            ending ??= sessions.EndRecentAsync(request.Repository, stored, request.Stop);
        try
        {
            var stored = await StoreAsync(request, recent, path, EndAsync);
            if (!await EndAsync(stored))
            {
                // It has chunks that are not in the blob.
                return false;
            }

            UploadRequest.Created(request, path.Digest);
            return true;
        }
        catch (RegistryError error) when (error.Code is "DIGEST_INVALID" or "BLOB_UPLOAD_UNKNOWN")
        {
            return false;
        }
    }

    // Returns the session as it is to be ended; where the blob is new, that is begun as soon as nothing can get lost.
    private async Task<UploadRow> StoreAsync(
        RegistryRequest request,
        UploadRow session,
        BlobPath path,
        Func<UploadRow, Task>? end = null
    )
    {
        var size = UploadRequest.DemandChunk(request, session);
        await chunks.DemandRoomAsync(request, session.Offset, path);
        using var body = await UploadRequest.BodyAsync(request);
        if (session.Parts.Count == 0)
        {
            await pushes.StoreBodyAsync(path, body, size, request.Stop);
        }
        else if (session.Inline is { } inline && body.First.IsEmpty)
        {
            UploadRequest.DemandSize(size, 0);
            hashes.Take(session)?.Dispose();
            await pushes.StoreBytesAsync(path, inline, size: null, request.Stop, Ending(session, end));
        }
        else
        {
            return await OutlineAndStoreAsync(request, session, path, body, size, end);
        }

        return session;
    }

    private static Func<Task>? Ending(UploadRow session, Func<UploadRow, Task>? end) =>
        end is null ? null : () => end(session);

    private async Task<UploadRow> OutlineAndStoreAsync(
        RegistryRequest request,
        UploadRow session,
        BlobPath path,
        UploadBody body,
        long? size,
        Func<UploadRow, Task>? end
    )
    {
        var outlined = await uploadParts.OutlinedAsync(request.Repository, session, request.Stop);
        try
        {
            await StorePartsAsync(request, outlined, path, body, size, end);
            return outlined;
        }
        catch (Exception error) when (error is RegistryError or QuotaExceededException && session.Inline is not null)
        {
            // The session's row has the bytes still.
            await uploadParts.RemoveAsync(request.Repository, session.Id, outlined.Parts);
            throw;
        }
    }

    // The answer to a closing PUT may get lost. The same one sent again is answered again: clients that are told of an unknown
    // upload give the whole push up.
    private async Task RepeatAsync(RegistryRequest request, BlobPath path)
    {
        if (await pushes.IsThereAsync(path, request.Stop))
        {
            using var body = await UploadRequest.BodyAsync(request);
            using var hash = new ContentHash(path.Digest.Algorithm);
            await body.DrainAsync(hash, request.Stop);
            if (hash.Size == 0 || hash.Digest == path.Digest)
            {
                UploadRequest.Created(request, path.Digest);
                return;
            }
        }

        throw RegistryError.UploadUnknown(request.Path.Last);
    }

    // Null where this process has not hashed all of it, or by another algorithm.
    private ContentHash? TakeHash(UploadRow session, string algorithm)
    {
        var hash = hashes.Take(session);
        if (hash is null || hash.Algorithm == algorithm)
        {
            return hash;
        }

        hash.Dispose();
        return null;
    }

    private async Task StorePartsAsync(
        RegistryRequest request,
        UploadRow session,
        BlobPath path,
        UploadBody body,
        long? size,
        Func<UploadRow, Task>? end
    )
    {
        var (repository, digest) = (path.Repository, path.Digest);
        var hash = TakeHash(session, digest.Algorithm);
        var parts = session.Parts;
        UploadPart? last = null;
        try
        {
            if (!body.First.IsEmpty)
            {
                using var unknown = hash is null ? new ContentHash(digest.Algorithm) : null;
                last = await chunks.WriteAsync(request, session, body, hash ?? unknown!, size);
                parts = [.. parts, last];
            }
            else
            {
                UploadRequest.DemandSize(size, 0);
            }

            hash ??=
                await uploadParts.HashAsync(repository, session.Id, parts, digest.Algorithm, request.Stop)
                ?? throw RegistryError.UploadUnknown(session.Id);
            if (hash.Digest != digest)
            {
                throw RegistryError.DigestInvalid($"The bytes hash to {hash.Digest}.", digest.ToString());
            }

            await pushes.StorePartsAsync(path, session.Id, parts, hash, request.Stop, Ending(session, end));
        }
        finally
        {
            hash?.Dispose();
            if (last is not null)
            {
                await uploadParts.RemoveAsync(repository, session.Id, [last]);
            }
        }
    }
}
