using System.Collections.Concurrent;
using ImagesFunctions.Local;
using Microsoft.Extensions.Logging.Testing;

namespace ImagesFunctions.Tests.Local;

/// <summary>The watcher alone, on a container and an ingest made of delegates.</summary>
public sealed class ContainerWatcherTests : IAsyncDisposable
{
    // The first wait before another try is shorter.
    private static readonly TimeSpan s_betweenListings = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<string, string> _container = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _landed = [];
    private readonly ConcurrentQueue<string> _failed = [];
    private readonly FakeLogger _log = new();
    private readonly FastTime _time = new();
    private readonly ContainerWatcher _watcher;
    private Func<string, CancellationToken, Task> _ingest = (_, _) => Task.CompletedTask;
    private Func<Task> _record = () => Task.CompletedTask;
    private bool _away;
    private int _listings;

    public ContainerWatcherTests() =>
        _watcher = new ContainerWatcher(
            _ => Task.CompletedTask,
            _ => ListAsync(),
            (path, cancellationToken) =>
            {
                _landed.Enqueue(path);
                return _ingest(path, cancellationToken);
            },
            async (path, _, _) =>
            {
                await _record();
                _failed.Enqueue(path);
            },
            _time,
            _log
        );

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _watcher.StopAsync(Cancellation);
        _watcher.Dispose();
    }

    [Fact]
    public async Task Every_blob_is_handed_out_once_and_again_when_it_changes_and_when_it_vanishes()
    {
        _container["a"] = "1";
        _container["b"] = "1";
        await _watcher.StartAsync(Cancellation);
        await LandedAsync("a", 1);
        await LandedAsync("b", 1);

        _container["a"] = "2";
        await LandedAsync("a", 2);
        _container.TryRemove("b", out _);
        await LandedAsync("b", 2);
        await MoreListingsAsync();

        Assert.Equal(2, Count("a"));
        Assert.Equal(2, Count("b"));
    }

    [Fact]
    public async Task A_drop_is_handed_out_within_two_seconds()
    {
        await _watcher.StartAsync(Cancellation);
        await MoreListingsAsync();
        _container["a"] = "1";

        // By the next listing; so it is the rest between two of them that has to be short.
        await LandedAsync("a", 1);

        Assert.NotEmpty(_time.Waits);
        Assert.All(_time.Waits, rest => Assert.InRange(rest, TimeSpan.Zero, TimeSpan.FromSeconds(2)));
    }

    [Fact]
    public async Task Several_blobs_are_at_work_at_once_but_no_more_than_eight()
    {
        var (now, most) = (0, 0);
        var go = new TaskCompletionSource();
        _ingest = async (_, _) =>
        {
            var mine = Interlocked.Increment(ref now);
            InterlockedMax(ref most, mine);
            await go.Task;
            Interlocked.Decrement(ref now);
        };
        for (var i = 0; i < 30; i++)
        {
            _container[$"{i}"] = "1";
        }

        await _watcher.StartAsync(Cancellation);
        await Until.TrueAsync(() => Volatile.Read(ref now) == 8, "eight at once");
        await MoreListingsAsync();
        go.SetResult();
        await Until.TrueAsync(() => _landed.Distinct(StringComparer.Ordinal).Count() == 30, "all handed out");

        Assert.Equal(8, most);
    }

    [Fact]
    public async Task Changes_while_a_blob_is_at_work_are_one_more_run_and_never_two_at_once()
    {
        var (now, together) = (0, false);
        var go = new TaskCompletionSource();
        _ingest = async (_, _) =>
        {
            together |= Interlocked.Increment(ref now) > 1;
            await go.Task;
            Interlocked.Decrement(ref now);
        };
        _container["a"] = "1";
        await _watcher.StartAsync(Cancellation);
        await LandedAsync("a", 1);

        for (var change = 2; change < 5; change++)
        {
            _container["a"] = $"{change}";
            await MoreListingsAsync();
        }

        Assert.Equal(1, Count("a"));
        go.SetResult();
        await LandedAsync("a", 2);
        await MoreListingsAsync();
        Assert.Equal(2, Count("a"));
        Assert.False(together);
    }

    [Fact]
    public async Task After_five_tries_the_failure_is_recorded_and_others_did_not_wait()
    {
        _ingest = (path, _) =>
            path.StartsWith("bad", StringComparison.Ordinal)
                ? throw new InvalidOperationException("broken")
                : Task.CompletedTask;
        for (var i = 0; i < 20; i++)
        {
            _container[$"bad{i}"] = "1";
        }

        _time.HoldBelow = s_betweenListings;
        await _watcher.StartAsync(Cancellation);
        await LandedAsync("bad0", 1);
        _container["good"] = "1";
        await LandedAsync("good", 1);
        Assert.Empty(_failed);
        _time.Release();

        await Until.TrueAsync(() => _failed.Count == 20, "all recorded");
        await MoreListingsAsync();
        Assert.Equal(5, Count("bad0"));
        Assert.Equal(20, _failed.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task A_fault_that_passes_is_not_recorded()
    {
        _ingest = (_, _) => Count("a") < 3 ? throw new TimeoutException("busy") : Task.CompletedTask;
        _container["a"] = "1";
        await _watcher.StartAsync(Cancellation);

        await LandedAsync("a", 3);
        await MoreListingsAsync();

        Assert.Equal(3, Count("a"));
        Assert.Empty(_failed);
    }

    [Fact]
    public async Task A_failure_that_cannot_be_recorded_is_tried_again()
    {
        _ingest = (_, _) => Count("a") < 7 ? throw new TimeoutException("away") : Task.CompletedTask;
        _record = () => throw new TimeoutException("away too");
        _container["a"] = "1";
        await _watcher.StartAsync(Cancellation);

        await LandedAsync("a", 7);
    }

    [Fact]
    public async Task A_listing_that_fails_is_said_once_and_tried_on()
    {
        _away = true;
        await _watcher.StartAsync(Cancellation);
        await MoreListingsAsync();
        _away = false;
        _container["a"] = "1";

        await LandedAsync("a", 1);
        await Until.TrueAsync(() => _log.Collector.Count == 2, "both lines");

        Assert.Equal(
            "The container cannot be listed, trying on: no route|The container can be listed again.",
            string.Join('|', _log.Collector.GetSnapshot().Select(r => r.Message))
        );
    }

    [Fact]
    public async Task A_listing_that_breaks_off_is_no_proof_that_blobs_are_gone()
    {
        _container["a"] = "1";
        await _watcher.StartAsync(Cancellation);
        await LandedAsync("a", 1);
        _away = true;
        await MoreListingsAsync();
        _away = false;
        await MoreListingsAsync();

        Assert.Equal(1, Count("a"));
    }

    [Fact]
    public async Task It_stops_at_once_in_the_middle_of_work_and_of_waiting()
    {
        _ingest = async (path, cancellationToken) =>
        {
            if (path == "bad")
            {
                throw new InvalidOperationException("broken");
            }

            await Task.Delay(Timeout.Infinite, cancellationToken);
        };
        _container["bad"] = "1";
        _container["slow"] = "1";
        _time.HoldBelow = s_betweenListings;
        await _watcher.StartAsync(Cancellation);
        await LandedAsync("bad", 1);
        await LandedAsync("slow", 1);

        // Its work would never end by itself.
        await Deadline.OfAsync(_watcher.StopAsync(Cancellation), "its end");

        Assert.True(_watcher.ExecuteTask!.IsCompletedSuccessfully);
        Assert.Empty(_failed);
    }

    private int Count(string path) => _landed.Count(landed => landed == path);

    private Task LandedAsync(string path, int times) =>
        Until.TrueAsync(() => Count(path) >= times, $"{path} handed out {times} times");

    /// <summary>Two: the first may have begun before the last change.</summary>
    private async Task MoreListingsAsync()
    {
        var target = Volatile.Read(ref _listings) + 2;
        await Until.TrueAsync(() => Volatile.Read(ref _listings) >= target, "more listings");
    }

    private async IAsyncEnumerable<(string, string)> ListAsync()
    {
        await Task.Yield();
        if (_away)
        {
            Interlocked.Increment(ref _listings);
            throw new HttpRequestException("no route");
        }

        foreach (var (path, etag) in _container.ToArray())
        {
            yield return (path, etag);
        }

        Interlocked.Increment(ref _listings);
    }

    private static void InterlockedMax(ref int most, int candidate)
    {
        for (var seen = most; candidate > seen; seen = most)
        {
            Interlocked.CompareExchange(ref most, candidate, seen);
        }
    }
}
