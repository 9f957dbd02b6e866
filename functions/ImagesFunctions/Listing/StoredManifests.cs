using System.Collections.Concurrent;
using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Listing;

/// <summary>Reads stored manifests and configs, for who looks at them.</summary>
internal sealed class StoredManifests(RowStore rowStore, Content content)
{
    private const int Remembered = 10_000;

    // They follow from immutable bytes. Who asks may read the repository, which is part of the key.
    private readonly ConcurrentDictionary<(Repository, Digest), IReadOnlyList<Platform>> _platforms = new();

    /// <summary>The bytes of a manifest or config; null where they are not there now, or longer than a manifest may be.</summary>
    public async Task<byte[]?> BytesAsync(Repository repository, Digest digest, CancellationToken cancellationToken)
    {
        var path = new BlobPath(repository, digest);
        try
        {
            return await rowStore.BlobAsync(path, cancellationToken) is { State: BlobState.Good } blob
                ? await content.ReadAsync(path, blob.BlobETag, cancellationToken)
                : null;
        }
        catch (InvalidContentException)
        {
            return null;
        }
    }

    /// <summary>The platforms of an image or of the images of an index, without those that are unknown; none where they cannot be read.</summary>
    public async Task<IReadOnlyList<Platform>> PlatformsAsync(
        Repository repository,
        Digest digest,
        string mediaType,
        CancellationToken cancellationToken
    )
    {
        if (_platforms.TryGetValue((repository, digest), out var known))
        {
            return known;
        }

        if (await BytesAsync(repository, digest, cancellationToken) is not { } bytes)
        {
            return [];
        }

        var platforms = await OfAsync(repository, Manifest.Parse(bytes, mediaType), cancellationToken);
        if (_platforms.Count >= Remembered)
        {
            _platforms.Clear();
        }

        _platforms[(repository, digest)] = platforms;
        return platforms;
    }

    private async Task<IReadOnlyList<Platform>> OfAsync(
        Repository repository,
        Manifest manifest,
        CancellationToken cancellationToken
    )
    {
        if (manifest.IsIndex)
        {
            return
            [
                .. manifest
                    .Manifests.Where(m => !m.IsAttestation)
                    .Select(m => m.Platform)
                    .OfType<Platform>()
                    .Distinct(),
            ];
        }

        var config = await BytesAsync(repository, manifest.Config!.Digest, cancellationToken);
        var platform = config is null ? null : ConfigDetails.Read(config).Platform;
        return platform is { IsUnknown: false } ? [platform] : [];
    }
}
