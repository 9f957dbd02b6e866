namespace ImagesFunctions.Tests.Journal;

/// <summary>A row that was read once counts as long as every commit since is known, and none has changed it.</summary>
public sealed class KeptRowsTests
{
    private const string Key = "p!rules";
    private static readonly TableRow s_row = new(Key);
    private readonly KeptRows _rows = new();

    [Fact]
    public void It_counts_while_commits_change_others()
    {
        ReadAt(7);

        _rows.Add(8, ["t!web!v1"]);
        _rows.Add(9, ["i!web!sha256:0"]);

        Assert.True(_rows.TryGet(Key, 9, out var kept));
        Assert.Same(s_row, kept);
    }

    [Fact]
    public void A_commit_that_changes_it_ends_that()
    {
        ReadAt(7);

        _rows.Add(8, ["t!web!v1", Key]);

        Assert.False(_rows.TryGet(Key, 8, out _));
    }

    [Fact]
    public void A_commit_that_nobody_knows_ends_that()
    {
        ReadAt(7);

        _rows.Add(9, ["t!web!v1"]);

        Assert.False(_rows.TryGet(Key, 9, out _));
    }

    [Fact]
    public void A_view_of_a_later_commit_than_any_that_is_known_ends_that()
    {
        ReadAt(7);

        Assert.False(_rows.TryGet(Key, 8, out _));
    }

    [Fact]
    public void What_was_read_before_a_change_is_not_kept()
    {
        Assert.False(_rows.TryGet(Key, 7, out _));
        _rows.Add(8, [Key]);

        _rows.Keep(Key, 7, s_row);

        Assert.False(_rows.TryGet(Key, 8, out _));
    }

    [Fact]
    public void What_was_read_while_others_were_changed_is_kept()
    {
        Assert.False(_rows.TryGet(Key, 7, out _));
        _rows.Add(8, ["t!web!v1"]);

        _rows.Keep(Key, 7, null);

        Assert.True(_rows.TryGet(Key, 8, out var kept));
        Assert.Null(kept);
    }

    [Fact]
    public void A_change_that_is_told_twice_ends_nothing_that_was_read_after_it()
    {
        _rows.Add(8, [Key]);
        ReadAt(8);

        _rows.Add(8, [Key]);

        Assert.True(_rows.TryGet(Key, 8, out _));
    }

    [Fact]
    public void Another_table_ends_all()
    {
        ReadAt(7);

        _rows.Clear();

        Assert.False(_rows.TryGet(Key, 7, out _));
    }

    private void ReadAt(long seq)
    {
        _rows.TryGet(Key, seq, out _);
        _rows.Keep(Key, seq, s_row);
        Assert.True(_rows.TryGet(Key, seq, out _));
    }
}
