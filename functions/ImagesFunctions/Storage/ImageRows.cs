using ImagesFunctions.Oci;

namespace ImagesFunctions.Storage;

/// <summary>Makes image rows from manifests whose parts are all there. Generation and state are the committer's to say.</summary>
internal static class ImageRows
{
    /// <summary>The row of an image manifest or an artifact; null when its config has just been overwritten.</summary>
    /// <exception cref="InvalidContentException">The config is no image config.</exception>
    public static async Task<ImageRow?> OfImageAsync(
        Content content,
        Repository repository,
        Digest digest,
        Manifest manifest,
        List<BlobRow> blobs,
        CancellationToken cancellationToken
    )
    {
        var byDigest = blobs.ToDictionary(b => b.Digest);
        var row = new ImageRow(repository.App, digest)
        {
            MediaType = manifest.MediaType,
            Size = 0,
            IsImage = manifest.IsImage,
            Generation = "",
        };
        if (
            !MediaTypes.IsImageConfig(manifest.Config!.MediaType)
            || !byDigest.TryGetValue(manifest.Config.Digest, out var config)
        )
        {
            return row;
        }

        var bytes = await content.ReadAsync(
            LayoutPath.Of(repository, config.Digest),
            config.BlobETag,
            cancellationToken
        );
        return bytes is null
            ? null
            : row with
            {
                Size = blobs.Sum(b => b.Size),
                Parts = blobs.ToDictionary(b => b.Digest.ToString(), b => b.Size, StringComparer.Ordinal),
                Facts = ImageFacts.Of(
                    manifest,
                    bytes,
                    [.. manifest.Layers.Select(l => byDigest.GetValueOrDefault(l.Digest)?.Tar)]
                ),
            };
    }

    /// <summary>The row of an index: the facts of its image for KraftCloud, else of its first one, and the size of all its images.</summary>
    public static async Task<ImageRow> OfIndexAsync(
        Content content,
        string app,
        Digest digest,
        Manifest index,
        List<ImageRow> children,
        CancellationToken cancellationToken
    )
    {
        var rows = new Dictionary<Digest, ImageRow>();
        foreach (var child in children)
        {
            rows[child.Digest] = await content.WithFactsAsync(child, cancellationToken);
        }

        var images = index
            .Manifests.Where(m => rows.TryGetValue(m.Digest, out var row) && row.Parts.Count > 0)
            .ToList();
        var shown =
            images.Find(m => m.Platform is { Os: "kraftcloud", Architecture: "x86_64" }) ?? images.FirstOrDefault();
        var parts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (part, size) in images.SelectMany(m => rows[m.Digest].Parts))
        {
            parts[part] = size;
        }

        return new ImageRow(app, digest)
        {
            MediaType = index.MediaType,
            Size = parts.Values.Sum(),
            IsImage = index.IsImage,
            Generation = "",
            Children = [.. index.Manifests.Select(m => m.Digest.ToString()).Distinct(StringComparer.Ordinal)],
            Parts = parts,
            Facts = shown is null ? ImageFacts.None : rows[shown.Digest].Facts,
        };
    }
}
