using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using Azure;
using ImagesFunctions.Storage;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.Images;

/// <summary>A request that is answered with an error of the Images API.</summary>
internal sealed class ApiException(int status, string message) : Exception(message)
{
    /// <summary>The HTTP status.</summary>
    public int Status => status;
}

/// <summary>The JSON envelope that every answer of the Images API has, and the one place that writes its errors.</summary>
internal static partial class Envelope
{
    private const int FlushAt = 32 * 1024;

    // The answers are JSON documents, never part of a page, so that "<" may stay what it is.
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Runs a handler. Whatever it throws becomes an error of the API's own form.</summary>
    public static async Task GuardAsync(HttpContext context, Func<Task> handle)
    {
        context.Items[typeof(Stopwatch)] = Stopwatch.GetTimestamp();
        try
        {
            await handle();
        }
        catch (Exception error)
            when (error is ConnectionResetException || context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to read an answer.
        }
        catch (Exception error) when (!context.Response.HasStarted)
        {
            var (status, message) = Describe(context, error);
            await WriteErrorAsync(context, status, message);
        }
    }

    /// <summary>Writes a successful answer whose <c>data</c> has the one member <c>images</c>.</summary>
    /// <param name="context">The request.</param>
    /// <param name="images">The images.</param>
    /// <param name="write">Writes one of them.</param>
    public static async Task WriteImagesAsync<T>(
        HttpContext context,
        IAsyncEnumerable<T> images,
        Action<Utf8JsonWriter, T> write
    )
    {
        var body = context.Response.BodyWriter;
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "private, no-cache";
        context.Response.Headers.Vary = "Authorization";
        using var json = new Utf8JsonWriter(body, Plain);
        try
        {
            json.WriteStartObject();
            json.WriteString("status", "success");
            json.WriteStartObject("data");
            json.WriteStartArray("images");
            var flushed = 0L;
            await foreach (var image in images.WithCancellation(context.RequestAborted))
            {
                write(json, image);
                if (json.BytesCommitted + json.BytesPending - flushed > FlushAt)
                {
                    await json.FlushAsync(context.RequestAborted);
                    await body.FlushAsync(context.RequestAborted);
                    flushed = json.BytesCommitted;
                }
            }

            json.WriteEndArray();
            json.WriteEndObject();
            WriteTime(context, json);
            json.WriteEndObject();
            await json.FlushAsync(context.RequestAborted);
            await body.FlushAsync(context.RequestAborted);
        }
        catch (Exception error) when (json.BytesCommitted > 0 && !context.RequestAborted.IsCancellationRequested)
        {
            // Part of a list is on its way: only a broken connection tells the client that there is no more of it.
            LogFailure(Log(context), context.Request.Path, error);
            context.Abort();
        }
    }

    private static async Task WriteErrorAsync(HttpContext context, int status, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        if (status == StatusCodes.Status401Unauthorized)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
        }

        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        using var json = new Utf8JsonWriter(context.Response.BodyWriter, Plain);
        json.WriteStartObject();
        json.WriteString("status", "error");
        json.WriteString("message", message);
        json.WriteStartArray("errors");
        json.WriteStartObject();
        json.WriteNumber("status", status);
        json.WriteString("message", message);
        json.WriteEndObject();
        json.WriteEndArray();
        WriteTime(context, json);
        json.WriteEndObject();
        await json.FlushAsync(CancellationToken.None);
        await context.Response.BodyWriter.FlushAsync(CancellationToken.None);
    }

    private static ILogger Log(HttpContext context) =>
        context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("ImagesFunctions.Images");

    private static void WriteTime(HttpContext context, Utf8JsonWriter json)
    {
        var elapsed = Stopwatch.GetElapsedTime((long)context.Items[typeof(Stopwatch)]!);
        json.WriteNumber("op_time_us", (long)elapsed.TotalMicroseconds);
    }

    private static (int Status, string Message) Describe(HttpContext context, Exception error)
    {
        switch (error)
        {
            case ApiException api:
                return (api.Status, api.Message);
            case BadHttpRequestException bad:
                return (bad.StatusCode, bad.Message);
        }

        // The caller learns that it failed and whether to try again; the reason is for the log.
        var log = Log(context);
        if (error is StorageUnavailableException or RequestFailedException || StorageErrors.IsUnclear(error))
        {
            LogUnavailable(log, context.Request.Path, error.Message.Split('\n')[0].Trim());
            context.Response.Headers.RetryAfter = "1";
            return (StatusCodes.Status503ServiceUnavailable, "Storage does not answer: try again.");
        }

        LogFailure(log, context.Request.Path, error);
        return (
            StatusCodes.Status500InternalServerError,
            "An error of the service, not of the request. It was logged."
        );
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Request to {Path} failed, storage does not answer: {Reason}")]
    private static partial void LogUnavailable(ILogger logger, string path, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Request to {Path} failed")]
    private static partial void LogFailure(ILogger logger, string path, Exception error);
}
