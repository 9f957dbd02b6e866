using System.Diagnostics;
using Azure.Core;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Stress;

/// <summary>
/// Everybody at once on one storage account: pushers over HTTP to several servers that are killed again and again, droppers,
/// deleters, and sweepers in processes of their own that are killed as well. What was acknowledged and not deleted since is
/// there, byte for byte, and of all else nothing is left.
/// </summary>
[TakesLong(seconds: 30)]
public sealed class PushStress
{
    private const string Namespace = "alice";
    private const string Unsteady = "alice/overwritten";

    // What no setting says.
    private static readonly SweepOptions s_nothingIsYoung = new()
    {
        AfterPush = TimeSpan.Zero,
        AfterDrop = TimeSpan.Zero,
        AfterChunk = TimeSpan.Zero,
        EventTakes = TimeSpan.Zero,
    };

    // Times the time that the start of a server takes.
    private const double LongestGc = 5;
    private const double LongestHesitation = 0.5;

    private static readonly TimeSpan s_longestRest = TimeSpan.FromSeconds(15);

    private readonly Goods _goods = new();
    private readonly Ledger _ledger = new();
    private readonly Tally _tally = new();
    private string _connection = "";
    private string _token = "";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [ScheduleFact]
    public Task Without_a_grace_what_was_acknowledged_is_whole_and_nothing_else_is_left() =>
        RunAsync(
            new Plan(Pushers: 3, Droppers: 1, TimeSpan.FromSeconds(8))
            {
                AtLeast = 2,
                Grace = "0s",
                Gc = false,
            }
        );

    [LongFact]
    public Task Without_a_grace_what_was_acknowledged_is_whole_and_nothing_else_is_left_for_minutes() =>
        RunAsync(new Plan(Pushers: 6, Droppers: 2, TimeSpan.FromMinutes(5)) { Grace = "0s", Servers = 3 });

    [LongFact]
    public Task With_the_default_grace_no_push_misses_what_it_was_told_is_there() =>
        RunAsync(new Plan(Pushers: 6, Droppers: 2, TimeSpan.FromMinutes(3)) { Promise = TimeSpan.FromHours(12) });

    /// <summary>Most of what is deleted is swept while others push it again.</summary>
    [LongFact]
    public Task With_a_grace_of_20_s_no_push_misses_what_it_was_told_is_there_less_than_8_s_ago() =>
        RunAsync(
            new Plan(Pushers: 6, Droppers: 2, TimeSpan.FromMinutes(3))
            {
                Grace = "20s",
                // Half of it; storage tells the time in whole seconds, and a request takes some.
                Promise = TimeSpan.FromSeconds(8),
            }
        );

    /// <summary>As while a service is updated without a stop: servers of both versions, which start and end at any time.</summary>
    [LongFact]
    public async Task Beside_the_version_before_what_was_acknowledged_is_there_in_the_lists_of_both() =>
        await RunAsync(
            new Plan(Pushers: 6, Droppers: 2, TimeSpan.FromMinutes(3))
            {
                Builds = [await EarlierBuild.MakeAsync(), LocalProgram.ThisBuild],
                Servers = 4,
                Grace = "20s",
                Promise = TimeSpan.FromSeconds(8),
            }
        );

    private async Task RunAsync(Plan plan)
    {
        _connection = await Storages.NewWithTablesAsync();
        await using var node = new Node(_connection);
        _token = await NodeRegistry.TokenAsync(node, Namespace);
        // A store that has this account is not fresh any more, and gets no sample image.
        await NodeRegistry.TokenAsync(node, "demo");
        (string, string)[] grace = plan.Grace is { } time
            ? [(SweepOptions.AfterPushSetting, time), (SweepOptions.AfterDropSetting, time)]
            : [];
        var clock = Stopwatch.StartNew();
        await using (
            var fleet = new Fleet(_connection, _token, plan.Servers, sweeps: true, grace) { Builds = plan.Builds }
        )
        {
            await fleet.StartAsync();
            try
            {
                await EverybodyAsync(plan, fleet, node);
            }
            finally
            {
                TestContext.Current.TestOutputHelper?.WriteLine(
                    $"{_tally}, {fleet.Kills} servers killed, {fleet.Cut} requests cut, {fleet.Unavailable} unavailable, {clock.Elapsed.TotalSeconds:0} s"
                );
            }
        }

        await CheckAsync(node, plan.Builds);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{_ledger.Items.Count} images and {_ledger.Tags.Count} tags are there, {clock.Elapsed.TotalSeconds:0} s"
        );
    }

    private async Task EverybodyAsync(Plan plan, Fleet fleet, Node node)
    {
        string[] repositories = ["alice/a", "alice/team/b", Unsteady];
        var unsteady = plan.SparesNothing ? new HashSet<string>(StringComparer.Ordinal) { Unsteady } : [];
        var pushers = Enumerable
            .Range(0, plan.Pushers)
            .Select(_ => new Pusher(fleet, _goods, _ledger, _tally, repositories, plan.Promise, unsteady));
        var droppers = repositories
            .Reverse()
            .Take(plan.Droppers)
            .Select(r => new Dropper(node.Storage.Images, fleet, _goods, _ledger, _tally, r, unsteady.Contains(r)));
        var deleters = Enumerable
            .Range(0, 2)
            .Select(_ => new Deleter(fleet, _goods, _ledger, _tally, partsToo: plan.SparesNothing));
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        Task[] others =
        [
            fleet.KillAsync(() => RestAsync(Acknowledged, done.Token), done.Token),
            .. plan.Gc ? [KillGcAsync(plan, fleet, done.Token)] : Array.Empty<Task>(),
            .. plan.SparesNothing ? [KillSweepsAsync(fleet, done.Token)] : Array.Empty<Task>(),
            AtPaceAsync(TimeSpan.FromMilliseconds(50), () => PullAsync(fleet, unsteady), done.Token),
            .. deleters.Select(d => AtPaceAsync(TimeSpan.FromMilliseconds(150), d.DeleteAsync, done.Token)),
        ];
        try
        {
            await Task.WhenAll([
                .. pushers.Select(p => InTimeAsync(plan, p.PushAsync)),
                .. droppers.Select(d => InTimeAsync(plan, d.DropAsync)),
            ]);
        }
        finally
        {
            await done.CancelAsync();
            await Task.WhenAll(others);
        }
    }

    private static async Task InTimeAsync(Plan plan, Func<Task> act)
    {
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < plan.AtLeast || clock.Elapsed < plan.Time; i++)
        {
            await act();
        }
    }

    private static async Task AtPaceAsync(TimeSpan period, Func<Task> act, CancellationToken end)
    {
        using var pace = new PeriodicTimer(period);
        while (!end.IsCancellationRequested)
        {
            await act();
            await pace.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    // Anything that was acknowledged, while all else goes on.
    private async Task PullAsync(Fleet fleet, HashSet<string> unsteady)
    {
        var items = _ledger.Items.Keys.Where(i => !unsteady.Contains(i.Repository)).ToList();
        if (items.Count > 0)
        {
            var (repository, item) = Pusher.Pick(items);
            await _ledger.KeepAsync(
                repository,
                item,
                () => new Puller(fleet, _goods).PullAsync(repository, item, item)
            );
            _tally.Add("pulls");
        }
    }

    // The command, which now and then is killed in the middle of its work.
    private async Task KillGcAsync(Plan plan, Fleet fleet, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            var before = Acknowledged;
            string[] grace = plan.Grace is { } time ? ["--grace", time] : [];
            await using var gc = LocalProgram.Start(_connection, ["gc", .. grace]);
            var code = await gc.EndsWithinAsync(fleet.LastStart * (LongestGc * Random.Shared.NextDouble()));
            Assert.True(code is null or 0, gc.Said);
            _tally.Add(code is null ? "gc killed" : "gc");
            await RestAsync(before, end);
        }
    }

    // The most impatient sweeper of all, to which sessions and events are late at once, and the slowest one. It is killed at
    // any call to storage.
    private async Task KillSweepsAsync(Fleet fleet, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            var before = Acknowledged;
            await using var node = new Node(_connection);
            node.Calls.KillAt(1 + Random.Shared.Next(1_500), Random.Shared.Next(2) == 0);
            var killed = node.Calls.Before;
            node.Calls.Before = async (number, message) =>
            {
                // Between a decision and what follows from it much may happen.
                if (
                    message.Request.Method == RequestMethod.Delete
                    || message.Request.Uri.ToString().Contains("batch", StringComparison.Ordinal)
                )
                {
                    await Task.Delay(fleet.LastStart * (LongestHesitation * Random.Shared.NextDouble()), Stop);
                }

                await killed(number, message);
            };
            try
            {
                var result = await node.Sweeper.RunAsync(s_nothingIsYoung, dryRun: false, Stop);
                Assert.True(result[SweepKind.Failed] == 0, $"{result}");
                _tally.Add("sweeps");
            }
            catch (KilledException)
            {
                _tally.Add("sweeps killed");
            }

            await RestAsync(before, end);
        }
    }

    private int Acknowledged => _tally["pushes"] + _tally["drops"];

    // Without a grace, sweeps one after the other take away what any push has just brought, and on a busy machine no push is
    // as fast as the kills: so somebody gets done between two.
    private async Task RestAsync(int before, CancellationToken end)
    {
        using var longest = Deadline.In(s_longestRest);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (Acknowledged == before && !longest.HasPassed && !end.IsCancellationRequested)
        {
            await pace.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    private async Task CheckAsync(Node node, IReadOnlyList<string> builds)
    {
        var check = new InTheEnd(_goods, _ledger);
        // What a start of the program does; from here on nobody changes anything but this.
        await node.StartAsync();
        await Invariants.SettledAsync(node, Namespace);
        await IsThereAsync(check, builds);

        await node.SweepAllAsync();

        await IsThereAsync(check, builds);
        await Invariants.SettledAsync(node, Namespace);
        await check.NothingElseIsLeftAsync(node);
    }

    // Each version says the same.
    private async Task IsThereAsync(InTheEnd check, IReadOnlyList<string> builds)
    {
        foreach (var build in builds)
        {
            await using var fleet = new Fleet(_connection, _token, 1, sweeps: false) { Builds = [build] };
            await fleet.StartAsync();
            await check.IsThereAsync(fleet);
        }
    }
}
