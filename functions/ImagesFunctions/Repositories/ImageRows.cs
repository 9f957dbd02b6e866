using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Repositories;

/// <summary>
/// Makes image rows from manifests whose dependencies are complete, and loads facts that did not fit into a row. The caller sets
/// generation and state.
/// </summary>
internal sealed class ImageRows(RowStore rowStore, Content content)
{
    private const int MaxReason = 1_000;

    /// <summary>The row of an image manifest or an artifact; null when its config was overwritten since it was verified.</summary>
    public async Task<ImageRow?> OfImageAsync(
        BlobPath path,
        Manifest manifest,
        IEnumerable<BlobRow> blobs,
        CancellationToken cancellationToken
    )
    {
        var byDigest = blobs.ToDictionary(b => b.Digest);
        var row = new ImageRow(path.Repository.App, path.Digest)
        {
            MediaType = manifest.MediaType,
            Size = 0,
            IsImage = false,
            Generation = "",
            NotImage = Said(manifest.NotImage),
        };
        if (manifest.NotImage is not null)
        {
            return row;
        }

        if (!byDigest.TryGetValue(manifest.Config!.Digest, out var stored))
        {
            return row with { NotImage = "its config is not here" };
        }

        if (await ConfigAsync(path.Repository, stored, cancellationToken) is not { } config)
        {
            return null;
        }

        if (!MediaTypes.IsImageConfig(manifest.Config.MediaType) && !config.LooksLikeOne)
        {
            return row with
            {
                NotImage = $"its config is {manifest.Config.MediaType}, and not an image's by its content",
            };
        }

        return Whole(row, manifest, config, byDigest);
    }

    private static ImageRow Whole(
        ImageRow row,
        Manifest manifest,
        ImageConfig config,
        Dictionary<Digest, BlobRow> blobs
    ) =>
        row with
        {
            IsImage = true,
            LeftOut = config.LeftOut.Count == 0 ? null : Said(string.Join("; ", config.LeftOut)),
            Size = blobs.Values.Sum(b => b.Size),
            // In a fixed order, so that the same image has the same row.
            BlobSizes = blobs
                .Values.OrderBy(b => b.Digest.ToString(), StringComparer.Ordinal)
                .ToDictionary(b => b.Digest.ToString(), b => b.Size, StringComparer.Ordinal),
            Facts = ImageFacts.Of(
                manifest,
                config,
                [
                    .. manifest.Layers.Select(l =>
                        blobs.TryGetValue(l.Digest, out var blob) ? new StoredLayer(blob.Size, blob.Tar) : null
                    ),
                ]
            ),
        };

    /// <summary>
    /// The row of an index: the facts of its image for KraftCloud, else of its first image, and the size of all its images.
    /// Children are loaded one after the other, because the facts of each may have some MiB.
    /// </summary>
    /// <param name="path">The blob of the index.</param>
    /// <param name="index">The parsed index.</param>
    /// <param name="children">The rows of the manifests that it names.</param>
    /// <param name="withAll">Whether its facts have to be all of its image's, and not only those that lists show.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<ImageRow> OfIndexAsync(
        BlobPath path,
        Manifest index,
        IEnumerable<ImageRow> children,
        bool withAll,
        CancellationToken cancellationToken
    )
    {
        var ns = path.Repository.Namespace;
        var byDigest = children.ToDictionary(c => c.Digest);
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        ImageRow? first = null;
        ImageRow? kraftcloud = null;
        var platforms = new List<ImagePlatform>();
        foreach (var descriptor in index.Manifests.Where(m => byDigest.ContainsKey(m.Digest) && !m.IsAttestation))
        {
            var child = await WithFactsAsync(ns, byDigest[descriptor.Digest], cancellationToken);
            if (!child.IsImage || child.BlobSizes.Count == 0)
            {
                // An artifact. In rows of an earlier version, an index without images counts as an image.
                continue;
            }

            first ??= child;
            kraftcloud ??= descriptor.Platform is { Os: "kraftcloud", Architecture: "x86_64" } ? child : null;
            if (descriptor.Platform is { } platform)
            {
                platforms.Add(new ImagePlatform(platform.Os, platform.Architecture, descriptor.Digest.ToString()));
            }

            foreach (var (blob, size) in child.BlobSizes)
            {
                sizes[blob] = size;
            }
        }

        var image = kraftcloud ?? first;
        image = image is not null && withAll ? await WithAllFactsAsync(ns, image, cancellationToken) : image;
        return Whole(path, index, sizes) with
        {
            Facts = image is null ? ImageFacts.None : image.Facts with { Platforms = platforms },
            IsTruncated = image?.IsTruncated == true,
        };
    }

    private static ImageRow Whole(BlobPath path, Manifest index, Dictionary<string, long> sizes)
    {
        var notImage = index.NotImage ?? (sizes.Count == 0 ? "it names no image" : null);
        return new ImageRow(path.Repository.App, path.Digest)
        {
            MediaType = index.MediaType,
            Size = sizes.Values.Sum(),
            IsImage = notImage is null,
            NotImage = Said(notImage),
            Generation = "",
            Children = [.. index.Manifests.Select(m => m.Digest.ToString()).Distinct(StringComparer.Ordinal)],
            BlobSizes = sizes,
        };
    }

    /// <summary>
    /// The row with its facts, blob sizes and children, where those are in a blob of the container <c>derived</c>. If that blob is
    /// lost, damaged or not given out, it is made again.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The blob is lost, and its sources are being overwritten.</exception>
    public async Task<ImageRow> WithFactsAsync(string @namespace, ImageRow row, CancellationToken cancellationToken)
    {
        if (row.HasFacts)
        {
            return row;
        }

        if (await content.Facts.ReadAsync(row, cancellationToken) is { } found)
        {
            return found;
        }

        ImageRow? made = null;
        try
        {
            made = await AgainAsync(@namespace, row, withAll: false, cancellationToken);
        }
        catch (StorageHeldException)
        {
            // Its manifest or config is archived, and the lists that show it must not fail because of that.
        }

        if (made is null)
        {
            // Or a deleted index whose manifest is gone too: what it named cannot be known.
            return row with { Facts = new ImageFacts(), IsTruncated = true };
        }

        // Facts that the row calls truncated stay as short as they were.
        made = (row.IsTruncated ? made.Shown() : made) with
        {
            State = row.State,
        };
        await content.Facts.TryWriteAsync(@namespace, made, cancellationToken);
        return row with { Facts = made.Facts with { }, BlobSizes = made.BlobSizes, Children = made.Children };
    }

    /// <summary>The row with all facts of its image. What lists leave out is read from its config, which all images that name it share.</summary>
    /// <exception cref="StorageUnavailableException">The manifest or config is being overwritten.</exception>
    /// <exception cref="StorageHeldException">Storage does not give out the manifest or config.</exception>
    public async Task<ImageRow> WithAllFactsAsync(string @namespace, ImageRow row, CancellationToken cancellationToken)
    {
        if (!row.IsTruncated)
        {
            return await WithFactsAsync(@namespace, row, cancellationToken);
        }

        return await AgainAsync(@namespace, row, withAll: true, cancellationToken) is { } made
            ? row with
            {
                Facts = made.Facts,
                IsTruncated = made.IsTruncated,
            }
            : row;
    }

    // The row as it is made from the manifest; null when that is gone.
    private async Task<ImageRow?> AgainAsync(
        string @namespace,
        ImageRow row,
        bool withAll,
        CancellationToken cancellationToken
    )
    {
        var path = new BlobPath(Repository.Of(@namespace, row.App), row.Digest);
        if (await rowStore.BlobAsync(path, cancellationToken) is not { IsRemoved: false } blob)
        {
            return null;
        }

        if (await content.ReadAsync(path, blob.BlobETag, cancellationToken) is { } bytes)
        {
            var manifest = Manifest.Parse(bytes, row.MediaType);
            var made = manifest.IsIndex
                ? await IndexAgainAsync(path, manifest, withAll, cancellationToken)
                : await ImageAgainAsync(path, manifest, cancellationToken);
            if (made is not null)
            {
                return made;
            }
        }

        throw new StorageUnavailableException($"{path} is being overwritten");
    }

    // It contains text of pushed content.
    private static string? Said(string? reason) =>
        reason is null ? null
        : reason.Length > MaxReason ? Refusals.Visible(reason[..MaxReason]) + "…"
        : Refusals.Visible(reason);

    // Null when it was overwritten since it was verified.
    private async Task<ImageConfig?> ConfigAsync(
        Repository repository,
        BlobRow config,
        CancellationToken cancellationToken
    )
    {
        if (config.Size > Manifest.MaxContent)
        {
            return ImageConfig.Unread($"the config has {config.Size} bytes: at most {Manifest.MaxContent} are read");
        }

        var path = new BlobPath(repository, config.Digest);
        return await content.ReadAsync(path, config.BlobETag, cancellationToken) is { } bytes
            ? ImageConfig.Read(bytes)
            : null;
    }

    private async Task<ImageRow?> ImageAgainAsync(BlobPath path, Manifest manifest, CancellationToken cancellationToken)
    {
        var reads = manifest
            .NeededBlobs.Select(d => new BlobPath(path.Repository, d.Digest))
            .ReadEachAsync(p => rowStore.BlobAsync(p, cancellationToken));
        var blobs = await reads
            .Select(r => r.Result)
            .OfType<BlobRow>()
            .Where(b => !b.IsRemoved)
            .ToListAsync(cancellationToken);
        return await OfImageAsync(path, manifest, blobs, cancellationToken);
    }

    private async Task<ImageRow> IndexAgainAsync(
        BlobPath path,
        Manifest index,
        bool withAll,
        CancellationToken cancellationToken
    )
    {
        var reads = index.NeededManifests.ReadEachAsync(d =>
            rowStore.ImageAsync(path.Repository, d.Digest, cancellationToken)
        );
        var children = await reads.Select(r => r.Result).OfType<ImageRow>().ToListAsync(cancellationToken);
        return await OfIndexAsync(path, index, children, withAll, cancellationToken);
    }
}
