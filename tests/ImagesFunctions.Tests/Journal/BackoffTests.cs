using CsCheck;

namespace ImagesFunctions.Tests.Journal;

public sealed class BackoffTests
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Max = TimeSpan.FromMilliseconds(200);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 10)]
    [InlineData(3, 20)]
    [InlineData(6, 160)]
    [InlineData(7, 200)]
    [InlineData(8, 200)]
    [InlineData(200, 200)]
    [InlineData(int.MaxValue, 200)]
    public void The_bound_doubles_with_each_failure_up_to_its_maximum(int failedTries, int milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Backoff.Bound(failedTries, First, Max));

    [Fact]
    public void The_bound_never_falls_and_never_passes_its_maximum() =>
        Gen.Select(Gen.Int[1, 100], Gen.Int[0, 10_000], Gen.Int[0, 100_000])
            .Sample(
                (tries, first, max) =>
                {
                    var bound = Backoff.Bound(tries, Ms(first), Ms(max));
                    Assert.InRange(bound, TimeSpan.Zero, Ms(max));
                    Assert.True(bound <= Backoff.Bound(tries + 1, Ms(first), Ms(max)));
                    Assert.True(tries > 1 || bound == Ms(Math.Min(first, max)));
                },
                iter: 2_000,
                threads: 1
            );

    [Fact]
    public async Task Waits_are_random_below_the_bound()
    {
        var time = new EagerTime();
        for (var i = 0; i < 200; i++)
        {
            await Backoff.DelayAsync(3, First, Max, time, Stop);
        }

        Assert.All(time.Waits, wait => Assert.InRange(wait, TimeSpan.Zero, 4 * First));
        // 200 of them within an eighth of the range are no chance.
        Assert.True(time.Waits.Max() - time.Waits.Min() > First / 2);
        Assert.True(time.Waits.Distinct().Count() > 10);
    }

    [Fact]
    public async Task A_wait_ends_with_its_token()
    {
        using var end = new CancellationTokenSource();
        var wait = Backoff.DelayAsync(1, TimeSpan.FromDays(1), TimeSpan.FromDays(1), end.Token);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
    }

    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}
