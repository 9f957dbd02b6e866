using System.Security.Cryptography;
using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Boot;

/// <summary>Finds images to boot, and makes their tars.</summary>
internal sealed class BootImages(RowStore rowStore, Content content, PullNotes pulls)
{
    /// <summary>The digest of the boot tar of the image that a tag names now.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="isPull">Whether who asks is about to boot: that counts as a pull, because the tar may be kept already.</param>
    /// <param name="hashing">Called before the tar is hashed for the first time, which may take long.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>Null when the tag does not name an image.</returns>
    /// <exception cref="StorageUnavailableException">A blob of the image is being overwritten.</exception>
    public async Task<Digest?> DigestAsync(
        Repository repository,
        string tag,
        bool isPull,
        Action hashing,
        CancellationToken cancellationToken
    )
    {
        var (ns, app) = (repository.Namespace, repository.App);
        if (
            await rowStore.TaggedImageAsync(repository, tag, cancellationToken) is not { IsImage: true } image
            || (isPull && !await pulls.NoteAsync(repository, image.Digest, cancellationToken))
        )
        {
            return null;
        }

        var known = (await rowStore.RangeAsync(ns, Keys.OfApp('o', app), cancellationToken))
            .Select(BootRow.From)
            .FirstOrDefault(row => row.Image == image.Digest && row.Tag == tag);
        if (known is not null)
        {
            return known.Tar;
        }

        var tar = await TarAsync(repository, image, tag, cancellationToken);
        hashing();
        var digest = await HashAsync(tar, cancellationToken);
        await rowStore.PutBootAsync(ns, new BootRow(app, digest, image.Digest, tag), cancellationToken);
        return digest;
    }

    /// <summary>The boot tar of a digest; null when there is none, or its image is gone.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="digest">The digest of the tar.</param>
    /// <param name="isPull">Whether it is about to be served: that is a pull of its image.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="StorageUnavailableException">A blob of the image is being overwritten.</exception>
    public async Task<BootTar?> TarAsync(
        Repository repository,
        Digest digest,
        bool isPull,
        CancellationToken cancellationToken
    )
    {
        var key = Keys.Boot(repository.App, digest);
        return
            await rowStore.GetAsync(repository.Namespace, key, cancellationToken) is { } stored
            && BootRow.From(stored) is var row
            && await rowStore.ImageAsync(repository, row.Image, cancellationToken)
                is { State: ImageState.Complete } image
            && (!isPull || await pulls.NoteAsync(repository, image.Digest, cancellationToken))
            ? await TarAsync(repository, image, row.Tag, cancellationToken)
            : null;
    }

    /// <summary>Copies a range of a tar: see <see cref="BootTar.CopyAsync"/>.</summary>
    public Task CopyAsync(
        BootTar tar,
        long first,
        long length,
        Func<ReadOnlyMemory<byte>, ValueTask> take,
        CancellationToken cancellationToken
    ) => tar.CopyAsync(content, first, length, take, cancellationToken);

    private async Task<Digest> HashAsync(BootTar tar, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await tar.CopyAsync(
            content,
            0,
            tar.Length,
            bytes =>
            {
                hash.AppendData(bytes.Span);
                return ValueTask.CompletedTask;
            },
            cancellationToken
        );
        return ImageRow.Parse($"sha256:{Convert.ToHexStringLower(hash.GetHashAndReset())}");
    }

    private async Task<BootTar> TarAsync(
        Repository repository,
        ImageRow image,
        string tag,
        CancellationToken cancellationToken
    )
    {
        var manifests = new List<BootManifest>();
        var digests = new List<Digest>();
        await AddAsync(repository, image, null, manifests, digests, cancellationToken);
        var blobs = new List<BlobRow>();
        var paths = digests.Distinct().Select(d => new BlobPath(repository, d));
        await foreach (var (_, row) in paths.ReadEachAsync(path => rowStore.BlobAsync(path, cancellationToken)))
        {
            // A layer that may be absent (non-distributable) may have no row.
            if (row is { State: BlobState.Good })
            {
                blobs.Add(row);
            }
        }

        // A stable order: the preferred platform first, the others in the order of the index.
        return new BootTar(repository, [.. manifests.OrderBy(m => m.IsPreferred ? 0 : 1)], tag, blobs);
    }

    // Goes through an index depth first, and leaves out what is not an image of a platform.
    private async Task AddAsync(
        Repository repository,
        ImageRow image,
        Platform? platform,
        List<BootManifest> manifests,
        List<Digest> digests,
        CancellationToken cancellationToken
    )
    {
        var path = new BlobPath(repository, image.Digest);
        if (
            await rowStore.BlobAsync(path, cancellationToken) is not { } blob
            || await content.ReadAsync(path, blob.BlobETag, cancellationToken) is not { } bytes
        )
        {
            // The row says that it exists. If it was removed, its event will say so; until then it does not count as gone.
            throw new StorageUnavailableException($"{image.Digest} is being overwritten");
        }

        var manifest = Manifest.Parse(bytes, image.MediaType);
        if (!manifest.IsIndex)
        {
            manifests.Add(new BootManifest(image.Digest, manifest.MediaType, bytes.Length, platform));
            digests.AddRange([image.Digest, manifest.Config!.Digest, .. manifest.Layers.Select(l => l.Digest)]);
            return;
        }

        foreach (var named in manifest.Manifests.Where(m => m.IsManifest && !m.IsAttestation))
        {
            var child = await rowStore.ImageAsync(repository, named.Digest, cancellationToken);
            if (child is { IsImage: true } && manifests.TrueForAll(m => m.Digest != child.Digest))
            {
                await AddAsync(repository, child, named.Platform, manifests, digests, cancellationToken);
            }
        }
    }
}
