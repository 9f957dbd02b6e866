using System.Globalization;

namespace ImagesFunctions.Tests.Journal;

/// <summary>Whatever processes decide at the same time, and whatever answers get lost: all of it has one order.</summary>
public sealed class OneOrder
{
    private const string Partition = "p";
    private const string Counters = "abcdef";
    private const int Processes = 3;
    private const int CallersEach = 5;
    private const int DecisionsEach = 12;

    private const int MaxRuns = 20;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>
    /// Each decision reads some counters and counts others up, and leaves a record of what it read. The log, replayed commit by
    /// commit, has to say that each of them read the rows as they were before its commit.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public async Task Every_decision_read_what_was_so_when_it_was_committed(int oneInSoManyIsLost)
    {
        // Some are packed, else this tests less than it seems to; on a busy machine perhaps not at once.
        for (var (runs, isPacked) = (0, false); !isPacked; runs++)
        {
            Assert.True(runs < MaxRuns, "no two decisions were packed");
            isPacked =
                await RunAsync(Random.Shared.Next(), oneInSoManyIsLost) < Processes * CallersEach * DecisionsEach;
        }
    }

    // Returns the number of commits.
    private static async Task<int> RunAsync(int seed, int oneInSoManyIsLost)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var table = new MemoryTable { OnWrite = Losing(new Random(seed), oneInSoManyIsLost) };
        var committed = await Task.WhenAll(
            Enumerable
                .Range(0, Processes)
                .Select(_ => new PartitionJournal(table, Partition, _ => true, new EagerTime(moves: false)))
                .SelectMany(journal => Enumerable.Repeat(journal, CallersEach))
                .Select((journal, i) => Task.Run(() => CallAsync(journal, i, new Random(seed + i)), Stop))
        );

        var commits = Replay(table, seed);

        Assert.Equal(Processes * CallersEach * DecisionsEach, committed.Sum());
        Assert.InRange(commits, 10, committed.Sum());
        return commits;
    }

    private static Func<int, IReadOnlyList<Change>, Task<WriteFate>> Losing(Random random, int oneIn) =>
        async (_, _) =>
        {
            await Task.Yield();
            lock (random)
            {
                return oneIn == 0 || random.Next(oneIn) > 0 ? WriteFate.Answered
                    : random.Next(2) == 0 ? WriteFate.AnswerLost
                    : WriteFate.RequestLost;
            }
        };

    private static async Task<int> CallAsync(PartitionJournal journal, int caller, Random random)
    {
        for (var i = 0; i < DecisionsEach; i++)
        {
            var record = $"record {caller:D2} {i:D2}";
            string[] reads = [.. random.GetItems(Counters.AsSpan(), 2).Distinct().Select(c => $"{c}")];
            var written = reads[..random.Next(1, reads.Length + 1)];
            var scans = random.Next(4) == 0;
            await journal.CommitAsync((view, stop) => CountAsync(view, record, reads, written, scans, stop), Stop);
        }

        return DecisionsEach;
    }

    private static async Task<Decision<bool>> CountAsync(
        DecisionView view,
        string record,
        string[] reads,
        string[] written,
        bool scans,
        CancellationToken cancellationToken
    )
    {
        var seen = new SortedDictionary<string, long>(StringComparer.Ordinal);
        if (scans)
        {
            foreach (var row in await view.RangeAsync(new KeyRange("a", "c"), cancellationToken))
            {
                seen[row.Key] = row.GetInt64("count")!.Value;
            }
        }

        foreach (var key in reads)
        {
            await Task.Yield();
            seen[key] = (await view.GetAsync(key, cancellationToken))?.GetInt64("count") ?? 0;
        }

        var row2 = new TableRow(record) { ["seen"] = string.Join(' ', seen.Select(s => $"{s.Key}={s.Value}")) };
        return Decision.Of(
            true,
            [
                new Change(record, row2),
                .. written.Select(key => new Change(key, new TableRow(key) { ["count"] = seen[key] + 1 })),
            ]
        );
    }

    // Returns the number of commits.
    private static int Replay(MemoryTable table, int seed)
    {
        var rows = table.Rows(Partition);
        var entries = rows.Where(row => JournalKeys.Entries.Contains(row.Key)).ToList();
        Assert.Equal(entries.Count, table.Find(Partition, JournalKeys.Version)!.GetInt64("seq"));
        var state = new Dictionary<string, TableRow>(StringComparer.Ordinal);
        for (var seq = 1; seq <= entries.Count; seq++)
        {
            Assert.Equal(JournalKeys.Entry(seq), entries[seq - 1].Key);
            var written = JournalEntry.From(seq, entries[seq - 1]).Rows!;
            foreach (var (record, row) in written.Where(r => r.Key.StartsWith("record", StringComparison.Ordinal)))
            {
                Assert.False(state.ContainsKey(record), $"seed {seed}: {record} was committed twice");
                foreach (var seen in row!.Text("seen").Split(' '))
                {
                    var was = state.GetValueOrDefault(seen[..1])?.GetInt64("count") ?? 0;
                    var now = long.Parse(seen[2..], CultureInfo.InvariantCulture);
                    Assert.True(was == now, $"seed {seed}: commit {seq}, {record}: {seen}, but it was {was}");
                }
            }

            foreach (var (key, row) in written)
            {
                state[key] = row!;
            }
        }

        var stored = rows.Where(row => !JournalKeys.Entries.Contains(row.Key) && row.Key != JournalKeys.Version);
        Assert.Equal(
            stored.Select(row => $"{row.Key} {row["count"]}"),
            state.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"{s.Key} {s.Value["count"]}")
        );
        return entries.Count;
    }
}
