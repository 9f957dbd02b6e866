using System.Net;
using System.Net.Http.Headers;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary>Where manifests and blobs come from.</summary>
internal interface IImageSource
{
    /// <summary>The bytes of a manifest; null where it is not there.</summary>
    Task<(byte[] Bytes, string MediaType)?> ManifestAsync(Digest digest, CancellationToken cancellationToken);

    /// <summary>A blob; null where it is not there.</summary>
    BlobSource? Blob(Descriptor descriptor);
}

/// <summary>Pushes an image with all that it needs: blobs first, several at a time, then manifests from the leaves up.</summary>
/// <param name="source">Where it comes from.</param>
/// <param name="client">The registry that it goes to.</param>
/// <param name="to">Its place there.</param>
/// <param name="progress">Shows it.</param>
internal sealed class ImagePush(
    IImageSource source,
    RemoteRegistry client,
    RegistryAddress to,
    TransferProgress progress
)
{
    // Of the whole image: so ten kills lose about a fortieth of it, with four blobs on the way.
    private const int ChunksOfAll = 800;
    private const int ShortestChunk = 256 * 1024;
    private const int LongestChunk = 16 * 1024 * 1024;

    /// <summary>How many blobs are on the way at the same time.</summary>
    public const int Parallel = 4;

    /// <summary>Pushes it.</summary>
    /// <param name="root">Its manifest or index.</param>
    /// <param name="cancellationToken">Ends it; what is there is not sent again the next time.</param>
    /// <exception cref="LocalException">Something is missing, damaged or refused.</exception>
    public async Task RunAsync(Digest root, CancellationToken cancellationToken)
    {
        // Children come after their parents, and are pushed before them.
        var manifests = new List<(Digest Digest, byte[] Bytes, Manifest Manifest)>();
        var blobs = new Dictionary<Digest, Descriptor>();
        var open = new Queue<(Digest Digest, string? Type)>([(root, null)]);
        while (open.TryDequeue(out var next))
        {
            if (manifests.Exists(m => m.Digest == next.Digest))
            {
                continue;
            }

            var (bytes, type) =
                await source.ManifestAsync(next.Digest, cancellationToken)
                ?? throw new LocalException($"the manifest {next.Digest} is missing: nothing was pushed");
            var manifest = Manifest.Parse(bytes, next.Type ?? (type.Length > 0 ? type : null));
            manifests.Add((next.Digest, bytes, manifest));
            foreach (var child in manifest.Manifests.Where(m => m.IsManifest && !m.MayBeAbsent))
            {
                open.Enqueue((child.Digest, child.MediaType.Length > 0 ? child.MediaType : null));
            }

            foreach (var blob in manifest.NeededBlobs)
            {
                blobs.TryAdd(blob.Digest, blob);
            }
        }

        await PushBlobsAsync(blobs.Values, cancellationToken);
        manifests.Reverse();
        foreach (var (digest, bytes, manifest) in manifests)
        {
            await PutAsync(digest, bytes, manifest.MediaType, isRoot: digest == root, cancellationToken);
        }
    }

    private async Task PushBlobsAsync(IEnumerable<Descriptor> blobs, CancellationToken cancellationToken)
    {
        // The longest first, and all that is missing is said before anything is sent.
        var sources = blobs
            .Select(d =>
                source.Blob(d) ?? throw new LocalException($"the blob {d.Digest} is missing: nothing was pushed")
            )
            .OrderByDescending(b => b.Length)
            .Select(b => (Blob: b, Item: progress.Add(NameOf(b.Digest), b.Length)))
            .ToList();
        var all = sources.Sum(s => s.Blob.Length);
        var chunk = (int)Math.Clamp(all / ChunksOfAll, ShortestChunk, LongestChunk);
        await System.Threading.Tasks.Parallel.ForEachAsync(
            sources,
            new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken },
            async (one, stop) =>
                await new BlobUpload(client, to, chunk, progress.Note).RunAsync(one.Blob, one.Item, stop)
        );
    }

    private async Task PutAsync(
        Digest digest,
        byte[] bytes,
        string mediaType,
        bool isRoot,
        CancellationToken cancellationToken
    )
    {
        using var response = await client.SendAsync(
            HttpMethod.Put,
            to.Manifest(isRoot && !to.IsDigest ? to.Reference : digest.ToString()),
            request =>
            {
                request.Content = new ByteArrayContent(bytes);
                request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(mediaType);
            },
            cancellationToken
        );
        await client.DemandAsync(response, $"the manifest {digest}", cancellationToken);
        var said = response.Headers.TryGetValues("Docker-Content-Digest", out var values) ? values.First() : null;
        if (said is not null && said != digest.ToString())
        {
            throw new LocalException($"{to.Registry.Authority} has the manifest {digest} as {said}");
        }
    }

    private static string NameOf(Digest digest) => digest.Encoded[..LsCommand.ShownDigest];
}

/// <summary>An image of a layout or an archive.</summary>
/// <param name="files">Its files.</param>
internal sealed class FilesSource(ImageFiles files) : IImageSource
{
    /// <inheritdoc/>
    public async Task<(byte[] Bytes, string MediaType)?> ManifestAsync(
        Digest digest,
        CancellationToken cancellationToken
    )
    {
        if (files.Blob(digest) is not { } file)
        {
            return null;
        }

        var bytes = await file.ReadAsync(cancellationToken);
        return Digest.Of(digest.Algorithm, bytes) == digest
            ? (bytes, "")
            : throw new LocalException($"{files.Name}: the bytes of {digest} are others");
    }

    /// <inheritdoc/>
    public BlobSource? Blob(Descriptor descriptor) =>
        files.Blob(descriptor.Digest) is { } file
            ? new BlobSource(descriptor.Digest, file.Length, (from, _) => Task.FromResult(file.Open(from)))
            : null;
}

/// <summary>An image of another registry, whose blobs are not kept on the way.</summary>
/// <param name="client">The registry.</param>
/// <param name="image">The image there.</param>
internal sealed class RegistrySource(RemoteRegistry client, RegistryAddress image) : IImageSource
{
    /// <inheritdoc/>
    public async Task<(byte[] Bytes, string MediaType)?> ManifestAsync(
        Digest digest,
        CancellationToken cancellationToken
    ) =>
        await client.ManifestAsync(image, digest.ToString(), cancellationToken) is { } found
            ? (found.Bytes, found.MediaType)
            : null;

    /// <inheritdoc/>
    public BlobSource? Blob(Descriptor descriptor) =>
        new(
            descriptor.Digest,
            descriptor.Size,
            (from, stop) => Task.FromResult<Stream>(new BlobDownload(client, image, descriptor, from))
        );
}
