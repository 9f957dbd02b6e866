using ImagesFunctions.Blobs;
using ImagesFunctions.Http;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Streams;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Registry;

/// <summary><c>/v2/&lt;name&gt;/blobs/&lt;digest&gt;</c> (spec, "Pulling blobs", "Deleting Blobs").</summary>
internal sealed class Blobs(
    Content content,
    BlobInvalidation invalidation,
    Removal removal,
    BlobRetention retention,
    PullRedirect redirect
)
{
    /// <summary>GET and HEAD: the bytes, a range of them, or a redirect to storage.</summary>
    public async Task GetAsync(RegistryRequest request)
    {
        var path = request.BlobPath;
        var blob = await FindAsync(request, path);
        if (request.Request.IsKnown(blob.Digest))
        {
            Begin(request.Response, blob.Digest);
            request.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        var range = RangeOf(request, blob);
        if (HttpMethods.IsHead(request.Request.Method))
        {
            await DemandBytesAsync(request, path, blob);
            Begin(request.Response, blob, range);
        }
        else if (!await IsRedirectedAsync(request, path, blob))
        {
            await SendAsync(request, path, blob, range);
        }
    }

    /// <summary>DELETE.</summary>
    public async Task DeleteAsync(RegistryRequest request)
    {
        var path = request.BlobPath;
        var result = await removal.BlobAsync(path, request.Stop, request.Access.By);
        if (result.NeededBy is { } by)
        {
            throw RegistryError.Needed(path.Digest, by);
        }

        if (!result.Found)
        {
            throw RegistryError.BlobUnknown(path.Digest.ToString());
        }

        request.Response.StatusCode = StatusCodes.Status202Accepted;
        request.Response.ContentLength = 0;
    }

    private async Task<BlobRow> FindAsync(RegistryRequest request, BlobPath path)
    {
        if (request.MayRead && path.Digest.IsSupported)
        {
            var first = request.FirstRowAsync(Keys.Blob(path));
            var blob = request.IsBeforePush
                ? await retention.RenewAsync(path, request.Stop, first)
                : BlobRow.FromOrNull((await first).Row);
            if (blob is { State: BlobState.Good })
            {
                return blob;
            }
        }

        throw RegistryError.BlobUnknown(path.Digest.ToString());
    }

    // Null: the whole blob.
    private static ByteRange? RangeOf(RegistryRequest request, BlobRow blob)
    {
        if (RangeRequest.TryRead(request.Request, request.Response, blob.Size, $"\"{blob.Digest}\"", out var range))
        {
            return range;
        }

        throw new RegistryError(
            StatusCodes.Status416RangeNotSatisfiable,
            "SIZE_INVALID",
            $"The blob has {blob.Size} bytes, and none in this range.",
            request.Request.Headers.Range
        );
    }

    // HEAD says what GET would. An empty blob is not read.
    private async Task DemandBytesAsync(RegistryRequest request, BlobPath path, BlobRow blob)
    {
        if (blob.Size > 0 && !await content.IsReadableAsync(path, blob.BlobETag, request.Stop))
        {
            throw await GoneAsync(request, path, blob);
        }
    }

    // The row is out of date: the images that need the blob are hidden before the answer is sent.
    private async Task<RegistryError> GoneAsync(RegistryRequest request, BlobPath path, BlobRow blob)
    {
        await invalidation.RunAsync(path, blob, request.Stop);
        return RegistryError.BlobUnknown(blob.Digest.ToString());
    }

    private async Task<bool> IsRedirectedAsync(RegistryRequest request, BlobPath path, BlobRow blob)
    {
        if (!redirect.IsOn || blob.Size == 0 || !await content.IsReadableAsync(path, blob.BlobETag, request.Stop))
        {
            return false;
        }

        var response = request.Response;
        response.Headers["Docker-Content-Digest"] = blob.Digest.ToString();
        response.Headers.CacheControl = "no-store";
        response.Headers.Location = (await redirect.ToAsync(path, request.Stop)).AbsoluteUri;
        response.StatusCode = StatusCodes.Status307TemporaryRedirect;
        response.ContentLength = 0;
        return true;
    }

    private async Task SendAsync(RegistryRequest request, BlobPath path, BlobRow blob, ByteRange? range)
    {
        await using var bytes =
            blob.Size == 0
                ? Stream.Null
                : await content.OpenAsync(
                    path,
                    blob.BlobETag,
                    blob.Size,
                    range?.First ?? 0,
                    range?.Length ?? blob.Size,
                    request.Stop
                );
        if (bytes is null)
        {
            throw await GoneAsync(request, path, blob);
        }

        RequestDeadline.Lift(request.Http);
        Begin(request.Response, blob, range);
        await bytes.ForEachPieceAsync(piece => request.Response.SendPieceAsync(piece, request.Stop), request.Stop);
    }

    private static void Begin(HttpResponse response, Digest digest)
    {
        response.Headers["Docker-Content-Digest"] = digest.ToString();
        response.Headers.AcceptRanges = "bytes";
        response.Headers.ETag = $"\"{digest}\"";
        response.Headers.CacheControl = "private, no-cache";
    }

    private static void Begin(HttpResponse response, BlobRow blob, ByteRange? range)
    {
        Begin(response, blob.Digest);
        response.ContentType = "application/octet-stream";
        RangeRequest.Begin(response, range, blob.Size);
    }
}
