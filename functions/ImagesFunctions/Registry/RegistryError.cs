using System.Buffers;
using System.Text.Json;
using Azure;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.Registry;

/// <summary>A request that is answered with an error of the OCI Distribution API (spec, "Error Codes").</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="code">One of the spec's codes.</param>
/// <param name="message">One sentence for whoever reads it in a terminal.</param>
/// <param name="detail">What it is about, such as a digest; or null.</param>
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

    public static RegistryError SizeInvalid(string message) =>
        new(StatusCodes.Status400BadRequest, "SIZE_INVALID", message);

    public static RegistryError BadQuery(string name, string value) =>
        new(StatusCodes.Status400BadRequest, "UNSUPPORTED", $"The parameter {name} is not what it has to be.", value);
}

/// <summary>The one place that writes the registry's errors.</summary>
internal static partial class RegistryErrors
{
    private const int LongestDetail = 1_000;

    /// <summary>Runs a handler. Whatever it throws becomes an error of the registry's own form.</summary>
    public static async Task GuardAsync(HttpContext context, Func<Task> handle)
    {
        try
        {
            await handle();
        }
        catch (Exception error)
            when (error is ConnectionResetException || context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to read an answer.
        }
        catch (Exception error) when (context.Response.HasStarted)
        {
            // Part of a blob is on its way: only a broken connection tells the client that there is no more of it.
            LogFailure(Log(context), context.Request.Method, context.Request.Path, error);
            context.Abort();
        }
        catch (Exception error)
        {
            await WriteAsync(context, Describe(context, error));
        }
    }

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
        await using (var json = new Utf8JsonWriter(body, RegistryAnswer.Json))
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
        : error.Detail.Length > LongestDetail ? Refusals.Visible(error.Detail[..LongestDetail]) + "…"
        : Refusals.Visible(error.Detail);

    private static RegistryError Describe(HttpContext context, Exception error)
    {
        switch (error)
        {
            case RegistryError known:
                return known;
            case InvalidContentException invalid:
                return RegistryError.ManifestInvalid(invalid.Message);
            case BadHttpRequestException bad:
                return new RegistryError(bad.StatusCode, "UNKNOWN", bad.Message);
        }

        // The caller learns that it failed and whether to try again; the reason is for the log.
        var request = context.Request;
        if (error is StorageUnavailableException or RequestFailedException || StorageErrors.IsUnclear(error))
        {
            LogUnavailable(Log(context), request.Method, request.Path, error.Message.Split('\n')[0].Trim());
            context.Response.Headers.RetryAfter = "1";
            return new RegistryError(
                StatusCodes.Status503ServiceUnavailable,
                "UNAVAILABLE",
                "Storage does not answer: try again."
            );
        }

        LogFailure(Log(context), request.Method, request.Path, error);
        return new RegistryError(
            StatusCodes.Status500InternalServerError,
            "UNKNOWN",
            "An error of the service, not of the request. It was logged."
        );
    }

    private static ILogger Log(HttpContext context) =>
        context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("ImagesFunctions.Registry");

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed, storage does not answer: {Reason}")]
    private static partial void LogUnavailable(ILogger logger, string method, string path, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogFailure(ILogger logger, string method, string path, Exception error);
}
