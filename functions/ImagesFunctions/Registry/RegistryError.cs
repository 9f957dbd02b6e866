using System.Buffers;
using System.Text.Json;
using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Registry;

/// <summary>A request that is answered with an error of the OCI Distribution API (spec, "Error Codes").</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="code">One of the spec's codes.</param>
/// <param name="message">One sentence for the user of a client.</param>
/// <param name="detail">The subject of the error, such as a digest; or null.</param>
internal sealed class RegistryError(int status, string code, string message, string? detail = null) : Exception(message)
{
    public int Status => status;

    public string Code => code;

    public string? Detail => detail;

    public static RegistryError BlobUnknown(string digest) =>
        new(StatusCodes.Status404NotFound, "BLOB_UNKNOWN", "The repository has no such blob.", digest);

    public static RegistryError UploadUnknown(string id) =>
        new(
            StatusCodes.Status404NotFound,
            "BLOB_UPLOAD_UNKNOWN",
            "There is no such upload: it is finished, was ended, or has expired.",
            id
        );

    public static RegistryError DigestInvalid(string message, string? digest) =>
        new(StatusCodes.Status400BadRequest, "DIGEST_INVALID", message, digest);

    public static RegistryError ManifestInvalid(string message, string? detail = null) =>
        new(StatusCodes.Status400BadRequest, "MANIFEST_INVALID", message, detail);

    public static RegistryError ManifestTooLong() =>
        new(
            StatusCodes.Status413PayloadTooLarge,
            "SIZE_INVALID",
            $"A manifest has at most {Manifest.MaxContent} bytes."
        );

    public static RegistryError ManifestUnknown(string reference) =>
        new(StatusCodes.Status404NotFound, "MANIFEST_UNKNOWN", "The repository has no such manifest.", reference);

    public static RegistryError NameUnknown(string name) =>
        new(StatusCodes.Status404NotFound, "NAME_UNKNOWN", "There is no such repository.", name);

    public static RegistryError Needed(Digest digest, Digest by) =>
        new(
            StatusCodes.Status405MethodNotAllowed,
            "UNSUPPORTED",
            by == digest
                ? $"{digest} is a manifest: delete it as one."
                : $"{digest} is still needed by {by}: delete that first.",
            by.ToString()
        );

    public static RegistryError Denied(string message) => new(StatusCodes.Status403Forbidden, "DENIED", message);

    public static RegistryError RangeInvalid(string message) =>
        new(StatusCodes.Status416RangeNotSatisfiable, "BLOB_UPLOAD_INVALID", message);

    public static RegistryError Pinned(Digest digest, Guid pin) =>
        new(
            StatusCodes.Status405MethodNotAllowed,
            "UNSUPPORTED",
            $"It is pinned as {pin}: unpin it first.",
            digest.ToString()
        );

    public static RegistryError SizeInvalid(string message) =>
        new(StatusCodes.Status400BadRequest, "SIZE_INVALID", message);

    public static RegistryError BadQuery(string name, string value) =>
        new(StatusCodes.Status400BadRequest, "UNSUPPORTED", $"The parameter {name} is not what it has to be.", value);
}

/// <summary>Writes the errors of the OCI Distribution API.</summary>
internal static class RegistryErrors
{
    private const int MaxDetail = 1_000;

    /// <summary>How the OCI Distribution API answers errors.</summary>
    public static readonly IErrorFormat Format = new ErrorFormat<RegistryError>(
        error =>
            error switch
            {
                RegistryError known => known,
                AccessDeniedException denied => RegistryError.Denied(denied.Message),
                QuotaExceededException full => RegistryError.Denied(full.Message),
                InvalidContentException invalid => RegistryError.ManifestInvalid(invalid.Message),
                BadHttpRequestException bad => new RegistryError(bad.StatusCode, "UNKNOWN", bad.Message),
                _ => null,
            },
        (status, message) =>
            new RegistryError(
                status,
                status switch
                {
                    // No code of the spec says just that; some clients repeat what is UNAVAILABLE or UNKNOWN.
                    StatusCodes.Status409Conflict => "DENIED",
                    StatusCodes.Status429TooManyRequests => "TOOMANYREQUESTS",
                    StatusCodes.Status503ServiceUnavailable => "UNAVAILABLE",
                    _ => "UNKNOWN",
                },
                message
            ),
        WriteAsync
    );

    private static async Task WriteAsync(HttpContext context, RegistryError error)
    {
        var response = context.Response;
        response.StatusCode = error.Status;
        response.Headers.CacheControl = "no-store";
        if (error.Status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = "Basic realm=\"ImagesFunctions\"";
        }

        var body = new ArrayBufferWriter<byte>();
        await using (var json = new Utf8JsonWriter(body, Answers.Json))
        {
            json.WriteStartObject();
            json.WriteStartArray("errors");
            json.WriteStartObject();
            json.WriteString("code", error.Code);
            json.WriteString("message", error.Message);
            json.WriteString("detail", Detail(error));
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }

        await response.WriteBodyAsync("application/json", body.WrittenMemory, CancellationToken.None);
    }

    private static string Detail(RegistryError error) =>
        error.Detail is null ? ""
        : error.Detail.Length > MaxDetail ? Refusals.Visible(error.Detail[..MaxDetail]) + "…"
        : Refusals.Visible(error.Detail);
}
