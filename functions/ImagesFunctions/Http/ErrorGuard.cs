using System.Globalization;
using ImagesFunctions.Accounts;
using ImagesFunctions.Storage;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.Http;

/// <summary>
/// Middleware: bounds how long a request takes, and answers every exception in the error format of the endpoint's API. After
/// routing, because that knows the endpoint.
/// </summary>
/// <param name="next">The rest of the pipeline.</param>
/// <param name="standard">The error format of endpoints that name none.</param>
/// <param name="times">How long a request may take.</param>
/// <param name="time">Measures how long a body makes no progress.</param>
/// <param name="loggers">Makes the log.</param>
internal sealed class ErrorGuard(
    RequestDelegate next,
    IErrorFormat standard,
    StorageTimes times,
    TimeProvider time,
    ILoggerFactory loggers
)
{
    private readonly ILogger _log = loggers.CreateLogger(RequestLog.Category);

    public async Task InvokeAsync(HttpContext context)
    {
        var info = RequestInfo.Of(context);
        using var deadline = new RequestDeadline(context, times);
        BoundBody(context, deadline);
        try
        {
            await next(context);
            if (deadline.IsClientGone && !context.Response.HasStarted)
            {
                // An answer without a body is sent only now.
                info.BrokenOff = StatusCodes.Status499ClientClosedRequest;
            }
        }
        catch (Exception error) when (error is ConnectionResetException or ClientGoneException || deadline.IsClientGone)
        {
            // The client has disconnected.
            info.BrokenOff = StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception error) when (!context.Response.HasStarted)
        {
            var format = context.GetEndpoint()?.Metadata.GetMetadata<IErrorFormat>() ?? standard;
            if (!await format.TryWriteAsync(context, error))
            {
                var (status, message) = ServerErrorOf(context, info, deadline.CauseOf(error));
                await format.WriteAsync(context, status, message);
            }
        }
        catch (Exception error)
        {
            // Part of an answer is sent: only a broken connection tells the client that the rest is missing.
            LogFailure(info, context, error);
            context.Abort();
            info.BrokenOff = StatusCodes.Status500InternalServerError;
        }
    }

    // The server's own bound is on bytes a second, which a client that pauses does not reach; both hosts turn it off.
    private void BoundBody(HttpContext context, RequestDeadline deadline)
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true })
        {
            var body = new IdleLimitStream(context.Request.Body, deadline, time);
            context.Response.RegisterForDispose(body);
            context.Request.Body = body;
        }
    }

    // The caller learns that it failed and whether to try again; the reason is for the log.
    private (int Status, string Message) ServerErrorOf(HttpContext context, RequestInfo info, Exception error)
    {
        if (error is TooManyRequestsException limited)
        {
            context.Response.Headers.RetryAfter = limited.RetryAfterSeconds;
            return (StatusCodes.Status429TooManyRequests, limited.Message);
        }

        if (error is IssuerUnavailableException)
        {
            context.Response.Headers.RetryAfter = "10";
            return (StatusCodes.Status503ServiceUnavailable, error.Message);
        }

        if (StorageErrors.HeldOf(error) is { } held)
        {
            _log.LogWarning(
                "{RequestId} Request to {Path} was refused, storage keeps a blob as it is: {Reason}",
                info.Id,
                RequestLog.PathOf(context),
                StorageErrors.Reason(held)
            );
            return (StatusCodes.Status409Conflict, held.Message);
        }

        if (StorageErrors.IsFailure(error) || StorageErrors.IsUnclear(error))
        {
            _log.LogError(
                "{RequestId} Request to {Path} failed, storage does not answer: {Reason}",
                info.Id,
                RequestLog.PathOf(context),
                StorageErrors.Reason(error)
            );
            // Not the same for all: clients that failed together would come back together.
            context.Response.Headers.RetryAfter = Random.Shared.Next(1, 4).ToString(CultureInfo.InvariantCulture);
            return (StatusCodes.Status503ServiceUnavailable, StorageErrors.Told(error));
        }

        LogFailure(info, context, error);
        return (
            StatusCodes.Status500InternalServerError,
            "An error of the service, not of the request. It was logged."
        );
    }

    private void LogFailure(RequestInfo info, HttpContext context, Exception error) =>
        _log.LogError(error, "{RequestId} Request to {Path} failed", info.Id, RequestLog.PathOf(context));
}
