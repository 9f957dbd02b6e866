using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

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
    public async Task<ImageRow> OfIndexAsync(
        BlobPath path,
        Manifest index,
        IEnumerable<ImageRow> children,
        CancellationToken cancellationToken
    )
    {
        var ns = path.Repository.Namespace;
        var byDigest = children.ToDictionary(c => c.Digest);
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        ImageFacts? first = null;
        ImageFacts? kraftcloud = null;
        var platforms = new List<ImagePlatform>();
        foreach (var descriptor in index.Manifests.Where(m => byDigest.ContainsKey(m.Digest) && !m.IsAttestation))
        {
            var child = await WithFactsAsync(ns, byDigest[descriptor.Digest], cancellationToken);
            if (!child.IsImage || child.BlobSizes.Count == 0)
            {
                // An artifact. In rows of an earlier version, an index without images counts as an image.
                continue;
            }

            first ??= child.Facts;
            kraftcloud ??= descriptor.Platform is { Os: "kraftcloud", Architecture: "x86_64" } ? child.Facts : null;
            if (descriptor.Platform is { } platform)
            {
                platforms.Add(new ImagePlatform(platform.Os, platform.Architecture, descriptor.Digest.ToString()));
            }

            foreach (var (blob, size) in child.BlobSizes)
            {
                sizes[blob] = size;
            }
        }

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
            Facts = (kraftcloud ?? first) is { } facts ? facts with { Platforms = platforms } : ImageFacts.None,
        };
    }

    /// <summary>
    /// The row with its facts, blob sizes and children, where those are in a blob of the container <c>derived</c>. If that blob is
    /// lost, it is made again.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The blob is lost, and its sources are being overwritten.</exception>
    public async Task<ImageRow> WithFactsAsync(string @namespace, ImageRow row, CancellationToken cancellationToken)
    {
        if (row.HasFacts)
        {
            return row;
        }

        if (await content.ReadFactsAsync(row, cancellationToken) is { } found)
        {
            return found;
        }

        var path = new BlobPath(Repository.Of(@namespace, row.App), row.Digest);
        if (await rowStore.BlobAsync(path, cancellationToken) is not { } blob)
        {
            // A deleted index whose manifest is gone too: what it named cannot be known.
            return row with { Facts = new ImageFacts() };
        }

        var made = await content.ReadAsync(path, blob.BlobETag, cancellationToken) is { } bytes
            ? await AgainAsync(path, Manifest.Parse(bytes, row.MediaType), cancellationToken)
            : null;
        if (made is null)
        {
            throw new StorageUnavailableException($"{path} is being overwritten");
        }

        await content.WriteFactsAsync(@namespace, made with { State = row.State }, cancellationToken);
        return row with { Facts = made.Facts with { }, BlobSizes = made.BlobSizes, Children = made.Children };
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

    private async Task<ImageRow?> AgainAsync(BlobPath path, Manifest manifest, CancellationToken cancellationToken)
    {
        var repository = path.Repository;
        if (!manifest.IsIndex)
        {
            var blobs = new List<BlobRow>();
            foreach (var needed in manifest.NeededBlobs)
            {
                if (await rowStore.BlobAsync(new BlobPath(repository, needed.Digest), cancellationToken) is { } blob)
                {
                    blobs.Add(blob);
                }
            }

            return await OfImageAsync(path, manifest, blobs, cancellationToken);
        }

        var children = new List<ImageRow>();
        foreach (var needed in manifest.NeededManifests)
        {
            if (await rowStore.ImageAsync(repository, needed.Digest, cancellationToken) is { } child)
            {
                children.Add(child);
            }
        }

        return await OfIndexAsync(path, manifest, children, cancellationToken);
    }
}
