using System.Diagnostics;

namespace ImagesFunctions.Tests.Support;

/// <summary>
/// How long a test waits at most. The time is given for a quiet machine and follows the real one: while the machine is four
/// times slower than that, the deadline comes four times later. That a machine can be slow without an end is not believed.
/// </summary>
public sealed class Deadline : IDisposable
{
    /// <summary>Generous: what is waited for takes a second when all is well.</summary>
    public static readonly TimeSpan Usual = TimeSpan.FromSeconds(30);

    // Waits that end sooner never ask how slow the machine is.
    private static readonly TimeSpan s_first = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _passed;
    private readonly Timer _timer;
    private readonly Lock _gate = new();
    private readonly TimeSpan _allowed;
    private long _looked = Stopwatch.GetTimestamp();
    private TimeSpan _used;

    private Deadline(TimeSpan allowed)
    {
        _allowed = allowed;
        _passed = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var first = allowed < s_first ? allowed : s_first;
        _timer = new Timer(_ => Look(), state: null, first, s_period < first ? s_period : first);
    }

    /// <summary>Begins now.</summary>
    /// <param name="allowed">What it takes on a quiet machine, generously; null: <see cref="Usual"/>.</param>
    public static Deadline In(TimeSpan? allowed = null) => new(allowed ?? Usual);

    /// <summary>Cancelled when it has passed, and with the test.</summary>
    public CancellationToken Token => _passed.Token;

    /// <summary>Whether it has passed, which it does once.</summary>
    public bool HasPassed => _passed.IsCancellationRequested;

    /// <summary>Awaits something that has to end by then.</summary>
    public static async Task OfAsync(Task task, string what, TimeSpan? allowed = null)
    {
        using var deadline = In(allowed);
        try
        {
            await task.WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
            when (!task.IsCompleted && !TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            Assert.Fail($"{deadline} in vain for {what}.");
        }
    }

    /// <summary>What was waited, for the message of a test that fails.</summary>
    public override string ToString() =>
        $"Waited {_used.TotalSeconds:0} s of a quiet machine (it is {Slowness.Now:0.0} times slower)";

    public void Dispose()
    {
        _timer.Dispose();
        _passed.Dispose();
    }

    private void Look()
    {
        lock (_gate)
        {
            var now = Stopwatch.GetTimestamp();
            // What has gone by since the last look counts as slow as the machine is now.
            _used += Stopwatch.GetElapsedTime(_looked, now) / Slowness.Now;
            _looked = now;
            if (_used < _allowed)
            {
                return;
            }
        }

        try
        {
            _passed.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // Nobody waits any more.
        }
    }
}

/// <summary>How many times slower this machine is, now and for this process, than a quiet one.</summary>
internal static class Slowness
{
    /// <summary>What is slower than this does not end.</summary>
    private const double Slowest = 12;

    // About 35 ms where nothing else runs, so that others' turns fall into it, in rounds short enough for one turn of our own.
    private const int Rounds = 60;
    private const int WorkOfARound = 250_000;
    private const double QuietRound = 0.6;

    // What was slow a second ago is not believed to be quick: one who has slept gets his turn at once.
    private const double Kept = 0.8;

    private static readonly TimeSpan s_goodFor = TimeSpan.FromSeconds(1);
    private static readonly Lock s_gate = new();
    private static long s_measured;
    private static double s_slowness;
    private static ulong s_result;

    /// <summary>At least 1. Measured when asked for, once a second at most.</summary>
    public static double Now
    {
        get
        {
            lock (s_gate)
            {
                if (s_measured == 0 || Stopwatch.GetElapsedTime(s_measured) > s_goodFor)
                {
                    s_slowness = Math.Clamp(Math.Max(Measure(), s_slowness * Kept), 1, Slowest);
                    s_measured = Stopwatch.GetTimestamp();
                }

                return s_slowness;
            }
        }
    }

    private static double Measure()
    {
        var began = Stopwatch.GetTimestamp();
        for (var round = 0; round < Rounds; round++)
        {
            s_result = Work(s_result);
        }

        return Stopwatch.GetElapsedTime(began).TotalMilliseconds / (Rounds * QuietRound);
    }

    [System.Runtime.CompilerServices.MethodImpl(
        System.Runtime.CompilerServices.MethodImplOptions.AggressiveOptimization
    )]
    private static ulong Work(ulong seed)
    {
        var x = seed | 1;
        for (var i = 0; i < WorkOfARound; i++)
        {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
        }

        return x;
    }
}
