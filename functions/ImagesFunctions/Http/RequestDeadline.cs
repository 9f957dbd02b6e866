using ImagesFunctions.Storage;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Http;

/// <summary>
/// Cancels a request that keeps its client waiting for too long. The deadline is paused while the request waits for bytes of the
/// client's body, which <see cref="IdleLimitStream"/> bounds, and restarts after each read. A transfer has no deadline: it fails
/// when storage or the client makes no progress.
/// </summary>
internal sealed class RequestDeadline : IDisposable
{
    private readonly HttpContext _context;
    private readonly TimeSpan _limit;
    private readonly CancellationToken _client;
    private readonly CancellationTokenSource _expiry;
    private readonly CancellationTokenSource _end;
    private bool _isLifted;

    /// <summary>Starts a deadline, which cancels <see cref="HttpContext.RequestAborted"/>.</summary>
    public RequestDeadline(HttpContext context, StorageTimes times)
    {
        (_context, _limit, _client) = (context, times.Request, context.RequestAborted);
        _expiry = new CancellationTokenSource(_limit, times.Clock);
        _end = CancellationTokenSource.CreateLinkedTokenSource(_expiry.Token, _client);
        context.RequestAborted = _end.Token;
        context.Items[typeof(RequestDeadline)] = this;
    }

    /// <summary>Whether the client has disconnected.</summary>
    public bool IsClientGone => _client.IsCancellationRequested;

    /// <summary>Removes the deadline: the request transfers the bytes of a blob.</summary>
    public static void Lift(HttpContext context)
    {
        if (context.Items[typeof(RequestDeadline)] is RequestDeadline deadline)
        {
            deadline.Stop();
            deadline._isLifted = true;
        }
    }

    /// <summary>Pauses the deadline: the request waits for the client.</summary>
    public void Stop() => Set(Timeout.InfiniteTimeSpan);

    /// <summary>Restarts the deadline: the client waits.</summary>
    public void Start() => Set(_limit);

    /// <summary>The cause of an error: a cancellation by the deadline is a timeout.</summary>
    public Exception CauseOf(Exception error) =>
        error is OperationCanceledException && _expiry.IsCancellationRequested
            ? new TimeoutException($"no answer within {_limit.TotalSeconds:0.###} s", error)
            : error;

    public void Dispose()
    {
        _context.RequestAborted = _client;
        _end.Dispose();
        _expiry.Dispose();
    }

    private void Set(TimeSpan time)
    {
        if (!_isLifted)
        {
            _expiry.CancelAfter(time);
        }
    }
}
