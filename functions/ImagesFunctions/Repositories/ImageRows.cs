using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Repositories;

/// <summary>
/// Makes image rows from manifests whose parts are all there, and completes those whose facts did not fit. Generation and
/// state are the committer's to say.
/// </summary>
internal sealed class ImageRows(RowStore rowStore, Content content)
{
    private const int MaxReason = 1_000;
    private const int ReadsAtOnce = 16;

    /// <summary>The row of an image manifest or an artifact; null when its config has just been overwritten.</summary>
    public async Task<ImageRow?> OfImageAsync(
        Repository repository,
        Digest digest,
        Manifest manifest,
        IEnumerable<BlobRow> blobs,
        CancellationToken cancellationToken
    )
    {
        var byDigest = blobs.ToDictionary(b => b.Digest);
        var row = new ImageRow(repository.App, digest)
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

        if (await ConfigAsync(repository, stored, cancellationToken) is not { } config)
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
            // In one order, so that the same image has the same row.
            Parts = blobs
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
    /// The row of an index: the facts of its image for KraftCloud, else of its first one, and the size of all its images.
    /// Children are looked at one by one, because each may have facts of some MiB.
    /// </summary>
    /// <param name="repository">The repository.</param>
    /// <param name="digest">The digest of the index.</param>
    /// <param name="index">What its bytes say.</param>
    /// <param name="children">The rows of what it names.</param>
    /// <param name="withAll">Whether its facts are to be all of its image's, and not only those that lists show.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<ImageRow> OfIndexAsync(
        Repository repository,
        Digest digest,
        Manifest index,
        IEnumerable<ImageRow> children,
        bool withAll,
        CancellationToken cancellationToken
    )
    {
        var byDigest = children.ToDictionary(c => c.Digest);
        var parts = new Dictionary<string, long>(StringComparer.Ordinal);
        ImageRow? first = null;
        ImageRow? kraftcloud = null;
        var platforms = new List<ImagePlatform>();
        foreach (var descriptor in index.Manifests.Where(m => byDigest.ContainsKey(m.Digest) && !m.IsAttestation))
        {
            var child = await WithFactsAsync(repository.Namespace, byDigest[descriptor.Digest], cancellationToken);
            if (!child.IsImage || child.Parts.Count == 0)
            {
                // An artifact. Rows of an earlier version also call an index without images an image.
                continue;
            }

            first ??= child;
            kraftcloud ??= descriptor.Platform is { Os: "kraftcloud", Architecture: "x86_64" } ? child : null;
            if (descriptor.Platform is { } platform)
            {
                platforms.Add(new ImagePlatform(platform.Os, platform.Architecture, descriptor.Digest.ToString()));
            }

            foreach (var (part, size) in child.Parts)
            {
                parts[part] = size;
            }
        }

        var image = kraftcloud ?? first;
        image =
            image is not null && withAll
                ? await WithAllFactsAsync(repository.Namespace, image, cancellationToken)
                : image;
        var notImage = index.NotImage ?? (parts.Count == 0 ? "it names no image" : null);
        return new ImageRow(repository.App, digest)
        {
            MediaType = index.MediaType,
            Size = parts.Values.Sum(),
            IsImage = notImage is null,
            NotImage = Said(notImage),
            Generation = "",
            Children = [.. index.Manifests.Select(m => m.Digest.ToString()).Distinct(StringComparer.Ordinal)],
            Parts = parts,
            Facts = image is null ? ImageFacts.None : image.Facts with { Platforms = platforms },
            IsTruncated = image?.IsTruncated == true,
        };
    }

    /// <summary>
    /// The row with its facts, parts and children, where those stand in a blob. What is derived can be made again: if the
    /// blob is lost, it is.
    /// </summary>
    /// <exception cref="StorageUnavailableException">It is lost, and what it was made from is just being overwritten.</exception>
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
            // Or a deleted index, whose manifest is gone too: nobody can know any more what it named.
            return row with
            {
                Facts = new ImageFacts(),
                IsTruncated = true,
            };
        }

        // Those of a row that says that they are not all there stay as short as they were.
        made = (row.IsTruncated ? made.Shown() : made) with
        {
            State = row.State,
        };
        await content.Facts.WriteAsync(@namespace, made, cancellationToken);
        return row with { Facts = made.Facts with { }, Parts = made.Parts, Children = made.Children };
    }

    /// <summary>The row with all facts of its image. What lists leave out stands in its config, once for all who name that.</summary>
    /// <exception cref="StorageUnavailableException">What it is made from is just being overwritten.</exception>
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
        if (
            !Repository.TryParse($"{@namespace}/{row.App}", out var repository)
            || await rowStore.BlobAsync(repository, row.Digest, cancellationToken) is not { } blob
        )
        {
            return null;
        }

        var path = LayoutPath.Of(repository, row.Digest);
        if (await content.ReadAsync(path, blob.BlobETag, cancellationToken) is { } bytes)
        {
            var manifest = Manifest.Parse(bytes, row.MediaType);
            var made = manifest.IsIndex
                ? await IndexAgainAsync(repository, row.Digest, manifest, withAll, cancellationToken)
                : await ImageAgainAsync(repository, row.Digest, manifest, cancellationToken);
            if (made is not null)
            {
                return made;
            }
        }

        throw new StorageUnavailableException($"{path} is being overwritten");
    }

    // Words of what was pushed stand in it.
    private static string? Said(string? reason) =>
        reason is null ? null
        : reason.Length > MaxReason ? Refusals.Visible(reason[..MaxReason]) + "…"
        : Refusals.Visible(reason);

    // Null when it has just been overwritten.
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

        var path = LayoutPath.Of(repository, config.Digest);
        return await content.ReadAsync(path, config.BlobETag, cancellationToken) is { } bytes
            ? ImageConfig.Read(bytes)
            : null;
    }

    private async Task<ImageRow?> ImageAgainAsync(
        Repository repository,
        Digest digest,
        Manifest manifest,
        CancellationToken cancellationToken
    )
    {
        var blobs = new List<BlobRow>();
        foreach (var some in manifest.NeededBlobs.Chunk(ReadsAtOnce))
        {
            var rows = some.Select(needed => rowStore.BlobAsync(repository, needed.Digest, cancellationToken));
            blobs.AddRange((await Task.WhenAll(rows)).OfType<BlobRow>());
        }

        return await OfImageAsync(repository, digest, manifest, blobs, cancellationToken);
    }

    private async Task<ImageRow> IndexAgainAsync(
        Repository repository,
        Digest digest,
        Manifest index,
        bool withAll,
        CancellationToken cancellationToken
    )
    {
        var children = new List<ImageRow>();
        foreach (var some in index.NeededManifests.Chunk(ReadsAtOnce))
        {
            var rows = some.Select(needed => rowStore.ImageAsync(repository, needed.Digest, cancellationToken));
            children.AddRange((await Task.WhenAll(rows)).OfType<ImageRow>());
        }

        return await OfIndexAsync(repository, digest, index, children, withAll, cancellationToken);
    }
}
