using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using ImagesFunctions.Accounts;
using ImagesFunctions.Storage;
using ImagesFunctions.Telemetry;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.Http;

/// <summary>How one of the two APIs says that something went wrong.</summary>
/// <param name="FromException">The error that an exception stands for; null for an unexpected one.</param>
/// <param name="ServerError">An error of the service, by its HTTP status and a message for the caller.</param>
/// <param name="WriteAsync">Writes an error as the answer.</param>
internal sealed record ErrorFormat<TError>(
    Func<Exception, TError?> FromException,
    Func<int, string, TError> ServerError,
    Func<HttpContext, TError, Task> WriteAsync
)
    where TError : class;

/// <summary>What every request of both APIs has in common: an id, a line in the log, and that whatever is thrown becomes an answer.</summary>
internal static partial class Requests
{
    /// <summary>The answers are JSON documents, never part of a page, so that <c>&lt;</c> may stay what it is.</summary>
    public static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Runs a handler.</summary>
    /// <param name="context">The request.</param>
    /// <param name="handle">Answers it.</param>
    /// <param name="format">How its API says what went wrong.</param>
    public static async Task GuardAsync<TError>(HttpContext context, Func<Task> handle, ErrorFormat<TError> format)
        where TError : class
    {
        var started = Stopwatch.GetTimestamp();
        context.Items[typeof(Stopwatch)] = started;
        // The trace's own number where there is one, so that it is found there too.
        var id = Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity
            ? activity.TraceId.ToHexString()
            : Guid.NewGuid().ToString("N");
        context.Response.Headers["X-Request-Id"] = id;
        SecurityHeaders.Add(context);
        var brokeOff = await HandleAsync(context, id, handle, format);
        Metrics.Answered(
            context,
            brokeOff ?? context.Response.StatusCode,
            Stopwatch.GetElapsedTime(started).TotalSeconds
        );
        LogRequest(
            Log(context),
            LevelOf(context, brokeOff is not null),
            id,
            context.Request.Method,
            PathOf(context),
            brokeOff ?? context.Response.StatusCode,
            ElapsedMicroseconds(context)
        );
    }

    // The server's own bound is on bytes a second, which a source that pauses does not reach; both hosts turn it off.
    private static void BoundBody(HttpContext context, RequestDeadline deadline)
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true })
        {
            var time = context.RequestServices.GetRequiredService<TimeProvider>();
            var body = new IdleLimitStream(context.Request.Body, deadline, time);
            context.Response.RegisterForDispose(body);
            context.Request.Body = body;
        }
    }

    // The status of what broke off, whatever the answer has said before; null where it is answered.
    private static async Task<int?> HandleAsync<TError>(
        HttpContext context,
        string id,
        Func<Task> handle,
        ErrorFormat<TError> format
    )
        where TError : class
    {
        using var deadline = new RequestDeadline(context, context.RequestServices.GetRequiredService<StorageTimes>());
        BoundBody(context, deadline);
        try
        {
            await handle();
            // One without a body goes out only now.
            return deadline.IsClientGone && !context.Response.HasStarted
                ? StatusCodes.Status499ClientClosedRequest
                : null;
        }
        catch (Exception error) when (error is ConnectionResetException or ClientGoneException || deadline.IsClientGone)
        {
            // Nobody is there to read an answer.
            return StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception error) when (!context.Response.HasStarted)
        {
            await format.WriteAsync(
                context,
                format.FromException(error) ?? ServerErrorOf(context, id, deadline.CauseOf(error), format)
            );
            return null;
        }
        catch (Exception error)
        {
            // Part of an answer is on its way: only a broken connection tells the client that there is no more of it.
            LogFailure(Log(context), id, PathOf(context), error);
            context.Abort();
            return StatusCodes.Status500InternalServerError;
        }
    }

    /// <summary>Whether the request's method is one of these; if not the answer says which are (RFC 9110, 15.5.6).</summary>
    public static bool HasMethod(HttpContext context, string[] methods)
    {
        if (methods.Contains(context.Request.Method, StringComparer.Ordinal))
        {
            return true;
        }

        context.Response.Headers.Allow = string.Join(", ", methods);
        return false;
    }

    /// <summary>How long a guarded request has taken so far.</summary>
    public static long ElapsedMicroseconds(HttpContext context) =>
        (long)Stopwatch.GetElapsedTime((long)context.Items[typeof(Stopwatch)]!).TotalMicroseconds;

    // The caller learns that it failed and whether to try again; the reason is for the log.
    private static TError ServerErrorOf<TError>(
        HttpContext context,
        string id,
        Exception error,
        ErrorFormat<TError> format
    )
        where TError : class
    {
        if (error is TooManyRequestsException limited)
        {
            context.Response.Headers.RetryAfter = limited.RetryAfterSeconds;
            return format.ServerError(StatusCodes.Status429TooManyRequests, limited.Message);
        }

        if (StorageErrors.HeldOf(error) is { } held)
        {
            LogHeld(Log(context), id, PathOf(context), StorageErrors.Reason(held));
            return format.ServerError(StatusCodes.Status409Conflict, held.Message);
        }

        if (StorageErrors.IsFailure(error) || StorageErrors.IsUnclear(error))
        {
            LogUnavailable(Log(context), id, PathOf(context), StorageErrors.Reason(error));
            // Not the same for all: who failed together would come back together.
            context.Response.Headers.RetryAfter = Random.Shared.Next(1, 4).ToString(CultureInfo.InvariantCulture);
            return format.ServerError(StatusCodes.Status503ServiceUnavailable, StorageErrors.Told(error));
        }

        LogFailure(Log(context), id, PathOf(context), error);
        return format.ServerError(
            StatusCodes.Status500InternalServerError,
            "An error of the service, not of the request. It was logged."
        );
    }

    // Reads that succeed come by the thousand, and a line for each costs more than a list does; traces and metrics have them.
    private static LogLevel LevelOf(HttpContext context, bool isBrokenOff) =>
        !isBrokenOff
        && context.Response.StatusCode < StatusCodes.Status400BadRequest
        && (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
            ? LogLevel.Debug
            : LogLevel.Information;

    // Escaped as in a URL: a line of the log stays one line.
    private static string PathOf(HttpContext context) => context.Request.Path.ToUriComponent();

    private static ILogger Log(HttpContext context) =>
        context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("ImagesFunctions.Requests");

    [LoggerMessage(Message = "{RequestId} {Method} {Path} {Status} in {Microseconds} µs")]
    private static partial void LogRequest(
        ILogger logger,
        LogLevel level,
        string requestId,
        string method,
        string path,
        int status,
        long microseconds
    );

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "{RequestId} Request to {Path} failed, storage does not answer: {Reason}"
    )]
    private static partial void LogUnavailable(ILogger logger, string requestId, string path, string reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{RequestId} Request to {Path} was refused, storage keeps a blob as it is: {Reason}"
    )]
    private static partial void LogHeld(ILogger logger, string requestId, string path, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{RequestId} Request to {Path} failed")]
    private static partial void LogFailure(ILogger logger, string requestId, string path, Exception error);
}
