using ImagesFunctions.Exploration;
using ImagesFunctions.Exploration.Journal;
using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;

namespace ImagesFunctions.Tests.Exploration;

/// <summary>The same choices make the same schedule, and a systematic search leaves none out.</summary>
public sealed class SchedulesTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_schedule_is_run_again_by_its_trace(int seed)
    {
        var chooser = new RandomChooser(seed);
        var first = new World(chooser) { IsRecorded = true };
        new JournalScenario(seed, world => new ModelStorage(world)).Start(first);
        first.Run();

        var trace = Trace.Parse(chooser.Trace.ToString());
        var again = new World(new ReplayingChooser(trace)) { IsRecorded = true };
        new JournalScenario(seed, world => new ModelStorage(world)).Start(again);
        again.Run();

        Assert.True(first.Said.Count > 10);
        Assert.Equal(first.Said, again.Said);
        Assert.Equal(first.Choices, again.Choices);
    }

    /// <summary>Two processes of two steps each have six orders; three of them differ from the first in one choice at most.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(9, 6)]
    public void A_search_tries_every_order_within_its_bound(int bound, int orders)
    {
        var search = new BoundedSearch(bound);
        var seen = new List<string>();
        while (search.Next() is { } chooser)
        {
            var world = new World(chooser) { IsRecorded = true };
            foreach (var name in new[] { "a", "b" })
            {
                var actor = world.AddActor(name);
                world.Add(actor, StepKind.Request, "1", () => world.Add(actor, StepKind.Answer, "2", () => { }));
            }

            world.Run();
            seen.Add(string.Join(' ', world.Said));
        }

        Assert.Equal(orders, seen.Count);
        Assert.Equal(seen, seen.Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public void Nothing_of_a_killed_process_runs_but_what_it_has_sent()
    {
        var world = new World(new ReplayingChooser(Trace.Parse("0:1")));
        var actor = world.AddActor("a");
        var happened = new List<string>();
        world.Add(
            actor,
            StepKind.Request,
            "a request",
            () =>
            {
                happened.Add("request");
                world.Add(actor, StepKind.Answer, "its answer", () => happened.Add("answer"));
            }
        );
        world.Add(actor, StepKind.Disturbance, "is killed", actor.Kill);
        world.Run();

        Assert.Equal(["request"], happened);
        Assert.Null(world.Failure);
    }

    [Fact]
    public void A_process_that_waits_for_what_never_comes_is_told()
    {
        var world = new World(new RandomChooser(1));
        world.AddActor("a").Start(() => new TaskCompletionSource().Task);
        world.Run();
        Assert.Equal("a waits for ever", world.Failure);
    }

    [Theory]
    [InlineData("17")]
    [InlineData("a:1")]
    [InlineData("1:2:3")]
    public void What_is_not_a_trace_is_refused(string text) => Assert.Throws<FormatException>(() => Trace.Parse(text));

    /// <summary>A little of what <c>tests/explore</c> does for an hour.</summary>
    [Fact]
    public void Some_schedules_of_the_commit_engine_leave_nothing_wrong()
    {
        var seed = Random.Shared.Next(1_000_000);
        var explored = Scenarios.All["journal"].Run(seed, TimeSpan.FromMinutes(1), maxSchedules: 200);
        Assert.True(explored.Failed is null, $"{explored.Failed}");
    }
}
