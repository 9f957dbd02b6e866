using ImagesFunctions.Accounts;
using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Registry;

/// <summary><c>/v2/&lt;name&gt;/blobs/uploads/</c> and its sessions (spec, "Pushing blobs", "Mounting a blob").</summary>
internal sealed class Uploads(RowStore rowStore, UploadSessions sessions, UploadHashes hashes, Pushes pushes)
{
    /// <summary>POST: a mount, a whole blob, or a new session.</summary>
    public async Task PostAsync(RegistryRequest request)
    {
        var algorithm = request.Query("digest-algorithm") ?? "sha256";
        if (algorithm is not ("sha256" or "sha512"))
        {
            throw RegistryError.DigestInvalid("The algorithm is not supported: use sha256 or sha512.", algorithm);
        }

        if (request.Query("mount") is { } mount)
        {
            if (
                Digest.TryParse(mount, out var wanted)
                && wanted.IsSupported
                && await MountAsync(request, new BlobPath(request.Repository, wanted))
            )
            {
                UploadRequest.Created(request, wanted);
                return;
            }
        }
        else if (request.Query("digest") is not null)
        {
            var path = UploadRequest.Named(request);
            using var body = await UploadRequest.BodyAsync(request);
            await pushes.StoreBodyAsync(path, body, null, request.Stop);
            UploadRequest.Created(request, path.Digest);
            return;
        }

        UploadRequest.Accepted(request, await sessions.BeginAsync(request.Repository, algorithm, request.Stop));
    }

    /// <summary>GET: the progress of a session.</summary>
    public async Task GetAsync(RegistryRequest request)
    {
        // A session is visible only to its owner, also in official repositories.
        var session = request.Access.Owns(request.Repository)
            ? await sessions.FindAsync(request.Repository, request.Path.Last, request.Stop)
            : null;
        UploadRequest.Progress(request, session ?? throw RegistryError.UploadUnknown(request.Path.Last));
        request.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>DELETE: cancels a session.</summary>
    public async Task DeleteAsync(RegistryRequest request)
    {
        var session = await FindAsync(request);
        if (!await sessions.EndAsync(request.Repository, session, request.Stop))
        {
            throw RegistryError.UploadUnknown(session.Id);
        }

        request.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>PATCH: the next chunk.</summary>
    public async Task PatchAsync(RegistryRequest request)
    {
        var session = await FindAsync(request);
        var size = UploadRequest.DemandChunk(request, session);
        using var body = await UploadRequest.BodyAsync(request);
        if (body.First.IsEmpty)
        {
            UploadRequest.DemandSize(size, 0);
            UploadRequest.Accepted(request, session);
            return;
        }

        var known = hashes.Take(session);
        var hash = known ?? new ContentHash(session.Algorithm);
        try
        {
            var part = await WritePartAsync(request, session, body, hash, size);
            if (await sessions.AppendAsync(request.Repository, session, part, request.Stop) is not { } moved)
            {
                throw UploadRequest.Elsewhere(request, await FindAsync(request));
            }

            UploadRequest.Accepted(request, moved);
            if (known is not null)
            {
                hashes.Keep(moved, known);
                hash = null;
            }
        }
        finally
        {
            // After a failed attempt the hash is of the wrong bytes; a later request reads the stored bytes back.
            hash?.Dispose();
        }
    }

    /// <summary>PUT: closes a session, with or without a last chunk.</summary>
    public async Task PutAsync(RegistryRequest request)
    {
        var path = UploadRequest.Named(request);
        if (await sessions.FindAsync(request.Repository, request.Path.Last, request.Stop) is not { } session)
        {
            await RepeatAsync(request, path);
            return;
        }

        var size = UploadRequest.DemandChunk(request, session);
        using var body = await UploadRequest.BodyAsync(request);
        try
        {
            if (session.Parts.Count == 0)
            {
                await pushes.StoreBodyAsync(path, body, size, request.Stop);
            }
            else
            {
                await FinishAsync(request, session, path, body, size);
            }
        }
        catch (RegistryError error) when (error.Code == "DIGEST_INVALID")
        {
            // Bytes that do not hash to the digest never will.
            await sessions.EndAsync(request.Repository, session, request.Stop);
            throw;
        }

        await sessions.EndAsync(request.Repository, session, request.Stop);
        UploadRequest.Created(request, path.Digest);
    }

    // The answer to a closing PUT may get lost. The same PUT sent again gets the same answer, because clients give up the whole
    // push on BLOB_UPLOAD_UNKNOWN.
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

    private async Task FinishAsync(
        RegistryRequest request,
        UploadRow session,
        BlobPath path,
        UploadBody body,
        long? size
    )
    {
        var (repository, digest) = (path.Repository, path.Digest);
        var hash = hashes.Take(session);
        if (hash is not null && hash.Algorithm != digest.Algorithm)
        {
            hash.Dispose();
            hash = null;
        }

        var parts = session.Parts;
        UploadPart? last = null;
        try
        {
            if (!body.First.IsEmpty)
            {
                using var unknown = hash is null ? new ContentHash(digest.Algorithm) : null;
                last = await WritePartAsync(request, session, body, hash ?? unknown!, size);
                parts = [.. parts, last];
            }
            else
            {
                UploadRequest.DemandSize(size, 0);
            }

            hash ??=
                await sessions.HashAsync(repository, session.Id, parts, digest.Algorithm, request.Stop)
                ?? throw RegistryError.UploadUnknown(session.Id);
            if (hash.Digest != digest)
            {
                throw RegistryError.DigestInvalid($"The bytes hash to {hash.Digest}.", digest.ToString());
            }

            await pushes.StorePartsAsync(path, session.Id, parts, hash, request.Stop);
        }
        finally
        {
            hash?.Dispose();
            if (last is not null)
            {
                await sessions.RemovePartsAsync(repository, session.Id, [last]);
            }
        }
    }

    private async Task<bool> MountAsync(RegistryRequest request, BlobPath path)
    {
        if (request.Query("from") is { Length: > 0 } name)
        {
            return Repository.TryParseDisplayName(name, out var from)
                && request.Access.MayRead(from)
                && await pushes.MountAsync(path, from, request.Stop);
        }

        var account = request.Access.Account;
        foreach (var app in await rowStore.AppsWithAsync(account, path.Digest, request.Stop))
        {
            if (await pushes.MountAsync(path, Repository.Of(account, app), request.Stop))
            {
                return true;
            }
        }

        return false;
    }

    private async Task<UploadPart> WritePartAsync(
        RegistryRequest request,
        UploadRow session,
        UploadBody body,
        ContentHash hash,
        long? size
    )
    {
        var before = hash.Size;
        var part = await sessions.WritePartAsync(
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

    private async Task<UploadRow> FindAsync(RegistryRequest request) =>
        await sessions.FindAsync(request.Repository, request.Path.Last, request.Stop)
        ?? throw RegistryError.UploadUnknown(request.Path.Last);
}
