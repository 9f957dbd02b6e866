using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Registry;

/// <summary>Brings pushed blobs into a repository: from a body, from what a session has stored, or from another repository.</summary>
internal sealed class Pushes(RowStore rowStore, Content content, UploadSessions sessions, BlobLanding landing)
{
    /// <summary>Whether the repository has the blob, verified. If so its row is as new as the call.</summary>
    public Task<bool> IsThereAsync(Repository repository, Digest digest, CancellationToken cancellationToken) =>
        landing.IsThereAsync(repository, digest, cancellationToken);

    /// <summary>
    /// Stores the body of a request whose digest is known before it is read.
    /// </summary>
    /// <param name="repository">The repository.</param>
    /// <param name="digest">What the bytes have to hash to.</param>
    /// <param name="body">The bytes.</param>
    /// <param name="size">How many there have to be; null where nobody said.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="RegistryError">The bytes are others (DIGEST_INVALID) or more or fewer (SIZE_INVALID): nothing is stored.</exception>
    public async Task StoreBodyAsync(
        Repository repository,
        Digest digest,
        UploadBody body,
        long? size,
        CancellationToken cancellationToken
    )
    {
        using var hash = new ContentHash(digest.Algorithm);
        if (body.IsWhole)
        {
            await StoreWholeAsync(repository, digest, body, size, hash, cancellationToken);
        }
        else if (await landing.IsThereAsync(repository, digest, cancellationToken))
        {
            await body.DrainAsync(hash, cancellationToken);
            Demand(hash, digest, size);
        }
        else if (
            body.Length is null
            || await content.StatAsync(LayoutPath.Of(repository, digest), cancellationToken) is not null
        )
        {
            await StoreStagedAsync(repository, digest, body, size, hash, cancellationToken);
        }
        else
        {
            await StoreStreamedAsync(repository, digest, body, size, hash, cancellationToken);
        }
    }

    /// <summary>Stores a blob from the parts that a session has stored, whose digest was computed from all of their bytes.</summary>
    /// <exception cref="RegistryError">The session was ended meanwhile, and nothing is stored.</exception>
    public async Task StorePartsAsync(
        Repository repository,
        string session,
        IReadOnlyList<UploadPart> parts,
        ContentHash hash,
        CancellationToken cancellationToken
    )
    {
        var digest = hash.Digest;
        var path = LayoutPath.Of(repository, digest);
        try
        {
            await landing.LandAsync(
                repository,
                digest,
                hash.Size,
                hash.Tar,
                written: null,
                new LandingSource(stop =>
                    parts.Count == 0
                        ? content.CreateAsync(path, ReadOnlyMemory<byte>.Empty, stop)
                        : sessions.CopyAsync(repository, session, parts, path, stop)
                )
                {
                    DemandAsync = stop => sessions.DemandAsync(repository, session, parts, stop),
                },
                cancellationToken
            );
        }
        catch (CopySourceGoneException)
        {
            // Somebody has ended the session: by a DELETE, or by the same PUT sent twice, which has landed the blob.
            if (!await landing.IsThereAsync(repository, digest, cancellationToken))
            {
                throw RegistryError.UploadUnknown(session);
            }
        }
    }

    /// <summary>
    /// Mounts a blob that another repository has, or this one, as a copy. False when it is not there, not unchanged, or storage
    /// does not copy it: then its bytes are to be pushed.
    /// </summary>
    public async Task<bool> MountAsync(
        Repository repository,
        Repository from,
        Digest digest,
        CancellationToken cancellationToken
    )
    {
        if (await rowStore.BlobAsync(from, digest, cancellationToken) is not { State: BlobState.Good } source)
        {
            return false;
        }

        var (sourcePath, path) = (LayoutPath.Of(from, digest), LayoutPath.Of(repository, digest));
        try
        {
            await landing.LandAsync(
                repository,
                digest,
                source.Size,
                source.Tar,
                written: null,
                new LandingSource(async stop =>
                {
                    await DemandSourceAsync(stop);
                    return source.Size == 0
                        ? await content.CreateAsync(path, ReadOnlyMemory<byte>.Empty, stop)
                        : await sessions.CopyAsync(sourcePath, source.BlobETag, source.Size, path, stop);
                })
                {
                    DemandAsync = DemandSourceAsync,
                },
                cancellationToken
            );
            return true;
        }
        catch (Exception error) when (error is CopySourceGoneException || StorageErrors.IsNoCopy(error))
        {
            return false;
        }

        async Task DemandSourceAsync(CancellationToken stop)
        {
            if (!await content.IsReadableAsync(sourcePath, source.BlobETag, stop))
            {
                throw new CopySourceGoneException();
            }
        }
    }

    private Task StoreWholeAsync(
        Repository repository,
        Digest digest,
        UploadBody body,
        long? size,
        ContentHash hash,
        CancellationToken cancellationToken
    )
    {
        hash.Append(body.First.Span);
        Demand(hash, digest, size);
        var path = LayoutPath.Of(repository, digest);
        return landing.LandAsync(
            repository,
            digest,
            hash.Size,
            hash.Tar,
            written: null,
            new LandingSource(stop => content.CreateAsync(path, body.First, stop)),
            cancellationToken
        );
    }

    // To the blob's own place, where nothing is: the bytes come only once.
    private async Task StoreStreamedAsync(
        Repository repository,
        Digest digest,
        UploadBody body,
        long? size,
        ContentHash hash,
        CancellationToken cancellationToken
    )
    {
        var path = LayoutPath.Of(repository, digest);
        var written = await content.WriteAsync(path, body, hash, () => IsRight(hash, digest, size), cancellationToken);
        if (written is null && hash.Size < body.Length)
        {
            throw new StorageUnavailableException($"{path} was written by somebody else at the same time");
        }

        Demand(hash, digest, size);
        await landing.LandAsync(
            repository,
            digest,
            hash.Size,
            hash.Tar,
            written,
            new LandingSource(_ => throw new StorageUnavailableException($"{path} was removed while it was pushed")),
            cancellationToken
        );
    }

    // Where something is stored already, or the length is not known, the bytes go to the container of sessions first.
    private async Task StoreStagedAsync(
        Repository repository,
        Digest digest,
        UploadBody body,
        long? size,
        ContentHash hash,
        CancellationToken cancellationToken
    )
    {
        var session = UploadSessions.NewSession();
        var part = await sessions.WritePartAsync(
            repository,
            session,
            body,
            hash,
            () => IsRight(hash, digest, size),
            cancellationToken
        );
        Demand(hash, digest, size);
        IReadOnlyList<UploadPart> parts = part is null
            ? throw new StorageUnavailableException("a chunk could not be stored")
            : [part];
        try
        {
            await StorePartsAsync(repository, session, parts, hash, cancellationToken);
        }
        finally
        {
            await sessions.RemovePartsAsync(repository, session, parts);
        }
    }

    private static bool IsRight(ContentHash hash, Digest digest, long? size) =>
        (size ?? hash.Size) == hash.Size && hash.Digest == digest;

    private static void Demand(ContentHash hash, Digest digest, long? size)
    {
        if (size is { } said && said != hash.Size)
        {
            throw RegistryError.SizeInvalid($"{hash.Size} bytes came, and the range has {said}.");
        }

        if (hash.Digest != digest)
        {
            throw RegistryError.DigestInvalid($"The bytes hash to {hash.Digest}.", digest.ToString());
        }
    }
}
