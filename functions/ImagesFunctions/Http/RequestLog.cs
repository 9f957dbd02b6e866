using System.Diagnostics;
using ImagesFunctions.Accounts;
using ImagesFunctions.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.Http;

/// <summary>What <see cref="RequestLog"/> knows of a request from its beginning.</summary>
internal sealed class RequestInfo
{
    private readonly long _started = Stopwatch.GetTimestamp();

    /// <summary>The request's id: the id of its trace where it has one, so that it is found there too.</summary>
    public string Id { get; } =
        Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity
            ? activity.TraceId.ToHexString()
            : Guid.NewGuid().ToString("N");

    /// <summary>How long the request has taken so far.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_started);

    /// <summary>The status of an answer that broke off, whatever its status line says; null where the answer is complete.</summary>
    public int? BrokenOff { get; set; }

    /// <summary>Of a request that has passed <see cref="RequestLog"/>.</summary>
    public static RequestInfo Of(HttpContext context) => context.Features.GetRequiredFeature<RequestInfo>();
}

/// <summary>Middleware: gives each request an id, and writes a line to the log and a measurement when it ends.</summary>
internal sealed partial class RequestLog(RequestDelegate next, ILoggerFactory loggers)
{
    /// <summary>The category of the log.</summary>
    public const string Category = "ImagesFunctions.Requests";

    private readonly ILogger _log = loggers.CreateLogger(Category);

    public async Task InvokeAsync(HttpContext context)
    {
        var info = new RequestInfo();
        context.Features.Set(info);
        context.Response.Headers["X-Request-Id"] = info.Id;
        try
        {
            await next(context);
        }
        finally
        {
            var status = info.BrokenOff ?? context.Response.StatusCode;
            Metrics.Answered(context, status, info.Elapsed.TotalSeconds);
            LogRequest(
                LevelOf(context, info),
                info.Id,
                context.Request.Method,
                PathOf(context),
                status,
                (long)info.Elapsed.TotalMicroseconds
            );
        }
    }

    /// <summary>The path escaped as in a URL, so that it does not break a line of the log.</summary>
    public static string PathOf(HttpContext context) => context.Request.Path.ToUriComponent();

    // Successful reads are very many, and a line costs more than a list; traces and metrics show them.
    private static LogLevel LevelOf(HttpContext context, RequestInfo info) =>
        info.BrokenOff is null
        && context.Response.StatusCode < StatusCodes.Status400BadRequest
        && Access.IsSafe(context.Request.Method)
            ? LogLevel.Debug
            : LogLevel.Information;

    // Generated, because each request writes a line. Nowhere else: the order of the classes in generated code is another one in each
    // build, and a release has to be the same bytes.
    [LoggerMessage(Message = "{RequestId} {Method} {Path} {Status} in {Microseconds} µs")]
    private partial void LogRequest(
        LogLevel level,
        string requestId,
        string method,
        string path,
        int status,
        long microseconds
    );
}
