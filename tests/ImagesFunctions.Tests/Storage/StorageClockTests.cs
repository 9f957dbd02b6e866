using ImagesFunctions.Storage;
using Microsoft.Extensions.Time.Testing;

namespace ImagesFunctions.Tests.Storage;

/// <summary>What time it is, as the answers of storage say.</summary>
public sealed class StorageClockTests
{
    private static readonly DateTimeOffset s_true = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(-3)]
    [InlineData(0)]
    [InlineData(3)]
    public void After_one_answer_it_is_storages_time_whatever_the_machine_says(int daysOff)
    {
        var machine = new FakeTimeProvider(s_true.AddDays(daysOff));
        var clock = new StorageClock(machine);

        clock.Learn(s_true, TimeSpan.FromMilliseconds(5));

        Assert.InRange(clock.UtcNow, s_true, s_true.AddSeconds(1.006));
        machine.Advance(TimeSpan.FromHours(5));
        Assert.InRange(clock.UtcNow, s_true.AddHours(5), s_true.AddHours(5).AddSeconds(1.006));
    }

    [Fact]
    public void Before_the_first_answer_it_is_the_machines()
    {
        var machine = new FakeTimeProvider(s_true);

        Assert.Equal(s_true, new StorageClock(machine).UtcNow);
    }

    /// <summary>The header has whole seconds, and an answer takes its time: neither makes a clock wrong that is right.</summary>
    [Theory]
    [InlineData(0.0, 0.0)]
    [InlineData(0.999, 0.0)]
    [InlineData(20.5, 20.0)]
    public void A_machine_that_is_right_stays_as_exact_as_it_is(double later, double took)
    {
        var machine = new FakeTimeProvider(s_true.AddSeconds(later));
        var clock = new StorageClock(machine);

        clock.Learn(s_true, TimeSpan.FromSeconds(took));

        Assert.Equal(machine.GetUtcNow(), clock.UtcNow);
    }

    [Fact]
    public void A_machine_whose_clock_is_set_right_meanwhile_is_followed()
    {
        var machine = new FakeTimeProvider(s_true);
        machine.AdjustTime(s_true.AddDays(-3));
        var clock = new StorageClock(machine);
        clock.Learn(s_true, TimeSpan.Zero);
        machine.AdjustTime(s_true.AddSeconds(10));

        clock.Learn(s_true.AddSeconds(10), TimeSpan.Zero);

        Assert.InRange(clock.UtcNow, s_true.AddSeconds(10), s_true.AddSeconds(11));
    }
}
