namespace ImagesFunctions.Tests.Journal;

public sealed class DecisionViewTests
{
    private const string Partition = "p";

    private readonly MemoryTable _table = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_row_reads_the_same_whatever_others_write_meanwhile()
    {
        Put("a", 1);
        var view = View();
        Assert.Equal(1, (await view.GetAsync("a", Stop))!.GetInt64("value"));
        Assert.Null(await view.GetAsync("b", Stop));

        Put("a", 2);
        Put("b", 2);

        Assert.Equal(1, (await view.GetAsync("a", Stop))!.GetInt64("value"));
        Assert.Null(await view.GetAsync("b", Stop));
        Assert.Equal(2, _table.Reads);
    }

    [Fact]
    public async Task A_range_reads_the_same_whatever_others_write_meanwhile()
    {
        Put("a", 1);
        Put("c", 1);
        var view = View();
        Assert.Equal(["a", "c"], await KeysAsync(view, "a", "d"));

        Put("b", 1);
        _table.Remove(Partition, "c");

        Assert.Equal(["a", "c"], await KeysAsync(view, "a", "d"));
        // Another range is another read.
        Assert.Equal(["a", "b"], await KeysAsync(view, "a", "c"));
        Assert.Equal(2, _table.Reads);
    }

    [Fact]
    public async Task Of_several_rows_those_that_exist_come_in_the_order_asked_for()
    {
        Put("a", 1);
        Put("c", 3);
        Put("d", 4);
        var view = View();
        var rows = await view.GetAllAsync(["d", "b", "a", "d"], Stop);
        Assert.Equal(["d", "a", "d"], rows.Select(row => row.Key));
        Assert.True(view.IsTouchedBy(["b"]));
        Assert.False(view.IsTouchedBy(["c"]));
    }

    [Theory]
    // What was read | what a commit changed | whether that may have changed what was read.
    [InlineData("", "a", false)]
    [InlineData("get a", "", false)]
    [InlineData("get a", "a", true)]
    [InlineData("get a", "b", false)]
    [InlineData("get a", "b a c", true)]
    [InlineData("get a", "A", false)]
    [InlineData("scan b d", "b", true)]
    [InlineData("scan b d", "c!x", true)]
    [InlineData("scan b d", "d", false)]
    [InlineData("scan b d", "a", false)]
    [InlineData("count a", "a", true)]
    [InlineData("count a", "b", false)]
    // What a decision writes itself is no read of it.
    [InlineData("write a", "a", false)]
    public async Task It_is_touched_by_a_commit_of_what_it_read(string read, string changed, bool touched)
    {
        var view = View();
        switch (read.Split(' '))
        {
            case ["get", var key]:
                await view.GetAsync(key, Stop);
                break;
            case ["scan", var from, var to]:
                await view.RangeAsync(new KeyRange(from, to), Stop);
                break;
            case ["count", var key]:
                view.AddReadKey(key);
                break;
            case ["write", var key]:
                view.AddWrittenKey(key);
                break;
        }

        Assert.Equal(touched, view.IsTouchedBy(changed.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
    }

    [Fact]
    public async Task A_read_counts_from_its_beginning()
    {
        var gate = new TaskCompletionSource();
        _table.OnRead = _ => gate.Task;
        var view = View();
        var (row, range) = (view.GetAsync("a", Stop), view.RangeAsync(new KeyRange("b", "c"), Stop));

        Assert.True(view.IsTouchedBy(["a"]));
        Assert.True(view.IsTouchedBy(["bb"]));

        gate.SetResult();
        await Task.WhenAll(row, range);
    }

    [Fact]
    public async Task Of_reads_at_the_same_time_all_get_the_first_one_that_ends()
    {
        Put("a", 1);
        var gates = new[] { new TaskCompletionSource(), new TaskCompletionSource() };
        var begun = 0;
        _table.OnRead = _ => gates[Interlocked.Increment(ref begun) - 1].Task;
        var view = View();
        var reads = (Early: view.GetAsync("a", Stop), Late: view.GetAsync("a", Stop));

        gates[1].SetResult();
        var late = await reads.Late;
        Put("a", 2);
        gates[0].SetResult();

        Assert.Same(late, await reads.Early);
        Assert.Equal(1, late!.GetInt64("value"));
    }

    [Fact]
    public async Task A_read_that_failed_is_made_again()
    {
        Put("a", 1);
        var fails = true;
        _table.OnRead = _ => fails ? throw new IOException("The connection was cut.") : Task.CompletedTask;
        var view = View();
        await Assert.ThrowsAsync<IOException>(() => view.GetAsync("a", Stop));
        await Assert.ThrowsAsync<IOException>(() => KeysAsync(view, "a", "b"));

        fails = false;

        Assert.NotNull(await view.GetAsync("a", Stop));
        Assert.Equal(["a"], await KeysAsync(view, "a", "b"));
    }

    [Fact]
    public void What_it_says_it_writes_is_told_once_a_key()
    {
        var view = View();
        view.AddWrittenKey("a");
        view.AddWrittenKey("b");
        view.AddWrittenKey("a");
        Assert.Equal(["a", "b"], view.WrittenKeys.Order(StringComparer.Ordinal));
        Assert.Equal((Partition, 7), (view.Partition, view.Seq));
    }

    private DecisionView View() => new(_table, Partition, 7);

    private void Put(string key, int value) => _table.Put(Partition, new TableRow(key) { ["value"] = (long)value });

    private static async Task<IEnumerable<string>> KeysAsync(DecisionView view, string from, string to) =>
        (await view.RangeAsync(new KeyRange(from, to), Stop)).Select(row => row.Key);
}
