namespace ImagesFunctions.Tests.Journal;

/// <summary>One process commits the decisions of its callers, beside others that do the same.</summary>
public sealed class CommitQueueTests
{
    private const string Partition = "p";

    private readonly MemoryTable _table = new();
    private readonly EagerTime _time = new(moves: false);
    private readonly CommitQueue _queue;

    public CommitQueueTests() => _queue = new CommitQueue(_table, Partition, _ => true, _time);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_waits_at_the_same_time_is_committed_by_one_transaction()
    {
        var gate = HoldWrite(1);
        var first = CommitAsync(View(), "a");
        await gate.Begun;
        var others = "bcdefg".Select(key => CommitAsync(View(), $"{key}")).ToList();
        gate.Release();

        Assert.All(await Task.WhenAll([first, .. others]), Assert.True);

        Assert.Equal(2, _table.Writes);
        Assert.Equal(["a"], Entry(1).Keys);
        Assert.Equal(["b", "c", "d", "e", "f", "g"], Entry(2).Keys);
    }

    [Fact]
    public async Task Of_those_that_touch_each_other_the_first_is_committed_and_the_others_are_sent_back()
    {
        var gate = HoldWrite(1);
        var first = CommitAsync(View(), "a");
        await gate.Begun;
        var second = CommitAsync(View(), "b");
        var touched = new[] { CommitAsync(View("b"), "c"), CommitAsync(View(), "b"), CommitAsync(View("a"), "d") };
        var beside = CommitAsync(View("c"), "e");
        gate.Release();

        Assert.All(await Task.WhenAll(first, second, beside), Assert.True);
        Assert.All(await Task.WhenAll(touched), Assert.False);
        Assert.Equal(["b", "e"], Entry(2).Keys);
        Assert.Equal(2, _table.Writes);
    }

    [Theory]
    [InlineData("get a", "b", true)]
    [InlineData("get a", "a", false)]
    [InlineData("scan b d", "a", true)]
    [InlineData("scan b d", "c", false)]
    [InlineData("", "own", false)]
    public async Task What_another_process_has_committed_meanwhile_sends_back_only_what_it_touches(
        string read,
        string changed,
        bool stands
    )
    {
        await CommitAsync(View(), "first");
        var view = new DecisionView(_table, Partition, await _queue.SequenceAsync(Stop));
        switch (read.Split(' '))
        {
            case ["get", var key]:
                await view.GetAsync(key, Stop);
                break;
            case ["scan", var from, var to]:
                await view.RangeAsync(new KeyRange(from, to), Stop);
                break;
        }

        _table.Commit(Partition, Change("other"), Change(changed));
        _table.Commit(Partition, Change("other"));

        Assert.Equal(stands, await CommitAsync(view, "own"));
        Assert.Equal(stands ? 4 : 3, Seq);
    }

    [Fact]
    public async Task A_decision_stands_though_another_process_is_faster_each_time()
    {
        await CommitAsync(View(), "first");
        var view = View("a");
        var faster = 0;
        _table.OnWrite = (_, _) =>
        {
            if (faster++ < 20)
            {
                _table.Commit(Partition, Change("other"));
            }

            return Task.FromResult(WriteFate.Answered);
        };

        Assert.True(await CommitAsync(view, "own"));
        Assert.Equal(22, Seq);
    }

    [Fact]
    public async Task Where_the_log_does_not_tell_what_was_committed_a_decision_is_sent_back()
    {
        await CommitAsync(View(), "first");
        var view = View("a");
        _table.Commit(Partition, Change("other"));
        _table.Commit(Partition, Change("other"));
        _table.Remove(Partition, JournalKeys.Entry(2));

        Assert.False(await CommitAsync(view, "own"));
        Assert.True(await CommitAsync(await NewViewAsync(), "own"));
    }

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public async Task One_that_is_more_than_128_commits_old_is_sent_back(int commits, bool stands)
    {
        var view = View("a");
        for (var i = 0; i < commits; i++)
        {
            _table.Commit(Partition, Change("other"));
        }

        Assert.Equal(stands, await CommitAsync(view, "own"));
    }

    [Fact]
    public async Task Where_a_row_has_another_version_than_was_read_the_pack_is_sent_back_and_the_next_is_committed()
    {
        await CommitAsync(View(), "first");
        var read = _table.Put(Partition, new TableRow("blob"));
        _table.Put(Partition, new TableRow("blob"));
        var gate = HoldWrite(_table.Writes + 1);
        var before = CommitAsync(View(), "before");
        await gate.Begun;
        var view = await NewViewAsync();
        var stale = _queue.CommitAsync(view, [new Change("blob", null, read.Version)], Stop);
        gate.Release();

        Assert.True(await before);
        Assert.False(await stale);
        Assert.True(await CommitAsync(await NewViewAsync(), "after"));
        Assert.NotNull(_table.Find(Partition, "blob"));
    }

    [Fact]
    public async Task An_entry_that_a_backup_has_left_beyond_its_version_is_written_over()
    {
        await CommitAsync(View(), "first");
        _table.Put(Partition, JournalEntry.Of(2, [Change("lost")], _ => true).ToRow());

        Assert.False(await CommitAsync(View(), "own"));
        Assert.True(await CommitAsync(View(), "own"));

        Assert.Equal(["own"], Entry(2).Keys);
        Assert.True(await CommitAsync(View(), "next"));
        Assert.Equal(3, Seq);
    }

    [Fact]
    public async Task Who_has_read_before_the_table_went_back_is_sent_back()
    {
        await CommitAsync(View(), "first");
        await CommitAsync(View(), "second");
        var view = View("a");
        _table.Put(Partition, new TableRow(JournalKeys.Version) { ["seq"] = 1L });
        _table.Remove(Partition, JournalKeys.Entry(2));

        Assert.False(await CommitAsync(view, "own"));
        Assert.Equal(1, Seq);
        Assert.True(await CommitAsync(await NewViewAsync(), "own"));
        Assert.Equal(["own"], Entry(2).Keys);
    }

    [Fact]
    public async Task One_that_the_table_does_not_take_fails_alone()
    {
        var gate = HoldWrite(1);
        var first = CommitAsync(View(), "a");
        await gate.Begun;
        var good = new List<Task<bool>> { CommitAsync(View(), "b") };
        var bad = CommitAsync(View(), "no#key");
        good.Add(CommitAsync(View(), "c"));
        gate.Release();

        await Assert.ThrowsAsync<InvalidOperationException>(() => bad);
        Assert.All(await Task.WhenAll([first, .. good]), Assert.True);
        Assert.True(await CommitAsync(await NewViewAsync(), "d"));
    }

    [Fact]
    public async Task While_storage_is_away_all_that_wait_are_told_and_later_ones_are_committed()
    {
        await CommitAsync(View(), "first");
        _table.OnWrite = (_, _) => Task.FromResult(WriteFate.RequestLost);
        await Assert.ThrowsAsync<StorageUnavailableException>(() => CommitAsync(View(), "a"));
        _table.OnRead = _ => throw new IOException("The connection was cut.");
        await Assert.ThrowsAsync<IOException>(() => CommitAsync(View(), "b"));

        _table.OnWrite = (_, _) => Task.FromResult(WriteFate.Answered);
        _table.OnRead = _ => Task.CompletedTask;

        Assert.True(await CommitAsync(await NewViewAsync(), "c"));
        Assert.Equal(2, Seq);
    }

    [Fact]
    public async Task Who_stops_waiting_stops_nobody_else()
    {
        var gate = HoldWrite(1);
        using var end = new CancellationTokenSource();
        var first = CommitAsync(View(), "a");
        await gate.Begun;
        var gone = _queue.CommitAsync(View(), [Change("b")], end.Token);
        var other = CommitAsync(View(), "c");

        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        Assert.False(first.IsCompleted || other.IsCompleted);
        gate.Release();

        Assert.All(await Task.WhenAll(first, other), Assert.True);
        Assert.Equal(["b", "c"], Entry(2).Keys);
    }

    [Fact]
    public async Task A_process_alone_reads_the_version_once()
    {
        var reads = 0;
        _table.OnRead = key =>
        {
            reads += key == JournalKeys.Version ? 1 : 0;
            return Task.CompletedTask;
        };
        for (var i = 0; i < 20; i++)
        {
            Assert.True(await CommitAsync(await NewViewAsync(), "a"));
        }

        // Before the first commit, and by it.
        Assert.Equal(2, reads);
        Assert.Equal(20, Seq);
    }

    [Fact]
    public async Task What_a_decision_announces_stands_in_the_log()
    {
        var view = View();
        view.AddWrittenKey("n!1");
        view.AddWrittenKey("a");
        await CommitAsync(view, "a");
        Assert.Equal(["a", "n!1"], Entry(1).Keys);
        Assert.Equal("a", Assert.Single(Entry(1).Rows!).Key);
    }

    [Fact]
    public async Task A_decision_of_99_rows_is_no_decision()
    {
        Change[] changes = [.. Enumerable.Range(0, 99).Select(i => Change($"k{i:D2}"))];
        await Assert.ThrowsAsync<ArgumentException>(() => _queue.CommitAsync(View(), changes, Stop));
        Assert.True(await _queue.CommitAsync(View(), changes[..98], Stop));
        Assert.Equal(100, _table.Rows(Partition).Count);
    }

    private long Seq => _table.Find(Partition, JournalKeys.Version)?.GetInt64("seq") ?? 0;

    private JournalEntry Entry(long seq) => JournalEntry.From(seq, _table.Find(Partition, JournalKeys.Entry(seq))!);

    private static Change Change(string key) => new(key, new TableRow(key));

    private Task<bool> CommitAsync(DecisionView view, string key) => _queue.CommitAsync(view, [Change(key)], Stop);

    // One as of now that has read these keys.
    private DecisionView View(params string[] read)
    {
        var view = new DecisionView(_table, Partition, Seq);
        Array.ForEach(read, view.AddReadKey);
        return view;
    }

    private async Task<DecisionView> NewViewAsync() => new(_table, Partition, await _queue.SequenceAsync(Stop));

    private (Task Begun, Action Release) HoldWrite(int number)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _table.OnWrite = async (write, _) =>
        {
            if (write == number)
            {
                begun.TrySetResult();
                await released.Task;
            }

            return WriteFate.Answered;
        };
        return (begun.Task, released.SetResult);
    }
}
