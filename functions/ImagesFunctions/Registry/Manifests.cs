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
    ManifestCommit commits,
    BlobLanding landing,
    BlobInvalidation invalidation,
    Removal removal,
    BlobRetention retention
)
{
    private const int MaxTags = 90;
    private const int MaxTries = 10;

    /// <summary>GET and HEAD, by digest or tag.</summary>
    public async Task GetAsync(RegistryRequest request)
    {
        var (image, blob) = await FindAsync(request);
        var response = request.Response;
        if (request.Request.IsKnown(image.Digest))
        {
            Begin(response, image);
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        var path = LayoutPath.Of(request.Repository, image.Digest);
        if (HttpMethods.IsHead(request.Request.Method))
        {
            // It says what GET would.
            if (!await content.IsReadableAsync(path, blob.BlobETag, request.Stop))
            {
                throw await GoneAsync(request, blob);
            }

            Begin(response, image);
            response.ContentType = image.MediaType;
            response.ContentLength = blob.Size;
            return;
        }

        if (await content.ReadAsync(path, blob.BlobETag, request.Stop) is not { } bytes)
        {
            throw await GoneAsync(request, blob);
        }

        Begin(response, image);
        await response.WriteBodyAsync(image.MediaType, bytes, request.Stop);
    }

    /// <summary>PUT, by digest or tag, with more tags in the query.</summary>
    public async Task PutAsync(RegistryRequest request)
    {
        var (named, tags) = Target(request);
        var bytes = await ManifestBody.ReadAsync(request);
        var digest = Digest.Of(named?.Algorithm ?? "sha256", bytes);
        if (named is not null && digest != named)
        {
            throw RegistryError.DigestInvalid($"The bytes hash to {digest}.", named.ToString());
        }

        var manifest = Manifest.Parse(bytes, DeclaredType(request.Request));
        var condition = Conditions.Of(request.Request, named is null ? request.Path.Last : null);
        await CommitAsync(request, digest, bytes, manifest, tags, condition);
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

    /// <summary>DELETE: a digest takes its tags along; a tag leaves its image.</summary>
    public async Task DeleteAsync(RegistryRequest request)
    {
        var reference = request.Path.Last;
        if (!IsDigest(reference))
        {
            // A tag whose image is gone does not count any more; its row goes all the same.
            var image = await rowStore.TaggedImageAsync(request.Repository, reference, request.Stop);
            if (!await removal.TagAsync(request.Repository, reference, request.Stop) || image is null)
            {
                throw RegistryError.ManifestUnknown(reference);
            }
        }
        else
        {
            var digest = request.Digest;
            var result = await removal.ImageAsync(request.Repository, digest, request.Stop);
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

    // The row says what is not true any more: the image is hidden before anybody is told so.
    private async Task<RegistryError> GoneAsync(RegistryRequest request, BlobRow blob)
    {
        await invalidation.RunAsync(request.Repository, blob, request.Stop);
        return RegistryError.ManifestUnknown(request.Path.Last);
    }

    private static void Begin(HttpResponse response, ImageRow image)
    {
        response.Headers["Docker-Content-Digest"] = image.Digest.ToString();
        response.Headers.ETag = $"\"{image.Digest}\"";
        response.Headers.CacheControl = "private, no-cache";
    }

    private async Task<(ImageRow Image, BlobRow Blob)> FindAsync(RegistryRequest request)
    {
        var reference = request.Path.Last;
        var digest = IsDigest(reference) ? request.Digest : null;
        if (request.MayRead)
        {
            var image =
                digest is null ? await rowStore.TaggedImageAsync(request.Repository, reference, request.Stop)
                : digest.IsSupported ? await rowStore.ImageAsync(request.Repository, digest, request.Stop)
                : null;
            if (
                image is { State: ImageState.Complete }
                && await (
                    request.IsBeforePush
                        ? retention.RenewAsync(request.Repository, image.Digest, request.Stop)
                        : rowStore.BlobAsync(request.Repository, image.Digest, request.Stop)
                )
                    is { State: BlobState.Good } blob
            )
            {
                return (image, blob);
            }
        }

        throw RegistryError.ManifestUnknown(reference);
    }

    private static bool IsDigest(string reference) => reference.Contains(':', StringComparison.Ordinal);

    // The digest that the bytes must have, or null, and the tags to set.
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

    // Again where somebody else deletes or overwrites the manifest between the two steps.
    private async Task CommitAsync(
        RegistryRequest request,
        Digest digest,
        byte[] bytes,
        Manifest manifest,
        IReadOnlyList<string> tags,
        TagCondition? condition
    )
    {
        await DemandAsync(request, digest, condition);
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            await DemandPartsAsync(request, manifest);
            await landing.LandAsync(request.Repository, digest, bytes, request.Stop);
            if (await commits.PushAsync(request.Repository, digest, manifest, tags, condition, request.Stop))
            {
                return;
            }
        }

        throw new StorageUnavailableException($"{digest} or what it needs was changed by others at each try");
    }

    // As below: the commit decides, but what cannot hold any more leaves nothing behind.
    private async Task DemandAsync(RegistryRequest request, Digest digest, TagCondition? condition)
    {
        if (condition is null)
        {
            return;
        }

        var current = condition.Tag is { } tag
            ? await rowStore.TaggedImageAsync(request.Repository, tag, request.Stop)
            : await rowStore.ImageAsync(request.Repository, digest, request.Stop);
        if (!condition.HoldsFor(current is { State: ImageState.Complete } ? current.Digest : null))
        {
            throw Conditions.Failed(request.Path.Last);
        }
    }

    // Looked at before anything is stored, so that a manifest that misses something leaves nothing behind.
    private async Task DemandPartsAsync(RegistryRequest request, Manifest manifest)
    {
        var missing = await Dependencies.MissingAsync(rowStore, request.Repository, manifest, request.Stop);
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
