using ImagesFunctions.Exploration;
using ImagesFunctions.Exploration.Journal;
using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Exploration;

/// <summary>What the model of a table has answered in schedules, the emulator answers as well: exploring is worth as much as the two agree.</summary>
public sealed class ModelOnTheEmulator
{
    private const int Schedules = 8;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_request_of_a_schedule_ends_as_it_did_on_the_model()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var seed = Random.Shared.Next(1_000_000);
        TestContext.Current.TestOutputHelper?.WriteLine($"first seed {seed}");
        var schedules = new List<List<TableCall>>();
        var explored = new Explorer(s => new JournalScenario(
            s,
            world => Listened(new ModelStorage(world), schedules)
        )).Run(seed, TimeSpan.FromMinutes(2), Schedules);
        Assert.Null(explored.Failed);
        Assert.Equal(Schedules, schedules.Count);
        Assert.Contains(schedules, calls => calls.Exists(c => c.Result.Outcome == WriteOutcome.Refused));

        for (var i = 0; i < schedules.Count; i++)
        {
            await ReplayAsync(node.Storage.ImageRows, $"s{i}", schedules[i]);
        }
    }

    private static ModelStorage Listened(ModelStorage storage, List<List<TableCall>> schedules)
    {
        var calls = new List<TableCall>();
        schedules.Add(calls);
        storage.Heard = calls.Add;
        return storage;
    }

    // In the order in which they took effect; a version that the model gave stands for the one that the emulator did.
    private static async Task ReplayAsync(StoredTable table, string partition, List<TableCall> calls)
    {
        var versions = new Dictionary<VersionTag, VersionTag>();
        foreach (var call in calls)
        {
            if (call.Changes.Count == 0)
            {
                IReadOnlyList<TableRow> found = call.IsPoint
                    ? (await table.GetAsync(partition, call.Range.From, Stop) is { } row ? [row] : [])
                    : await table.RangeAsync(partition, call.Range, Stop);
                Assert.Equal(call.Rows.Select(Text), found.Select(Text));
                continue;
            }

            var result = await table.WriteAsync(
                partition,
                [.. call.Changes.Select(c => c with { IfMatch = c.IfMatch is { } tag ? versions[tag] : null })],
                Stop
            );
            Assert.Equal(call.Result.Outcome, result.Outcome);
            foreach (var written in call.Rows)
            {
                var row = await table.GetAsync(partition, written.Key, Stop);
                versions[written.Version] = row!.Version;
                Assert.Equal(Text(written), Text(row));
            }
        }
    }

    private static string Text(TableRow row) =>
        $"{row.Key}: {string.Join(", ", row.Values.OrderBy(v => v.Key, StringComparer.Ordinal).Select(v => $"{v.Key}={v.Value}"))}";
}
