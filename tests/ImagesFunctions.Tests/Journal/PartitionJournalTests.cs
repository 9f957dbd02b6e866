namespace ImagesFunctions.Tests.Journal;

/// <summary>Decisions are made, committed, and made again when what they read has changed.</summary>
public sealed class PartitionJournalTests
{
    private const string Partition = "p";

    private readonly MemoryTable _table = new();
    private readonly EagerTime _time = new();
    private readonly PartitionJournal _journal;

    public PartitionJournalTests() => _journal = new PartitionJournal(_table, Partition, key => key[0] == 'i', _time);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_decision_that_changes_nothing_is_answered_from_new_rows_and_writes_nothing()
    {
        Assert.Equal(0, await ReadAsync());
        _table.Commit(Partition, Counter("i!a", 5));
        Assert.Equal(5, await ReadAsync());
        Assert.Equal(0, _table.Writes);

        Task<long> ReadAsync() =>
            _journal.CommitAsync(async (view, stop) => Decision.Nothing(await ValueAsync(view, "i!a", stop)), Stop);
    }

    [Fact]
    public async Task A_decision_is_made_again_on_new_rows_until_nobody_was_faster()
    {
        var made = 0;
        var result = await _journal.CommitAsync(
            async (view, stop) =>
            {
                var value = await ValueAsync(view, "i!a", stop);
                if (made++ < 4)
                {
                    _table.Commit(Partition, Counter("i!a", value + 10));
                }

                return Decision.Of(value + 1, [Counter("i!a", value + 1)]);
            },
            Stop
        );

        Assert.Equal((5, 41), (made, result));
        Assert.Equal(41, _table.Find(Partition, "i!a")!.GetInt64("value"));
    }

    [Fact]
    public async Task It_gives_up_after_as_many_tries_as_it_was_told()
    {
        var made = 0;
        var (isDone, result) = await _journal.TryCommitAsync(
            7,
            (view, stop) => AlwaysLateAsync(view, ++made, stop),
            Stop
        );
        Assert.Equal((false, 0, 7), (isDone, result, made));
    }

    [Fact]
    public async Task It_gives_up_in_the_end_and_says_so()
    {
        var made = 0;
        var error = await Assert.ThrowsAsync<StorageUnavailableException>(() =>
            _journal.CommitAsync((view, stop) => AlwaysLateAsync(view, ++made, stop), Stop)
        );

        Assert.Contains("the namespace p is too busy", error.Message, StringComparison.Ordinal);
        Assert.Equal(200, made);
        Assert.InRange(_time.Waited, TimeSpan.Zero, TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task It_gives_up_after_two_minutes_however_few_its_tries_were()
    {
        var made = 0;
        await Assert.ThrowsAsync<StorageUnavailableException>(() =>
            _journal.CommitAsync(
                (view, stop) =>
                {
                    made++;
                    _time.Pass(TimeSpan.FromSeconds(50));
                    return AlwaysLateAsync(view, made, stop);
                },
                Stop
            )
        );
        Assert.Equal(3, made);
    }

    [Fact]
    public async Task A_cancelled_caller_makes_no_further_try()
    {
        using var end = new CancellationTokenSource();
        var made = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            _journal.CommitAsync(
                async (view, stop) =>
                {
                    var decision = await AlwaysLateAsync(view, ++made, stop);
                    if (made == 3)
                    {
                        await end.CancelAsync();
                    }

                    return decision;
                },
                end.Token
            )
        );
        Assert.Equal(3, made);
    }

    [Fact]
    public async Task What_a_decision_throws_goes_to_its_caller_alone()
    {
        await Assert.ThrowsAsync<FormatException>(() =>
            _journal.CommitAsync<int>((_, _) => throw new FormatException(), Stop)
        );
        Assert.Equal(1, await _journal.CommitAsync((_, _) => Of(1, Counter("i!a", 1)), Stop));
    }

    [Fact]
    public async Task What_has_to_be_made_first_is_made_once_and_the_decision_again_on_the_same_rows()
    {
        var (made, prepared) = (0, 0);
        var views = new HashSet<DecisionView>();
        var result = await _journal.CommitAsync(
            (view, _) =>
            {
                made++;
                views.Add(view);
                return prepared > 0
                    ? Of("done", Counter("i!a", 1))
                    : Task.FromResult(
                        Decision.After<string>(_ =>
                        {
                            prepared++;
                            return Task.CompletedTask;
                        })
                    );
            },
            Stop
        );

        Assert.Equal(("done", 2, 1, 1), (result, made, prepared, views.Count));
    }

    [Fact]
    public async Task Changes_tell_each_key_once_with_its_last_row()
    {
        _table.Commit(Partition, Counter("i!a", 1), Counter("i!b", 1));
        _table.Commit(Partition, Counter("i!a", 2), Counter("i!c", 2));
        _table.Commit(Partition, new Change("i!b", null), Counter("t!d", 3));
        _table.Commit(Partition, Counter("i!e", 4));

        var changes = await _journal.ChangesAsync(key => key[0] == 'i', after: 1, to: 3, Stop);

        Assert.Equal(["i!a", "i!b", "i!c"], changes!.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(2, changes["i!a"]!.GetInt64("value"));
        Assert.Null(changes["i!b"]);
        Assert.Empty((await _journal.ChangesAsync(_ => true, after: 4, to: 4, Stop))!);
        Assert.Equal(5, (await _journal.ChangesAsync(_ => true, after: 0, to: 4, Stop))!.Count);
    }

    [Theory]
    [InlineData("trimmed")]
    [InlineData("not in full")]
    [InlineData("not yet")]
    public async Task Changes_that_the_log_does_not_tell_are_not_told(string why)
    {
        for (var i = 0; i < 70; i++)
        {
            _table.Commit(Partition, Counter("i!a", i));
        }

        Assert.NotNull(await _journal.ChangesAsync(_ => true, after: 0, to: 70, Stop));
        switch (why)
        {
            case "trimmed":
                _table.Remove(Partition, JournalKeys.Entry(66));
                break;
            case "not in full":
                var long66 = JournalEntry.Of(66, [Counter("i!a", 1)], _ => true).ToRow();
                long66["rescan"] = true;
                _table.Put(Partition, long66);
                break;
        }

        Assert.Null(await _journal.ChangesAsync(_ => true, after: 0, to: why == "not yet" ? 71 : 70, Stop));
        Assert.NotNull(await _journal.ChangesAsync(_ => true, after: 66, to: 70, Stop));
    }

    [Fact]
    public async Task Changes_are_told_from_the_very_commit_that_is_known_and_from_no_other_of_its_number()
    {
        await _journal.CommitAsync((_, _) => Of(0, Counter("i!a", 1)), Stop);
        var first = await _table.VersionAsync(Partition, Stop);
        await _journal.CommitAsync((_, _) => Of(0, Counter("i!a", 2)), Stop);
        var second = await _table.VersionAsync(Partition, Stop);
        var other = new VersionTag("other");

        Assert.Single((await _journal.ChangesAsync(_ => true, first, second, Stop))!);
        Assert.Null(await _journal.ChangesAsync(_ => true, first with { Tag = other }, second, Stop));
        Assert.Null(await _journal.ChangesAsync(_ => true, second with { Tag = other }, second, Stop));
        Assert.Null(await _journal.ChangesAsync(_ => true, second, first, Stop));
    }

    [Fact]
    public async Task Of_more_than_1024_commits_nothing_is_read()
    {
        Assert.Null(await _journal.ChangesAsync(_ => true, after: 0, to: 1_025, Stop));
        Assert.Equal(0, _table.Reads);
    }

    [Fact]
    public async Task A_commit_has_a_mark_of_its_own_as_long_as_the_log_has_it()
    {
        await _journal.CommitAsync((_, _) => Of(0, Counter("i!a", 1)), Stop);
        await _journal.CommitAsync((_, _) => Of(0, Counter("i!a", 1)), Stop);
        var marks = (First: await _journal.OperationAsync(1, Stop), Second: await _journal.OperationAsync(2, Stop));
        Assert.NotNull(marks.First);
        Assert.NotNull(marks.Second);
        Assert.NotEqual(marks.First, marks.Second);
        _table.Remove(Partition, JournalKeys.Entry(1));
        Assert.Null(await _journal.OperationAsync(1, Stop));
    }

    // Another one is always faster.
    private async Task<Decision<int>> AlwaysLateAsync(DecisionView view, int made, CancellationToken cancellationToken)
    {
        await view.GetAsync("i!a", cancellationToken);
        _table.Commit(Partition, Counter("i!a", made));
        return Decision.Of(1, [Counter("i!b", made)]);
    }

    private static Task<Decision<T>> Of<T>(T result, params Change[] changes) =>
        Task.FromResult(Decision.Of(result, changes));

    private static Change Counter(string key, long value) => new(key, new TableRow(key) { ["value"] = value });

    private static async Task<long> ValueAsync(DecisionView view, string key, CancellationToken cancellationToken) =>
        (await view.GetAsync(key, cancellationToken))?.GetInt64("value") ?? 0;
}
