using CsCheck;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Support;

/// <summary>The table in memory against the emulator: tests of the journal are worth as much as the two agree.</summary>
public sealed class MemoryTableTests
{
    private const string Keys = "abcde";

    // As the emulator writes them, and older than all of its own.
    private static readonly VersionTag s_never = new("W/\"datetime'2000-01-01T00%3A00%3A00.0000000Z'\"");

    private static readonly Gen<Step> AnyStep = Gen.Select(
        Gen.Char[Keys],
        Gen.Enum<Kind>(),
        Gen.Int[0, 2],
        Gen.Int[0, 99],
        (key, kind, age, value) => new Step($"{key}", kind, age, value)
    );

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private enum Kind
    {
        Add,
        Replace,
        ReplaceVersion,
        Remove,
        RemoveVersion,
    }

    /// <summary>One change of a transaction; where it names a version, how many versions of the key came after that.</summary>
    private sealed record Step(string Key, Kind Kind, int Age, int Value)
    {
        public override string ToString() => $"{Kind} {Key} -{Age} ={Value}";
    }

    [Fact]
    public async Task Random_transactions_end_as_they_do_on_the_emulator()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var scripts = 0;
        await AnyStep
            .Array[1, 4]
            // A row that is twice in a transaction is refused as well, but not before each error of the rows before it.
            .Select(steps => steps.DistinctBy(step => step.Key).ToArray())
            .Array[4, 12]
            .SampleAsync(
                async script =>
                {
                    var partition = $"p{Interlocked.Increment(ref scripts)}";
                    Assert.Equal(
                        await PlayAsync(node.Storage.ImageRows, partition, script),
                        await PlayAsync(new MemoryTable(), partition, script)
                    );
                },
                iter: 15,
                threads: 1
            );
    }

    [Fact]
    public async Task A_transaction_holds_100_rows_and_each_only_once_as_on_the_emulator()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        Change[] changes = [.. Enumerable.Range(0, 101).Select(i => Row($"k{i:D3}", i))];
        foreach (var table in (IJournalTable[])[node.Storage.ImageRows, new MemoryTable()])
        {
            Assert.True((await table.WriteAsync("p", changes[..100], Stop)).IsDone);
            await Assert.ThrowsAnyAsync<Exception>(() => table.WriteAsync("p", changes, Stop));
            await Assert.ThrowsAnyAsync<Exception>(() => table.WriteAsync("p", [changes[0], changes[0]], Stop));
            Assert.Equal(100, (await table.RangeAsync("p", new KeyRange("k", "l"), Stop)).Count);
        }
    }

    [Fact]
    public async Task A_write_whose_answer_is_lost_is_done_and_one_whose_request_is_lost_is_not()
    {
        var table = new MemoryTable
        {
            OnWrite = (n, _) => Task.FromResult(n == 1 ? WriteFate.AnswerLost : WriteFate.RequestLost),
        };
        Assert.Equal(WriteOutcome.Unclear, (await table.WriteAsync("p", [Row("a", 1)], Stop)).Outcome);
        Assert.Equal(WriteOutcome.Unclear, (await table.WriteAsync("p", [Row("b", 1)], Stop)).Outcome);
        Assert.Equal("a", Assert.Single(table.Rows("p")).Key);
    }

    private static Change Row(string key, int value) => new(key, new TableRow(key) { ["value"] = (long)value });

    // What came of each transaction, and the rows after it.
    private static async Task<List<string>> PlayAsync(IJournalTable table, string partition, Step[][] script)
    {
        var said = new List<string>();
        var versions = Keys.ToDictionary(key => $"{key}", _ => new List<VersionTag> { s_never, s_never, s_never });
        foreach (var steps in script)
        {
            Change[] changes = [.. steps.Select(step => ChangeOf(step, versions[step.Key]))];
            said.Add(
                string.Join(", ", steps.Select(s => $"{s}"))
                    + ": "
                    + await EndAsync(table, partition, changes, versions)
            );
            foreach (var key in changes.Select(c => c.Key).Distinct(StringComparer.Ordinal))
            {
                if (await table.GetAsync(partition, key, Stop) is { } row && row.Version != versions[key][^1])
                {
                    Assert.DoesNotContain(row.Version, versions[key]);
                    versions[key].Add(row.Version);
                }
            }

            var rows = await table.RangeAsync(partition, new KeyRange("b", "e"), Stop);
            said.Add(string.Join(' ', rows.Select(row => $"{row.Key}={row.GetInt64("value")}")));
        }

        return said;
    }

    private static async Task<string> EndAsync(
        IJournalTable table,
        string partition,
        Change[] changes,
        Dictionary<string, List<VersionTag>> versions
    )
    {
        try
        {
            var result = await table.WriteAsync(partition, changes, Stop);
            if (result.First is { } first)
            {
                // What is told is the version that the row has.
                Assert.Equal(first, (await table.GetAsync(partition, changes[0].Key, Stop))?.Version);
                Assert.DoesNotContain(first, versions[changes[0].Key]);
            }

            return $"{result.Outcome} {result.First is not null} {result.Error is not null}";
        }
        catch (Exception error) when (error is not Xunit.Sdk.XunitException)
        {
            return "no transaction";
        }
    }

    private static Change ChangeOf(Step step, List<VersionTag> versions)
    {
        var row = Row(step.Key, step.Value);
        var version = versions[^(1 + step.Age)];
        return step.Kind switch
        {
            Kind.Add => row with { IsNew = true },
            Kind.Replace => row,
            Kind.ReplaceVersion => row with { IfMatch = version },
            Kind.Remove => row with { Row = null },
            _ => row with { Row = null, IfMatch = version },
        };
    }
}
