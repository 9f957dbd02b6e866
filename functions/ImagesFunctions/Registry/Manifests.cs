using ImagesFunctions.Blobs;
using ImagesFunctions.Http;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Registry;

/// <summary><c>/v2/&lt;name&gt;/manifests/&lt;reference&gt;</c> (spec, "Pulling manifests", "Pushing Manifests", "Deleting Manifests").</summary>
internal sealed class Manifests(
    RowStore rowStore,
    Content content,
    ManifestPush push,
    BlobInvalidation invalidation,
    Removal removal,
    BlobRetention retention,
    PullNotes pulls
)
{
    private const int MaxTags = 90;

    /// <summary>GET and HEAD, by digest or tag.</summary>
    public async Task GetAsync(RegistryRequest request)
    {
        var image = await FindAsync(request);
        if (
            !HttpMethods.IsHead(request.Request.Method)
            && !await pulls.NoteAsync(request.Repository, image.Digest, request.Stop)
        )
        {
            throw RegistryError.ManifestUnknown(request.Path.Last);
        }

        var response = request.Response;
        if (request.Request.IsKnown(image.Digest))
        {
            Begin(response, image);
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        if (HttpMethods.IsHead(request.Request.Method))
        {
            // It says what GET would.
            await ReadAsync(
                request,
                image,
                async (path, etag) => await content.IsReadableAsync(path, etag, request.Stop) ? [] : null
            );
            Begin(response, image);
            response.ContentType = image.MediaType;
            response.ContentLength = image.Stored!.Size;
            return;
        }

        var bytes = await ReadAsync(request, image, (path, etag) => content.ReadAsync(path, etag, request.Stop));
        Begin(response, image);
        await response.WriteBodyAsync(image.MediaType, bytes, request.Stop);
    }

    /// <summary>PUT by digest or tag; the query may have more tags.</summary>
    public async Task PutAsync(RegistryRequest request)
    {
        var (named, tags) = Target(request);
        var bytes = await request.Request.ReadBodyAsync(
            Manifest.MaxContent,
            RegistryError.ManifestTooLong,
            request.Stop
        );
        var digest = Digest.Of(named?.Algorithm ?? "sha256", bytes);
        if (named is not null && digest != named)
        {
            throw RegistryError.DigestInvalid($"The bytes hash to {digest}.", named.ToString());
        }

        var manifest = Manifest.Parse(bytes, DeclaredType(request.Request));
        var condition = Conditions.Of(request.Request, named is null ? request.Path.Last : null);
        await CommitAsync(
            request,
            new PushedManifest(new BlobPath(request.Repository, digest), bytes, manifest, tags, condition)
            {
                By = request.Access.By,
            }
        );
        var response = request.Response;
        response.StatusCode = StatusCodes.Status201Created;
        response.ContentLength = 0;
        response.Headers.Location = $"/v2/{request.Path.Name}/manifests/{digest}";
        response.Headers["Docker-Content-Digest"] = digest.ToString();
        response.Headers.ETag = $"\"{digest}\"";
        if (manifest.Subject is { } subject)
        {
            response.Headers["OCI-Subject"] = subject.Digest.ToString();
        }

        if (request.Request.Query.ContainsKey("tag"))
        {
            response.Headers["OCI-Tag"] = new([.. tags]);
        }
    }

    /// <summary>DELETE: by digest it removes the image and its tags, by tag only the tag.</summary>
    public async Task DeleteAsync(RegistryRequest request)
    {
        var reference = request.Path.Last;
        if (!IsDigest(reference))
        {
            // Whether there was one is told by the commit: a tag may come, or move, until then.
            if (!await removal.TagAsync(request.Repository, reference, request.Stop, request.Access.By))
            {
                throw RegistryError.ManifestUnknown(reference);
            }
        }
        else
        {
            var digest = request.Digest;
            var result = await removal.ImageAsync(request.Repository, digest, request.Stop, request.Access.By);
            if (result.IsPinned)
            {
                throw RegistryError.Pinned(digest, PinnedImage.UuidOf(request.Repository, digest));
            }

            if (result.NeededBy is { } by)
            {
                throw RegistryError.Needed(digest, by);
            }

            if (!result.Found)
            {
                throw RegistryError.ManifestUnknown(reference);
            }
        }

        request.Response.StatusCode = StatusCodes.Status202Accepted;
        request.Response.ContentLength = 0;
    }

    private static void Begin(HttpResponse response, ImageRow image)
    {
        response.Headers["Docker-Content-Digest"] = image.Digest.ToString();
        response.Headers.ETag = $"\"{image.Digest}\"";
        response.Headers.CacheControl = "private, no-cache";
    }

    // The image, complete and with what is known of its stored bytes.
    private async Task<ImageRow> FindAsync(RegistryRequest request)
    {
        var reference = request.Path.Last;
        var digest = IsDigest(reference) ? request.Digest : null;
        if (request.MayRead)
        {
            var app = request.Repository.App;
            var image =
                digest is null
                    ? await rowStore.TaggedImageAsync(
                        request.Repository,
                        reference,
                        request.Stop,
                        async () => (await request.FirstRowAsync(Keys.Tag(app, reference))).Row
                    )
                : digest.IsSupported ? ImageRow.Live((await request.FirstRowAsync(Keys.Image(app, digest))).Row)
                : null;
            if (image is { State: ImageState.Complete, Stored: not null } && !request.IsBeforePush)
            {
                return image;
            }

            if (image is { State: ImageState.Complete })
            {
                var path = new BlobPath(request.Repository, image.Digest);
                var blob = request.IsBeforePush
                    ? await retention.RenewAsync(path, request.Stop)
                    : await rowStore.BlobAsync(path, request.Stop);
                if (blob is { State: BlobState.Good })
                {
                    return image with { Stored = new StoredManifest(blob.BlobETag, blob.Size) };
                }
            }
        }

        throw RegistryError.ManifestUnknown(reference);
    }

    // Its bytes, by the ETag of the image's row, and where that is not theirs any more by the one of the blob's row.
    private async Task<byte[]> ReadAsync(
        RegistryRequest request,
        ImageRow image,
        Func<BlobPath, string, Task<byte[]?>> read
    )
    {
        var path = new BlobPath(request.Repository, image.Digest);
        var etag = image.Stored!.ETag;
        if (await read(path, etag) is { } bytes)
        {
            return bytes;
        }

        if (await rowStore.BlobAsync(path, request.Stop) is { State: BlobState.Good } blob)
        {
            if (blob.BlobETag != etag && await read(path, blob.BlobETag) is { } again)
            {
                return again;
            }

            // The row is out of date: the image is hidden before the answer is sent.
            await invalidation.RunAsync(path, blob, request.Stop);
        }

        throw RegistryError.ManifestUnknown(request.Path.Last);
    }

    private static bool IsDigest(string reference) => reference.Contains(':', StringComparison.Ordinal);

    // The digest that the bytes must have (null: any), and the tags to set.
    private static (Digest? Named, IReadOnlyList<string> Tags) Target(RegistryRequest request)
    {
        var reference = request.Path.Last;
        var named = IsDigest(reference) ? request.Digest : null;
        if (named is { IsSupported: false })
        {
            throw RegistryError.DigestInvalid("The algorithm is not supported: use sha256 or sha512.", reference);
        }

        var tags = request
            .Request.Query["tag"]
            .Select(tag => tag ?? "")
            .Concat(named is null ? [reference] : [])
            .Distinct(StringComparer.Ordinal)
            .ToList();
        if (tags.Count > MaxTags)
        {
            throw new RegistryError(
                StatusCodes.Status414UriTooLong,
                "UNSUPPORTED",
                $"{tags.Count} tags: at most {MaxTags} can be set at once."
            );
        }

        return tags.Find(tag => !Reference.IsTag(tag)) is { } bad
            ? throw RegistryError.ManifestInvalid("This is not a tag.", bad)
            : (named, tags);
    }

    private static string? DeclaredType(HttpRequest request) => request.ContentType?.Split(';', 2)[0].Trim();

    private async Task CommitAsync(RegistryRequest request, PushedManifest pushed)
    {
        IReadOnlyList<Digest> missing;
        try
        {
            missing = await push.RunAsync(pushed, request.Stop);
        }
        catch (PreconditionFailedException)
        {
            throw Conditions.Failed(request.Path.Last);
        }

        if (missing.Count > 0)
        {
            throw new RegistryError(
                StatusCodes.Status404NotFound,
                "MANIFEST_BLOB_UNKNOWN",
                "The manifest names what is not in the repository: push that first.",
                string.Join(", ", missing)
            );
        }
    }
}
