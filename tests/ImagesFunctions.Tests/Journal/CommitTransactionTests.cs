namespace ImagesFunctions.Tests.Journal;

/// <summary>A transaction is sent until it is known whether it took effect, and takes effect once.</summary>
public sealed class CommitTransactionTests
{
    private const string Partition = "p";

    private readonly MemoryTable _table = new();
    private readonly EagerTime _time = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private CommitTransaction Transaction => new(_table, Partition, _time);

    [Theory]
    // What becomes of each send: Answered, its answer Lost, or the request itself Not arrived | sends.
    [InlineData("A", 1)]
    [InlineData("L", 2)]
    [InlineData("N", 2)]
    [InlineData("LL", 3)]
    [InlineData("NN", 3)]
    [InlineData("NL", 3)]
    [InlineData("LN", 3)]
    [InlineData("NNNNNNN", 8)]
    [InlineData("LNLNLNL", 8)]
    public async Task However_often_it_is_sent_it_is_done_once(string fates, int sends)
    {
        var first = await FirstAsync();
        Follow(fates);

        var version = await CommitAsync(first, "a");

        Assert.Equal(sends, _table.Writes - 1);
        Assert.Equal(2, version!.Seq);
        Assert.Equal(await _table.VersionAsync(Partition, Stop), version);
        Assert.Equal(1, _table.Find(Partition, "a")!.GetInt64("value"));
        Assert.InRange(_time.Waits.Count, 0, sends - 1);
    }

    [Theory]
    [InlineData("A", 1)]
    [InlineData("L", 2)]
    [InlineData("N", 2)]
    [InlineData("NLN", 4)]
    public async Task The_first_commit_of_a_partition_is_one_like_any_other(string fates, int sends)
    {
        Follow(fates);

        var version = await CommitAsync(new JournalVersion(0, null), "a");

        Assert.Equal(sends, _table.Writes);
        Assert.Equal(await _table.VersionAsync(Partition, Stop), version);
        Assert.Equal(["a", JournalKeys.Entry(1), JournalKeys.Version], _table.Rows(Partition).Select(row => row.Key));
    }

    [Theory]
    [InlineData("A")]
    [InlineData("N")]
    [InlineData("L")]
    [InlineData("NLN")]
    public async Task It_is_refused_where_another_was_faster(string fates)
    {
        var version = await FirstAsync();
        _table.Commit(Partition);
        Follow(fates);

        Assert.Null(await CommitAsync(version, "a"));

        Assert.Null(_table.Find(Partition, "a"));
        Assert.Equal(2, (await _table.VersionAsync(Partition, Stop)).Seq);
    }

    [Theory]
    [InlineData("A", true)]
    [InlineData("NA", true)]
    [InlineData("L", false)]
    public async Task A_change_is_told_its_rows_version_where_the_answer_has_it(string fates, bool isTold)
    {
        var first = await FirstAsync();
        Follow(fates);
        VersionTag? told = null;
        var gone = new Change("first", null) { Written = _ => Assert.Fail("A removed row has no version.") };

        await CommitAsync(first, "a", new Change("b", new TableRow("b")) { Written = version => told = version }, gone);

        Assert.Equal(isTold ? _table.Find(Partition, "b")!.Version : null, told);
    }

    [Fact]
    public async Task It_is_refused_where_a_row_is_not_the_one_that_was_read()
    {
        var version = await FirstAsync();
        var row = _table.Put(Partition, new TableRow("b"));
        _table.Put(Partition, new TableRow("b"));
        Assert.Null(await CommitAsync(version, "a", new Change("b", null, row.Version)));

        _table.Remove(Partition, "b");
        Assert.Null(await CommitAsync(version, "a", new Change("b", null, row.Version)));

        Assert.Null(_table.Find(Partition, "a"));
        Assert.Equal(version, await _table.VersionAsync(Partition, Stop));
    }

    [Fact]
    public async Task One_whose_answer_was_lost_is_known_by_its_operation_when_others_have_gone_on_since()
    {
        var first = await FirstAsync();
        Follow("L", onLost: () => _table.Commit(Partition));

        var version = await CommitAsync(first, "a");

        // Its number, under a version that matches nothing any more: so the next transaction finds out.
        Assert.Equal(first with { Seq = 2 }, version);
        Assert.Equal(3, (await _table.VersionAsync(Partition, Stop)).Seq);
        Assert.NotNull(_table.Find(Partition, "a"));
    }

    /// <summary>It would be committed twice if that were a refusal.</summary>
    [Fact]
    public async Task Of_one_whose_answer_was_lost_nobody_knows_where_the_log_cannot_be_read()
    {
        var first = await FirstAsync();
        Follow("L");
        _table.OnRead = _ => throw new IOException("The connection was cut.");

        await Assert.ThrowsAsync<StorageUnavailableException>(() => CommitAsync(first, "a"));

        Assert.NotNull(_table.Find(Partition, "a"));
    }

    [Fact]
    public async Task One_whose_answer_was_lost_is_committed_though_its_version_cannot_be_read()
    {
        var first = await FirstAsync();
        Follow("L");
        _table.OnRead = key => key == JournalKeys.Version ? throw new IOException("Cut.") : Task.CompletedTask;

        Assert.Equal(first with { Seq = 2 }, await CommitAsync(first, "a"));
    }

    [Fact]
    public async Task One_that_did_not_arrive_is_told_from_anothers_of_the_same_number()
    {
        var first = await FirstAsync();
        Follow("N", onLost: () => _table.Commit(Partition));

        Assert.Null(await CommitAsync(first, "a"));
        Assert.Null(_table.Find(Partition, "a"));
    }

    [Fact]
    public async Task Where_the_log_was_trimmed_meanwhile_nobody_can_tell()
    {
        var first = await FirstAsync();
        Follow(
            "L",
            onLost: () =>
            {
                _table.Commit(Partition);
                _table.Remove(Partition, JournalKeys.Entry(2));
            }
        );

        var error = await Assert.ThrowsAsync<StorageUnavailableException>(() => CommitAsync(first, "a"));

        Assert.Equal("the log no longer tells whether a commit took effect", error.Message);
    }

    [Theory]
    [InlineData("NNNNNNNN", false)]
    [InlineData("LNNNNNNN", true)]
    public async Task Without_an_answer_it_is_sent_eight_times_and_given_up(string fates, bool isDone)
    {
        var first = await FirstAsync();
        Follow(fates);

        var error = await Assert.ThrowsAsync<StorageUnavailableException>(() => CommitAsync(first, "a"));

        Assert.IsType<IOException>(error.InnerException);
        Assert.Equal(8, _table.Writes - 1);
        // A wait of less than a millisecond, which chance may make of any, is none.
        Assert.InRange(_time.Waits.Count, 1, 7);
        // 50 ms doubled six times, no wait over 4 s.
        Assert.InRange(_time.Waited, TimeSpan.Zero, TimeSpan.FromMilliseconds(50 * 127));
        Assert.Equal(isDone, _table.Find(Partition, "a") is not null);
    }

    [Fact]
    public async Task What_the_table_does_not_take_is_thrown_at_once()
    {
        var first = await FirstAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => CommitAsync(first, "a", new Change("a", null)));
        Assert.Equal(2, _table.Writes);
    }

    // The first commit of the partition.
    private async Task<JournalVersion> FirstAsync() => (await CommitAsync(new JournalVersion(0, null), "first"))!;

    private Task<JournalVersion?> CommitAsync(JournalVersion version, string key, params Change[] more)
    {
        var row = new TableRow(key) { ["value"] = 1L };
        Change[] changes = [new(key, row), .. more];
        return Transaction.SendAsync(version, JournalEntry.Of(version.Seq + 1, changes, _ => false), changes);
    }

    // What becomes of the sends from now on; beyond the letters they are answered. Something else happens behind the first.
    private void Follow(string fates, Action? onLost = null)
    {
        var before = _table.Writes;
        _table.OnWrite = (number, _) =>
        {
            var send = number - before - 1;
            if (send == 1)
            {
                onLost?.Invoke();
            }

            return Task.FromResult(
                fates.ElementAtOrDefault(send) switch
                {
                    'L' => WriteFate.AnswerLost,
                    'N' => WriteFate.RequestLost,
                    _ => WriteFate.Answered,
                }
            );
        };
    }
}
