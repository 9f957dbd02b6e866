using ImagesFunctions.Storage;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Http;

/// <summary>
/// Ends a request that takes too long, whatever it waits for. A transfer has none: it ends when storage makes no progress, or
/// the client does not.
/// </summary>
internal sealed class RequestDeadline : IDisposable
{
    private readonly HttpContext _context;
    private readonly TimeSpan _longest;
    private readonly CancellationToken _client;
    private readonly CancellationTokenSource _expiry;
    private readonly CancellationTokenSource _end;

    /// <summary>Begins one, which ends whatever waits for <see cref="HttpContext.RequestAborted"/>.</summary>
    public RequestDeadline(HttpContext context, StorageTimes times)
    {
        (_context, _longest, _client) = (context, times.Request, context.RequestAborted);
        _expiry = new CancellationTokenSource(_longest, times.Clock);
        _end = CancellationTokenSource.CreateLinkedTokenSource(_expiry.Token, _client);
        context.RequestAborted = _end.Token;
        context.Items[typeof(RequestDeadline)] = this;
    }

    /// <summary>Whether the client has left.</summary>
    public bool IsClientGone => _client.IsCancellationRequested;

    /// <summary>The request is a transfer of a blob's bytes: it takes as long as it takes.</summary>
    public static void Lift(HttpContext context) =>
        (context.Items[typeof(RequestDeadline)] as RequestDeadline)?._expiry.CancelAfter(Timeout.InfiniteTimeSpan);

    /// <summary>What really happened: an operation that the deadline has cancelled took too long.</summary>
    public Exception CauseOf(Exception error) =>
        error is OperationCanceledException && _expiry.IsCancellationRequested
            ? new TimeoutException($"no answer within {_longest.TotalSeconds:0.###} s", error)
            : error;

    public void Dispose()
    {
        _context.RequestAborted = _client;
        _end.Dispose();
        _expiry.Dispose();
    }
}
