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
    RowStore rowStore,
    Content content,
    BlobInvalidation invalidation,
    Removal removal,
    BlobRetention retention,
    PullRedirect redirect
)
{
    /// <summary>GET and HEAD: the bytes or a range of them, or a redirect to where storage itself serves them.</summary>
    public async Task GetAsync(RegistryRequest request)
    {
        var blob = await FindAsync(request, request.Digest);
        if (request.Request.IsKnown(blob.Digest))
        {
            Begin(request.Response, blob.Digest);
            request.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        var range = RangeOf(request, blob);
        if (HttpMethods.IsHead(request.Request.Method))
        {
            await DemandBytesAsync(request, blob);
            Begin(request.Response, blob, range);
        }
        else if (!await IsRedirectedAsync(request, blob))
        {
            await SendAsync(request, blob, range);
        }
    }

    /// <summary>DELETE.</summary>
    public async Task DeleteAsync(RegistryRequest request)
    {
        var digest = request.Digest;
        var result = await removal.BlobAsync(request.Repository, digest, request.Stop);
        if (result.NeededBy is { } by)
        {
            throw RegistryError.Needed(digest, by);
        }

        if (!result.Found)
        {
            throw RegistryError.BlobUnknown(digest.ToString());
        }

        request.Response.StatusCode = StatusCodes.Status202Accepted;
        request.Response.ContentLength = 0;
    }

    private async Task<BlobRow> FindAsync(RegistryRequest request, Digest digest) =>
        request.MayRead
        && digest.IsSupported
        && await (
            request.IsBeforePush
                ? retention.RenewAsync(request.Repository, digest, request.Stop)
                : rowStore.BlobAsync(request.Repository, digest, request.Stop)
        )
            is { State: BlobState.Good } blob
            ? blob
            : throw RegistryError.BlobUnknown(digest.ToString());

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

    // HEAD says what GET would: of no bytes none is read.
    private async Task DemandBytesAsync(RegistryRequest request, BlobRow blob)
    {
        var path = LayoutPath.Of(request.Repository, blob.Digest);
        if (blob.Size > 0 && !await content.IsReadableAsync(path, blob.BlobETag, request.Stop))
        {
            throw await GoneAsync(request, blob);
        }
    }

    // The row says what is not true any more: its images are hidden before anybody is told so.
    private async Task<RegistryError> GoneAsync(RegistryRequest request, BlobRow blob)
    {
        await invalidation.RunAsync(request.Repository, blob, request.Stop);
        return RegistryError.BlobUnknown(blob.Digest.ToString());
    }

    private async Task<bool> IsRedirectedAsync(RegistryRequest request, BlobRow blob)
    {
        var path = LayoutPath.Of(request.Repository, blob.Digest);
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

    private async Task SendAsync(RegistryRequest request, BlobRow blob, ByteRange? range)
    {
        var path = LayoutPath.Of(request.Repository, blob.Digest);
        await using var bytes =
            blob.Size == 0
                ? Stream.Null
                : await content.OpenAsync(path, blob.BlobETag, range?.First ?? 0, range?.Length, request.Stop);
        if (bytes is null)
        {
            throw await GoneAsync(request, blob);
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
