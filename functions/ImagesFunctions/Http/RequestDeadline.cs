using ImagesFunctions.Storage;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Http;

/// <summary>
/// Cancels a request that keeps its client waiting for too long, whatever it waits for. It does not run while the request waits
/// for the client itself, whose body has a limit of its own, and begins anew with each byte of that body. A transfer has none:
/// it ends when storage makes no progress, or the client does not.
/// </summary>
internal sealed class RequestDeadline : IDisposable
{
    private readonly HttpContext _context;
    private readonly TimeSpan _limit;
    private readonly CancellationToken _client;
    private readonly CancellationTokenSource _expiry;
    private readonly CancellationTokenSource _end;
    private bool _isLifted;

    /// <summary>Begins one, which cancels <see cref="HttpContext.RequestAborted"/>.</summary>
    public RequestDeadline(HttpContext context, StorageTimes times)
    {
        (_context, _limit, _client) = (context, times.Request, context.RequestAborted);
        _expiry = new CancellationTokenSource(_limit, times.Clock);
        _end = CancellationTokenSource.CreateLinkedTokenSource(_expiry.Token, _client);
        context.RequestAborted = _end.Token;
        context.Items[typeof(RequestDeadline)] = this;
    }

    /// <summary>Whether the client has left.</summary>
    public bool IsClientGone => _client.IsCancellationRequested;

    /// <summary>The request is a transfer of a blob's bytes: it takes as long as it takes.</summary>
    public static void Lift(HttpContext context)
    {
        if (context.Items[typeof(RequestDeadline)] is RequestDeadline deadline)
        {
            deadline.Stop();
            deadline._isLifted = true;
        }
    }

    /// <summary>The client is waited for from now on.</summary>
    public void Stop() => Set(Timeout.InfiniteTimeSpan);

    /// <summary>The client waits from now on.</summary>
    public void Start() => Set(_limit);

    /// <summary>What really happened: an operation that the deadline has cancelled took too long.</summary>
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
