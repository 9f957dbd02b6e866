using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.GarbageCollection;

public sealed class SweepAgeTests
{
    private static readonly DateTimeOffset s_now = DateTimeOffset.UnixEpoch.AddYears(1);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true, 0, true)]
    [InlineData(true, 23, true)]
    [InlineData(true, 24, false)]
    [InlineData(true, 25, false)]
    [InlineData(false, 25, true)]
    [InlineData(false, (30 * 24) - 1, true)]
    [InlineData(false, 30 * 24, false)]
    // A clock that goes back makes nothing old.
    [InlineData(true, -1, true)]
    public void What_was_pushed_is_young_for_a_day_and_what_was_dropped_for_thirty(bool pushed, int hours, bool isYoung)
    {
        var age = new SweepAge(s_now, new SweepOptions());
        Assert.Equal(isYoung, age.IsYoung(s_now.AddHours(-hours), pushed));
    }

    [Fact]
    public void What_has_no_time_is_young_for_ever()
    {
        var age = new SweepAge(s_now, new SweepOptions { AfterPush = TimeSpan.Zero, AfterDrop = TimeSpan.Zero });
        Assert.True(age.IsYoung(null, pushed: true));
        Assert.True(age.IsYoung(null, pushed: false));
        Assert.True(age.IsYoungerThan(null, TimeSpan.Zero));
        Assert.False(age.IsYoung(s_now, pushed: true));
    }

    [Fact]
    public async Task The_time_is_storages_own_and_nothing_that_is_written_is_from_the_future()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var options = new SweepOptions { AfterPush = TimeSpan.Zero, Later = TimeSpan.FromDays(3) };
        var row = new Change("key", new TableRow("key"));
        Assert.True((await node.Storage.ImageRows.PutAsync("alice", row, Stop)).IsDone);
        var written = (await node.Storage.ImageRows.GetAsync("alice", "key", Stop))!.Timestamp;

        var age = await SweepAge.ReadAsync(node.Storage, options with { Later = TimeSpan.Zero }, Stop);
        var later = await SweepAge.ReadAsync(node.Storage, options, Stop);

        Assert.False(age.IsYoung(written, pushed: true));
        Assert.True(later.Now - age.Now >= options.Later);
    }
}
