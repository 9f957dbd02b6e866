namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// Counts how many requests to storage wait for one another. All that arrive are held until no more arrive and none is on its
/// way; then they go together, and are one round: what an operation takes if storage takes the same time for each.
/// </summary>
/// <param name="quiet">How long nobody may have sent anything; longer than the work between an answer and the next request.</param>
/// <param name="network">Where they go.</param>
internal sealed class StorageRounds(TimeSpan quiet, HttpMessageHandler network) : DelegatingHandler(network)
{
    private readonly Lock _gate = new();
    private readonly List<string> _held = [];
    private readonly List<string> _log = [];
    private TaskCompletionSource _round = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Timer? _timer;
    private int _sent;
    private int _count;

    /// <summary>The rounds since the last look, and what went in them.</summary>
    public (int Count, string Log) Take()
    {
        lock (_gate)
        {
            var taken = (_count, string.Join('\n', _log));
            _count = 0;
            _log.Clear();
            return taken;
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        Task round;
        lock (_gate)
        {
            _held.Add($"{request.Method} {request.RequestUri!.PathAndQuery}");
            round = _round.Task;
            WaitForQuiet();
        }

        await round.WaitAsync(cancellationToken);
        try
        {
            return await base.SendAsync(request, cancellationToken);
        }
        finally
        {
            lock (_gate)
            {
                _sent--;
                WaitForQuiet();
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        _timer?.Dispose();
        base.Dispose(disposing);
    }

    private void WaitForQuiet()
    {
        _timer ??= new Timer(_ => Go());
        _timer.Change(quiet, Timeout.InfiniteTimeSpan);
    }

    private void Go()
    {
        lock (_gate)
        {
            if (_sent > 0 || _held.Count == 0)
            {
                return;
            }

            _count++;
            _log.Add($"{_count}: {string.Join("; ", _held)}");
            _sent = _held.Count;
            _held.Clear();
            _round.SetResult();
            _round = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
