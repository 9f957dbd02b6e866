using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Registry;

/// <summary>The chunks of a push session: where they are stored, and how they become a part of it (spec, "Pushing a blob in chunks").</summary>
internal sealed class UploadChunks(RowStore rowStore, UploadSessions sessions, UploadParts uploadParts)
{
    /// <summary>Refuses a body that does not fit into the quota of the account, before it is read: as far as it says how long it is.</summary>
    /// <param name="request">The request.</param>
    /// <param name="before">How many bytes of the blob there are already.</param>
    /// <param name="path">The blob, where it is known; else null.</param>
    /// <exception cref="QuotaExceededException">It does not fit.</exception>
    public Task DemandRoomAsync(RegistryRequest request, long before, BlobPath? path) =>
        rowStore.DemandRoomAsync(
            request.Repository.Namespace,
            before + (request.Request.ContentLength ?? 0),
            path is null ? null : Keys.Blob(path),
            request.Stop
        );

    /// <summary>The session as it is now.</summary>
    /// <exception cref="RegistryError">There is none (BLOB_UPLOAD_UNKNOWN).</exception>
    public async Task<UploadRow> FindAsync(RegistryRequest request) =>
        await sessions.FindAsync(request.Repository, request.Path.Last, request.Stop)
        ?? throw RegistryError.UploadUnknown(request.Path.Last);

    /// <summary>The session as this process last wrote it, where the chunk fits behind it; else null.</summary>
    public UploadRow? Recent(RegistryRequest request) =>
        sessions.Recent(request.Repository, request.Path.Last) is { } recent && UploadRequest.Fits(request, recent)
            ? recent
            : null;

    /// <summary>Stores a chunk, which counts only once the session names it.</summary>
    /// <returns>The part, and its bytes where they are so few that they stand in the session's row.</returns>
    /// <exception cref="RegistryError">The bytes are more or fewer than the request says (SIZE_INVALID).</exception>
    public async Task<(UploadPart Part, ReadOnlyMemory<byte>? Inline)> StoreAsync(
        RegistryRequest request,
        UploadRow session,
        UploadBody body,
        ContentHash hash,
        long? size
    )
    {
        if (UploadParts.Inline(session, body) is not { } inline)
        {
            return (await WriteAsync(request, session, body, hash, size), null);
        }

        UploadRequest.DemandSize(size, inline.Size);
        hash.Append(body.First.Span);
        // The body is gone after the request.
        return (inline, body.First.ToArray());
    }

    /// <summary>Stores a chunk as a blob, whatever its length.</summary>
    /// <exception cref="RegistryError">The bytes are more or fewer than the request says (SIZE_INVALID).</exception>
    public async Task<UploadPart> WriteAsync(
        RegistryRequest request,
        UploadRow session,
        UploadBody body,
        ContentHash hash,
        long? size
    )
    {
        var before = hash.Size;
        var part = await uploadParts.WriteAsync(
            request.Repository,
            session.Id,
            body,
            hash,
            () => (size ?? hash.Size - before) == hash.Size - before,
            request.Stop
        );
        UploadRequest.DemandSize(size, hash.Size - before);
        return part ?? throw new StorageUnavailableException("a chunk could not be stored");
    }

    /// <summary>
    /// Adds a stored chunk to the end of the session as it is now, where only what this process knew of it was old. Else the
    /// request came too late.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="part">The chunk.</param>
    /// <param name="inline">Its bytes, where no blob holds them.</param>
    /// <param name="isRecent">Whether the session was not read since the request.</param>
    /// <exception cref="RegistryError">The session was moved or ended by another request (416, BLOB_UPLOAD_UNKNOWN).</exception>
    public async Task<UploadRow> AppendElsewhereAsync(
        RegistryRequest request,
        UploadPart part,
        ReadOnlyMemory<byte>? inline,
        bool isRecent
    )
    {
        try
        {
            var session = await FindAsync(request);
            if (session.Parts.Contains(part))
            {
                // It was added, and then another one: only the answer was lost.
                return session;
            }

            if (isRecent && UploadRequest.Fits(request, session))
            {
                if (inline is { } bytes && session.Parts.Count > 0)
                {
                    await uploadParts.OutlineAsync(request.Repository, session.Id, part, bytes, request.Stop);
                    inline = null;
                }

                var moved = await sessions.AppendAsync(request.Repository, session, part, inline, request.Stop);
                return moved ?? throw UploadRequest.Elsewhere(request, await FindAsync(request));
            }

            throw UploadRequest.Elsewhere(request, session);
        }
        catch (RegistryError) when (inline is null)
        {
            await uploadParts.RemoveAsync(request.Repository, request.Path.Last, [part]);
            throw;
        }
    }
}
