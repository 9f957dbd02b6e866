using ImagesFunctions.Storage;

namespace ImagesFunctions.Tests.Storage;

public sealed class CoalescedReadsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_read_that_never_answers_is_tried_again_and_ends_at_last()
    {
        var tries = 0;
        var reads = new CoalescedReads<int>(
            async (key, stop) =>
            {
                if (Interlocked.Increment(ref tries) == 1 || key == "dead")
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, stop);
                }

                return tries;
            }
        )
        {
            MaxTry = TimeSpan.FromMilliseconds(20),
        };

        Assert.Equal(2, await reads.ReadAsync("slow", TestContext.Current.CancellationToken));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            reads.ReadAsync("dead", TestContext.Current.CancellationToken)
        );
        Assert.Equal(6, tries);
    }

    [Fact]
    public async Task Who_asks_while_a_read_is_under_way_shares_the_next_one()
    {
        var reads = new List<TaskCompletionSource<int>>();
        var shared = new CoalescedReads<int>(
            (_, _) =>
            {
                reads.Add(new TaskCompletionSource<int>());
                return reads[^1].Task;
            }
        );

        var first = shared.ReadAsync("a", Stop);
        Task<int>[] later = [.. Enumerable.Range(0, 10).Select(_ => shared.ReadAsync("a", Stop))];
        var other = shared.ReadAsync("b", Stop);
        Assert.Equal(2, reads.Count);
        reads[1].SetResult(7);
        Assert.Equal(7, await other);
        reads[0].SetResult(1);

        Assert.Equal(1, await first);
        await Until.TrueAsync(() => Task.FromResult(reads.Count == 3), () => Task.FromResult("No next read began."));
        Assert.All(later, t => Assert.False(t.IsCompleted));
        reads[2].SetResult(2);
        Assert.All(await Task.WhenAll(later), value => Assert.Equal(2, value));
        Assert.Equal(3, reads.Count);
    }

    /// <summary>The sentence that lists rest on: a read begins after it was asked for.</summary>
    [Fact]
    public async Task No_read_is_older_than_the_moment_it_was_asked_for()
    {
        var clock = 0;
        var running = 0;
        var shared = new CoalescedReads<int>(
            async (_, stop) =>
            {
                Assert.Equal(1, Interlocked.Increment(ref running));
                var began = Interlocked.Increment(ref clock);
                await Task.Delay(1, stop);
                Interlocked.Decrement(ref running);
                return began;
            }
        );
        await Task.WhenAll(
            Enumerable
                .Range(0, 16)
                .Select(_ =>
                    Task.Run(
                        async () =>
                        {
                            for (var i = 0; i < 50; i++)
                            {
                                var asked = Volatile.Read(ref clock);
                                Assert.True(await shared.ReadAsync("a", Stop) > asked);
                            }
                        },
                        Stop
                    )
                )
        );
    }

    [Fact]
    public async Task A_read_that_fails_fails_those_who_wait_for_it_and_no_others()
    {
        var fails = true;
        var shared = new CoalescedReads<int>(
            (_, _) => fails ? Task.FromException<int>(new IOException("no answer")) : Task.FromResult(3)
        );

        await Assert.ThrowsAsync<IOException>(() => shared.ReadAsync("a", Stop));
        fails = false;

        Assert.Equal(3, await shared.ReadAsync("a", Stop));
    }

    [Fact]
    public async Task Who_goes_away_leaves_the_read_to_the_others()
    {
        var read = new TaskCompletionSource<int>();
        var shared = new CoalescedReads<int>((_, _) => read.Task);
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var first = shared.ReadAsync("a", gone.Token);

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        var second = shared.ReadAsync("a", Stop);
        read.SetResult(4);

        Assert.Equal(4, await second);
    }
}
