using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>Passes of several processes beside each other: each namespace is swept by one of them, and none by nobody.</summary>
public sealed class PassesShare
{
    private const int Count = 12;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(100_000)]
    public async Task The_work(int walk)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        string[] names = [.. Enumerable.Range(0, Count).Select(i => $"n{i:d3}")];
        foreach (var name in names)
        {
            var path = $"{name}/web/{Layout.PathOf(Layout.DigestOf("stray"u8.ToArray()))}";
            await node.PutAsync(path, "stray"u8.ToArray());
            await node.LandAsync([path]);
        }

        if (walk > 0)
        {
            await ManyNamespaces.ForgetNotesAsync(node);
        }

        var options = new SweepOptions { AfterDrop = TimeSpan.Zero };
        await using var one = new Node(node.Connection);
        await using var two = new Node(node.Connection);
        var (ofOne, ofTwo) = (ManyNamespaces.CountSweeps(one), ManyNamespaces.CountSweeps(two));

        var results = await Task.WhenAll(
            one.PassAsync(TimeSpan.FromHours(4), walk, options),
            two.PassAsync(TimeSpan.FromHours(4), walk, options)
        );

        Assert.Equal(Count, results.Sum(r => r[SweepKind.Blobs]));
        Assert.Equal(names, ofOne.Concat(ofTwo).Select(s => s.Key).Order(StringComparer.Ordinal));
        Assert.All(ofOne.Concat(ofTwo), swept => Assert.Equal(1, swept.Value));
        Assert.Empty(await node.PathsAsync());
        // What is noted now is what the removals have written to the log.
        await one.PassAsync(TimeSpan.FromHours(8));
        // And a day later the rows of what was removed go.
        await one.PassAsync(TimeSpan.FromHours(32));
        Assert.Empty(await node.NotesAsync());
        Assert.Empty(await node.RowsAsync(names[0]));
    }

    [Fact]
    public async Task A_namespace_that_somebody_sweeps_is_left_to_him_for_half_an_hour()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        await SweptRepository.BlobAsync(node, "stray");
        var options = new SweepOptions { AfterDrop = TimeSpan.Zero };
        var hours = TimeSpan.FromHours(4);
        await using var victim = new Node(node.Connection);
        var sweeps = ManyNamespaces.CountSweeps(victim);
        var count = victim.Calls.Before;
        victim.Calls.Before = async (number, message) =>
        {
            await count(number, message);
            if (!sweeps.IsEmpty)
            {
                throw new KilledException();
            }
        };
        await Assert.ThrowsAsync<KilledException>(() => victim.PassAsync(hours, options: options));

        Assert.Equal(0, (await node.PassAsync(hours, options: options))[SweepKind.Blobs]);
        Assert.Equal(1, (await node.PassAsync(hours + TimeSpan.FromMinutes(31), options: options))[SweepKind.Blobs]);
    }

    [Fact]
    public async Task A_walk_that_was_overspent_saves()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        await ManyNamespaces.SeedAsync(node, 3);
        await using var sweeper = new Node(node.Connection);
        var sweeps = ManyNamespaces.CountSweeps(sweeper);
        var passes = 0;
        // One namespace at least in a pass that may spend anything, whatever it takes; then none until that is paid.
        for (; sweeps.Count < 3; passes++)
        {
            await sweeper.PassAsync(TimeSpan.FromHours(2 + passes), walk: 10);
            Assert.True(passes < 30, "the walk does not go on");
        }

        var spent = passes * 10;
        Assert.InRange(spent, 50, 250);
        Assert.All(sweeps, swept => Assert.Equal(1, swept.Value));
    }

    [Theory]
    // As long as it goes on.
    [InlineData(0, null, 30, true)]
    // An hour before the day is over, where it took no time; and twice as often, where it takes half of it or more.
    [InlineData(0, 0.0, 22.9, false)]
    [InlineData(0, 0.0, 23, true)]
    [InlineData(0, 5.0, 17.9, false)]
    [InlineData(0, 5.0, 18, true)]
    [InlineData(0, 20.0, 21, true)]
    [InlineData(0, 11.5, 11.9, false)]
    // Whatever a clock or a backup has done.
    [InlineData(10, 11.0, 1, true)]
    public void A_walk_begins_in_time(double begun, double? ended, double now, bool isOn)
    {
        var start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        DateTimeOffset? end = ended is { } hours ? start.AddHours(hours) : null;
        var place = new WalkPlace("", start.AddHours(begun), end, Debt: 0, Version: null);

        Assert.Equal(isOn, place.IsOnAt(start.AddHours(now), TimeSpan.FromHours(24)));
    }
}
