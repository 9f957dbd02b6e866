using ImagesFunctions.Accounts;
using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Registry;

/// <summary><c>/v2/&lt;name&gt;/blobs/uploads/</c> and its sessions (spec, "Pushing blobs", "Mounting a blob").</summary>
internal sealed class Uploads(
    RowStore rowStore,
    UploadSessions sessions,
    UploadHashes hashes,
    UploadChunks chunks,
    Pushes pushes
)
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
            await chunks.DemandRoomAsync(request, before: 0, path);
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
        var session =
            request.Access.Owns(request.Repository) && request.MayRead
                ? await sessions.FindAsync(request.Repository, request.Path.Last, request.Stop)
                : null;
        UploadRequest.Progress(request, session ?? throw RegistryError.UploadUnknown(request.Path.Last));
        request.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>DELETE: cancels a session.</summary>
    public async Task DeleteAsync(RegistryRequest request)
    {
        var session = await chunks.FindAsync(request);
        if (!await sessions.EndAsync(request.Repository, session, request.Stop))
        {
            throw RegistryError.UploadUnknown(session.Id);
        }

        request.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>PATCH: the next chunk.</summary>
    public async Task PatchAsync(RegistryRequest request)
    {
        var recent = chunks.Recent(request);
        var session = recent ?? await chunks.FindAsync(request);
        var size = UploadRequest.DemandChunk(request, session);
        await chunks.DemandRoomAsync(request, session.Offset, path: null);
        using var body = await UploadRequest.BodyAsync(request);
        if (body.First.IsEmpty)
        {
            UploadRequest.DemandSize(size, 0);
            UploadRequest.Accepted(request, recent is null ? session : await chunks.FindAsync(request));
            return;
        }

        var known = hashes.Take(session);
        var hash = known ?? new ContentHash(session.Algorithm);
        try
        {
            var (part, inline) = await chunks.StoreAsync(request, session, body, hash, size);
            var moved = await sessions.AppendAsync(request.Repository, session, part, inline, request.Stop);
            if (moved is not null && known is not null)
            {
                hashes.Keep(moved, known);
                hash = null;
            }

            moved ??= await chunks.AppendElsewhereAsync(request, part, inline, isRecent: recent is not null);
            UploadRequest.Accepted(request, moved);
        }
        finally
        {
            // After a failed attempt the hash is of the wrong bytes; a later request reads the stored bytes back.
            hash?.Dispose();
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
        var apps = await rowStore.AppsWithAsync(account, path.Digest, request.Stop);
        foreach (var app in apps.Where(app => request.Access.MayRead(account, app)))
        {
            if (await pushes.MountAsync(path, Repository.Of(account, app), request.Stop))
            {
                return true;
            }
        }

        return false;
    }
}
