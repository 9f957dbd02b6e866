using System.Globalization;
using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ImagesFunctions.Registry;

/// <summary>The headers of push requests and of their answers.</summary>
internal static class UploadRequest
{
    // The length of the chunk as its Content-Range says; null without one. It has to begin where the last chunk ended.
    public static long? DemandChunk(RegistryRequest request, UploadRow session)
    {
        var header = request.Request.Headers.ContentRange;
        if (header.Count == 0)
        {
            return null;
        }

        if (header.Count > 1 || !ByteRange.TryParseChunk(header[0] ?? "", out var range))
        {
            throw new RegistryError(
                StatusCodes.Status400BadRequest,
                "BLOB_UPLOAD_INVALID",
                "Content-Range has to be <first>-<last>.",
                header
            );
        }

        if (range.First != session.Offset)
        {
            throw Elsewhere(request, session);
        }

        if (request.Request.ContentLength is { } length)
        {
            DemandSize(range.Length, length);
        }

        return range.Length;
    }

    // Whether the chunk begins where the session ends, as far as the request says.
    public static bool Fits(RegistryRequest request, UploadRow session) =>
        request.Request.Headers.ContentRange is not [var header, ..]
        || (ByteRange.TryParseChunk(header ?? "", out var range) && range.First == session.Offset);

    public static bool HasBody(RegistryRequest request) =>
        request.Request.ContentLength != 0
        && request.Http.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody != false;

    public static void DemandSize(long? said, long came)
    {
        if (said is not null && said != came)
        {
            throw RegistryError.SizeInvalid($"Content-Range names {said} bytes, and the body has {came}.");
        }
    }

    // The session stays open, and the answer says where it is.
    public static RegistryError Elsewhere(RegistryRequest request, UploadRow session)
    {
        Progress(request, session);
        return RegistryError.RangeInvalid($"The next chunk begins at {session.Offset}.");
    }

    // The blob of the query parameter digest.
    public static BlobPath Named(RegistryRequest request) =>
        RegistryRequest.ParseDigest(request.Query("digest") ?? "") is { IsSupported: true } digest
            ? new BlobPath(request.Repository, digest)
            : throw RegistryError.DigestInvalid(
                "The algorithm is not supported: use sha256 or sha512.",
                request.Query("digest")
            );

    public static Task<UploadBody> BodyAsync(RegistryRequest request) =>
        UploadBody.BeginAsync(Metrics.Counted(request.Request.Body), request.Request.ContentLength, request.Stop);

    public static void Created(RegistryRequest request, Digest digest)
    {
        request.Response.StatusCode = StatusCodes.Status201Created;
        request.Response.ContentLength = 0;
        request.Response.Headers.Location = request.BlobLocation(digest);
        request.Response.Headers["Docker-Content-Digest"] = digest.ToString();
    }

    public static void Accepted(RegistryRequest request, UploadRow session)
    {
        Progress(request, session);
        request.Response.StatusCode = StatusCodes.Status202Accepted;
        request.Response.ContentLength = 0;
    }

    public static void Progress(RegistryRequest request, UploadRow session)
    {
        var headers = request.Response.Headers;
        headers.Location = $"/v2/{request.Path.Name}/blobs/uploads/{session.Id}";
        headers["Docker-Upload-UUID"] = session.Id;
        headers.Range = string.Create(CultureInfo.InvariantCulture, $"0-{Math.Max(0, session.Offset - 1)}");
    }
}
