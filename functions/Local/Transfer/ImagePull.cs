using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary>
/// Pulls an image into an OCI image layout. What is there is not pulled again; a blob that was cut off goes on where it ended. A blob has its
/// name when it is whole and hashes to it, and <c>index.json</c> names the image last.
/// </summary>
/// <param name="client">The registry.</param>
/// <param name="image">The image there.</param>
/// <param name="folder">The layout; it is made where there is none, and keeps what other images it has.</param>
/// <param name="progress">Shows it.</param>
internal sealed class ImagePull(RemoteRegistry client, RegistryAddress image, string folder, TransferProgress progress)
{
    private const string RefName = "org.opencontainers.image.ref.name";
    private const int BufferSize = 128 * 1024;

    /// <summary>Pulls it.</summary>
    /// <returns>The digest of its manifest or index.</returns>
    /// <exception cref="LocalException">There is none, something is damaged or refused.</exception>
    public async Task<Digest> RunAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var root =
            await client.ManifestAsync(image, image.Reference, cancellationToken)
            ?? throw new LocalException(
                $"there is no image {image}, or it is not shown to this caller (--token or IMAGES_TOKEN)"
            );
        var blobs = new Dictionary<Digest, Descriptor>();
        var seen = new HashSet<Digest>();
        var open = new Queue<(byte[] Bytes, string MediaType, Digest Digest)>([root]);
        while (open.TryDequeue(out var next))
        {
            if (!seen.Add(next.Digest))
            {
                continue;
            }

            await WriteAsync(PathOf(next.Digest), next.Bytes, cancellationToken);
            var manifest = Manifest.Parse(next.Bytes, next.MediaType.Length > 0 ? next.MediaType : null);
            foreach (var blob in manifest.NeededBlobs)
            {
                blobs.TryAdd(blob.Digest, blob);
            }

            foreach (var child in manifest.Manifests.Where(m => m.IsManifest && !m.MayBeAbsent))
            {
                open.Enqueue(
                    await client.ManifestAsync(image, child.Digest.ToString(), cancellationToken)
                        ?? throw new LocalException($"{image} needs {child.Digest}, which is not there")
                );
            }
        }

        await PullBlobsAsync(blobs.Values, cancellationToken);
        await WriteAsync(
            Path.Combine(folder, "oci-layout"),
            """{"imageLayoutVersion":"1.0.0"}"""u8.ToArray(),
            cancellationToken
        );
        await NameAsync(root, cancellationToken);
        return root.Digest;
    }

    private Task PullBlobsAsync(IEnumerable<Descriptor> blobs, CancellationToken cancellationToken)
    {
        var items = blobs
            .OrderByDescending(b => b.Size)
            .Select(b => (Blob: b, Item: progress.Add(b.Digest.Encoded[..LsCommand.ShownDigest], b.Size)))
            .ToList();
        return Parallel.ForEachAsync(
            items,
            new ParallelOptions { MaxDegreeOfParallelism = ImagePush.Parallel, CancellationToken = cancellationToken },
            async (one, stop) => await PullAsync(one.Blob, one.Item, stop)
        );
    }

    private async Task PullAsync(Descriptor blob, TransferItem item, CancellationToken cancellationToken)
    {
        var path = PathOf(blob.Digest);
        if (File.Exists(path) && await HashAsync(path, blob.Digest, cancellationToken) == blob.Digest)
        {
            item.From = item.At = blob.Size;
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var part = $"{path}.part";
        for (var isFirst = true; ; isFirst = false)
        {
            item.From = item.At = await DownloadAsync(blob, part, item, cancellationToken);
            var digest = await HashAsync(part, blob.Digest, cancellationToken);
            if (digest == blob.Digest)
            {
                item.At = blob.Size;
                File.Move(part, path, overwrite: true);
                return;
            }

            File.Delete(part);
            if (!isFirst || item.From == 0)
            {
                throw new LocalException(
                    $"{image.Registry.Authority} sends {blob.Digest} with bytes that hash to {digest}"
                );
            }

            progress.Note($"{blob.Digest}: what was pulled before is damaged, and is pulled again");
        }
    }

    // From where the last one was cut off; returns that.
    private async Task<long> DownloadAsync(
        Descriptor blob,
        string part,
        TransferItem item,
        CancellationToken cancellationToken
    )
    {
        await using var file = new FileStream(
            part,
            FileMode.OpenOrCreate,
            FileAccess.Write,
            FileShare.None,
            BufferSize,
            FileOptions.Asynchronous
        );
        var from = file.Length <= blob.Size ? file.Length : 0;
        file.SetLength(from);
        file.Position = from;
        item.From = item.At = from;
        await using var bytes = new BlobDownload(client, image, blob, from);
        var buffer = new byte[BufferSize];
        for (int read; (read = await bytes.ReadAsync(buffer, cancellationToken)) > 0; )
        {
            await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            item.At += read;
        }

        return from;
    }

    private static async Task<Digest> HashAsync(string path, Digest like, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(
            path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.Read,
            BufferSize,
            FileOptions.Asynchronous | FileOptions.SequentialScan
        );
        using var hash = IncrementalHash.CreateHash(Digest.NameOf(like.Algorithm));
        var buffer = new byte[BufferSize];
        for (int read; (read = await file.ReadAsync(buffer, cancellationToken)) > 0; )
        {
            hash.AppendData(buffer, 0, read);
        }

        return Digest.FromHash(like.Algorithm, hash.GetHashAndReset());
    }

    // A tag names one image; what else the layout has stays.
    private async Task NameAsync(
        (byte[] Bytes, string MediaType, Digest Digest) root,
        CancellationToken cancellationToken
    )
    {
        var path = Path.Combine(folder, ImageFiles.Index);
        var index = File.Exists(path)
            ? (await ImageFiles.OpenAsync(folder, cancellationToken)).Root.DeepClone().AsObject()
            : new JsonObject { ["schemaVersion"] = 2, ["manifests"] = new JsonArray() };
        var tag = image.IsDigest ? null : image.Reference;
        var others = index["manifests"]!
            .AsArray()
            .Where(m =>
                tag is null
                    ? (string?)m?["digest"] != root.Digest.ToString()
                    : (string?)m?["annotations"]?[RefName] != tag
            )
            .Select(m => m?.DeepClone());
        var descriptor = new JsonObject
        {
            ["mediaType"] = Manifest.Parse(root.Bytes, root.MediaType.Length > 0 ? root.MediaType : null).MediaType,
            ["digest"] = root.Digest.ToString(),
            ["size"] = root.Bytes.Length,
        };
        if (tag is not null)
        {
            descriptor["annotations"] = new JsonObject { [RefName] = tag };
        }

        index["manifests"] = new JsonArray([.. others, descriptor]);
        await WriteAsync(path, JsonSerializer.SerializeToUtf8Bytes(index), cancellationToken);
    }

    private static async Task WriteAsync(string path, byte[] bytes, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var next = $"{path}.{Guid.NewGuid():N}.part";
        await File.WriteAllBytesAsync(next, bytes, cancellationToken);
        File.Move(next, path, overwrite: true);
    }

    private string PathOf(Digest digest) => Path.Combine(folder, "blobs", digest.Algorithm, digest.Encoded);
}
