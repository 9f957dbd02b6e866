namespace ImagesFunctions.Storage;

/// <summary>Ends one exchange with storage when storage makes no progress: it runs only while storage has something to do.</summary>
internal sealed class ProgressDeadline : IDisposable
{
    private readonly TimeSpan _patience;
    private readonly TimeProvider _clock;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _expiry;
    private readonly CancellationTokenSource _end;
    private TimeSpan _limit = Timeout.InfiniteTimeSpan;
    private long _limitedAt;
    private bool _isOver;

    public ProgressDeadline(TimeSpan patience, TimeProvider clock, CancellationToken caller)
    {
        (_patience, _clock, _caller) = (patience, clock, caller);
        _expiry = new CancellationTokenSource(patience, clock);
        _end = CancellationTokenSource.CreateLinkedTokenSource(_expiry.Token, caller);
        Token = _end.Token;
    }

    /// <summary>Ends when storage stalls, or the caller wants no more.</summary>
    public CancellationToken Token { get; }

    /// <summary>Storage has something to do from now on.</summary>
    public void Start()
    {
        if (_limit == Timeout.InfiniteTimeSpan)
        {
            Set(_patience);
            return;
        }

        var left = _limit - _clock.GetElapsedTime(_limitedAt);
        Set(
            left <= TimeSpan.Zero ? TimeSpan.Zero
            : left < _patience ? left
            : _patience
        );
    }

    /// <summary>Whatever is still to come has to come within this time from now, also where it makes progress.</summary>
    public void Limit(TimeSpan time) => (_limit, _limitedAt) = (time, _clock.GetTimestamp());

    /// <summary>Storage has done it.</summary>
    public void Stop() => Set(Timeout.InfiniteTimeSpan);

    /// <summary>Whether something failed because storage stalled, and not because the caller left.</summary>
    public bool IsCauseOf(Exception error) =>
        _expiry.IsCancellationRequested && !_caller.IsCancellationRequested && error is not TimeoutException;

    /// <summary>What to throw then. It is tried again by nobody but the caller: the time is up.</summary>
    public TimeoutException Stalled(Exception error) =>
        new(
            _limit != Timeout.InfiniteTimeSpan && _clock.GetElapsedTime(_limitedAt) >= _limit
                ? $"storage's answer did not end within {_limit.TotalSeconds:0.###} s"
                : $"storage made no progress for {_patience.TotalSeconds:0.###} s",
            error
        );

    /// <summary>The exchange is over. May be called more than once.</summary>
    public void Dispose()
    {
        lock (_expiry)
        {
            _isOver = true;
            _end.Dispose();
            _expiry.Dispose();
        }
    }

    // A request may still be sent while its answer is already read.
    private void Set(TimeSpan time)
    {
        lock (_expiry)
        {
            if (!_isOver)
            {
                _expiry.CancelAfter(time);
            }
        }
    }
}
