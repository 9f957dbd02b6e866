using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Registry;

/// <summary>Brings pushed blobs into a repository: from a body, from what a session has stored, or from another repository.</summary>
internal sealed class Pushes(RowStore rowStore, Content content, UploadParts uploadParts, BlobStore blobs)
{
    // A body on its way to the blob that it has to be.
    private sealed record Push(BlobPath Path, UploadBody Body, ContentHash Hash, long? Size)
    {
        public bool IsRight => (Size ?? Hash.Size) == Hash.Size && Hash.Digest == Path.Digest;

        public VerifiedBytes Bytes => new(Path, Hash.Size, Hash.Tar);

        public void Demand() => Pushes.Demand(Path, Hash, Size);
    }

    /// <summary>Whether the repository has the blob, verified. If so its row is as new as the call.</summary>
    public Task<bool> IsThereAsync(BlobPath path, CancellationToken cancellationToken) =>
        blobs.IsThereAsync(path, cancellationToken);

    /// <summary>Stores the body of a request whose digest is known before it is read.</summary>
    /// <param name="path">The blob; the bytes have to hash to its digest.</param>
    /// <param name="body">The bytes.</param>
    /// <param name="size">How many there have to be; null where the request does not say.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="RegistryError">The bytes are others (DIGEST_INVALID) or more or fewer (SIZE_INVALID): nothing is stored.</exception>
    public async Task StoreBodyAsync(BlobPath path, UploadBody body, long? size, CancellationToken cancellationToken)
    {
        if (body.IsWhole)
        {
            await StoreBytesAsync(path, body.First, size, cancellationToken);
            return;
        }

        using var hash = new ContentHash(path.Digest.Algorithm);
        var push = new Push(path, body, hash, size);
        if (await blobs.IsThereAsync(path, cancellationToken))
        {
            await body.DrainAsync(hash, cancellationToken);
            push.Demand();
        }
        else if (body.Length is null || await content.StatAsync(path, cancellationToken) is not null)
        {
            await StoreStagedAsync(push, cancellationToken);
        }
        else
        {
            await StoreStreamedAsync(push, cancellationToken);
        }
    }

    /// <summary>Stores bytes that are in memory.</summary>
    /// <param name="path">The blob; the bytes have to hash to its digest.</param>
    /// <param name="bytes">The bytes.</param>
    /// <param name="size">How many there have to be; null where the request does not say.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <param name="added">As <see cref="BlobSource.AddedAsync"/>.</param>
    /// <exception cref="RegistryError">The bytes are others (DIGEST_INVALID) or more or fewer (SIZE_INVALID): nothing is stored.</exception>
    public async Task StoreBytesAsync(
        BlobPath path,
        ReadOnlyMemory<byte> bytes,
        long? size,
        CancellationToken cancellationToken,
        Func<Task>? added = null
    )
    {
        using var hash = new ContentHash(path.Digest.Algorithm);
        hash.Append(bytes.Span);
        Demand(path, hash, size);
        await blobs.StoreAsync(path, bytes, cancellationToken, added);
    }

    /// <summary>Stores a blob from the parts that a session has stored.</summary>
    /// <param name="path">The blob.</param>
    /// <param name="session">The session's id.</param>
    /// <param name="parts">The parts, in their order.</param>
    /// <param name="hash">The hash of all their bytes, which is the blob's digest.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <param name="added">As <see cref="BlobSource.AddedAsync"/>.</param>
    /// <exception cref="RegistryError">The session was ended meanwhile, and nothing is stored.</exception>
    public async Task StorePartsAsync(
        BlobPath path,
        string session,
        IReadOnlyList<UploadPart> parts,
        ContentHash hash,
        CancellationToken cancellationToken,
        Func<Task>? added = null
    )
    {
        try
        {
            await blobs.StoreAsync(
                new VerifiedBytes(path, hash.Size, hash.Tar),
                new BlobSource(stop =>
                    parts.Count == 0
                        ? content.CreateAsync(path, ReadOnlyMemory<byte>.Empty, stop)
                        : uploadParts.CopyAsync(path.Repository, session, parts, path, stop)
                )
                {
                    DemandAsync = stop => uploadParts.DemandAsync(path.Repository, session, parts, stop),
                    AddedAsync = added,
                },
                cancellationToken
            );
        }
        catch (CopySourceGoneException)
        {
            // The session was ended: by a DELETE, or by the same PUT sent twice, which has stored the blob.
            if (!await blobs.IsThereAsync(path, cancellationToken))
            {
                throw RegistryError.UploadUnknown(session);
            }
        }
    }

    /// <summary>Mounts a blob that another repository has, or this one, as a copy (spec, "Mounting a blob from another repository").</summary>
    /// <param name="path">The blob to make.</param>
    /// <param name="from">The repository that has it.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>False when that repository does not have it, or not unchanged, or storage does not copy it: then its bytes are to be pushed.</returns>
    public async Task<bool> MountAsync(BlobPath path, Repository from, CancellationToken cancellationToken)
    {
        var sourcePath = new BlobPath(from, path.Digest);
        if (await rowStore.BlobAsync(sourcePath, cancellationToken) is not { State: BlobState.Good } source)
        {
            return false;
        }

        try
        {
            await blobs.StoreAsync(
                new VerifiedBytes(path, source.Size, source.Tar),
                new BlobSource(async stop =>
                {
                    await DemandSourceAsync(stop);
                    return source.Size == 0
                        ? await content.CreateAsync(path, ReadOnlyMemory<byte>.Empty, stop)
                        : await uploadParts.CopyAsync(sourcePath, source.BlobETag, source.Size, path, stop);
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

    private static void Demand(BlobPath path, ContentHash hash, long? size)
    {
        if (size is { } said && said != hash.Size)
        {
            throw RegistryError.SizeInvalid($"{hash.Size} bytes came, and the range has {said}.");
        }

        if (hash.Digest != path.Digest)
        {
            throw RegistryError.DigestInvalid($"The bytes hash to {hash.Digest}.", path.Digest.ToString());
        }
    }

    // Directly to the blob's path, where no blob is: the bytes come only once.
    private async Task StoreStreamedAsync(Push push, CancellationToken cancellationToken)
    {
        var (path, body, hash, _) = push;
        var written = await content.WriteAsync(path, body, hash, () => push.IsRight, cancellationToken);
        if (written is null && hash.Size < body.Length)
        {
            throw new StorageUnavailableException($"{path} was written by somebody else at the same time");
        }

        push.Demand();
        await blobs.StoreAsync(
            push.Bytes with
            {
                Written = written,
            },
            new BlobSource(_ => throw new StorageUnavailableException($"{path} was removed while it was pushed")),
            cancellationToken
        );
    }

    // Where a blob is stored already, or the length is unknown, the bytes go to the container of sessions first.
    private async Task StoreStagedAsync(Push push, CancellationToken cancellationToken)
    {
        var (path, body, hash, _) = push;
        var session = UploadSessions.NewSession();
        var part = await uploadParts.WriteAsync(
            path.Repository,
            session,
            body,
            hash,
            () => push.IsRight,
            cancellationToken
        );
        push.Demand();
        IReadOnlyList<UploadPart> parts = part is null
            ? throw new StorageUnavailableException("a chunk could not be stored")
            : [part];
        try
        {
            await StorePartsAsync(path, session, parts, hash, cancellationToken);
        }
        finally
        {
            await uploadParts.RemoveAsync(path.Repository, session, parts);
        }
    }
}
