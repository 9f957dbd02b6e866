using System.Diagnostics;
using ImagesFunctions.Journal;
using ImagesFunctions.Telemetry;

namespace ImagesFunctions.Storage;

/// <summary>
/// Reads that many requests share, and that are never older than the moment they were asked for: whoever asks while a
/// read of the same key is under way gets the next one, which begins when that has ended. So one read serves all who wait.
/// </summary>
/// <param name="read">Reads what a key stands for.</param>
/// <param name="of">What it reads, for the metric.</param>
internal sealed class CoalescedReads<T>(Func<string, CancellationToken, Task<T>> read, string of = "other")
{
    private const int MaxTries = 4;

    private readonly Lock _gate = new();

    // What waits for the next read of a key, or null; a key is here for as long as a read of it is under way.
    private readonly Dictionary<string, Waiting?> _next = new(StringComparer.Ordinal);

    private sealed class Waiting
    {
        public TaskCompletionSource<T> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Count { get; set; }
    }

    /// <summary>How long one try may take. All wait for one read, so a connection that went dead must not hold them up for long.</summary>
    public TimeSpan MaxTry { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The longest time between the beginnings of two reads of one key while some wait: a tenth of a millisecond for each of
    /// them, so that few do not wait for others, and many share a read that would cost more than it is worth to each.
    /// </summary>
    public TimeSpan Pace { get; init; } = TimeSpan.FromMilliseconds(2);

    /// <summary>Reads. Cancelling ends only this caller's wait.</summary>
    /// <exception cref="OperationCanceledException">Cancelled, or storage did not answer in four tries.</exception>
    public Task<T> ReadAsync(string key, CancellationToken cancellationToken)
    {
        Waiting? waiting;
        bool isNext;
        bool isSaved;
        lock (_gate)
        {
            isNext = _next.TryGetValue(key, out waiting);
            isSaved = waiting is not null;
            waiting ??= new Waiting();
            waiting.Count++;
            _next[key] = isNext ? waiting : null;
        }

        Metrics.ReadShared(of, isSaved);
        if (!isNext)
        {
            _ = RunAsync(key, waiting.Result);
        }

        return waiting.Result.Task.WaitAsync(cancellationToken);
    }

    private async Task RunAsync(string key, TaskCompletionSource<T> wait)
    {
        for (var failures = 0; ; )
        {
            var begun = Stopwatch.GetTimestamp();
            failures = await AnswerAsync(key, wait) ? 0 : failures + 1;
            if (failures > 0)
            {
                // Requests go on arriving while storage has trouble; they must not become its next trouble.
                await Backoff.DelayAsync(
                    failures,
                    TimeSpan.FromMilliseconds(20),
                    TimeSpan.FromSeconds(1),
                    CancellationToken.None
                );
            }

            if (EndOrCount(key) is not { } count)
            {
                return;
            }

            await PaceAsync(count, begun);
            wait = Take(key);
            // What follows is not of the request that began this.
            Activity.Current = null;
        }
    }

    // Gives all who wait the result of a read, or its error. False: the error.
    private async Task<bool> AnswerAsync(string key, TaskCompletionSource<T> wait)
    {
        try
        {
            wait.SetResult(await ReadOnceAsync(key));
            return true;
        }
        catch (Exception error)
        {
            wait.SetException(error);
            return false;
        }
    }

    // How many wait for the next read of a key; where none do, null, and its reads have ended.
    private int? EndOrCount(string key)
    {
        lock (_gate)
        {
            if (_next[key] is { } waiting)
            {
                return waiting.Count;
            }

            _next.Remove(key);
            return null;
        }
    }

    private async Task PaceAsync(int count, long begun)
    {
        var rest = TimeSpan.FromMicroseconds(100 * count);
        rest = (rest < Pace ? rest : Pace) - Stopwatch.GetElapsedTime(begun);
        if (rest > TimeSpan.FromMilliseconds(1))
        {
            await Task.Delay(rest);
        }
    }

    // Those who wait now; who comes later waits for the next read.
    private TaskCompletionSource<T> Take(string key)
    {
        lock (_gate)
        {
            var wait = _next[key]!.Result;
            _next[key] = null;
            return wait;
        }
    }

    private async Task<T> ReadOnceAsync(string key)
    {
        for (var tries = 1; ; tries++)
        {
            using var deadline = new CancellationTokenSource(MaxTry);
            try
            {
                return await read(key, deadline.Token);
            }
            catch (OperationCanceledException) when (tries < MaxTries && deadline.IsCancellationRequested)
            {
                // The connection is given up with the try; the next one has another.
            }
        }
    }
}
