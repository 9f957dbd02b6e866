namespace ImagesFunctions.Tests.Journal;

public sealed class JournalReadsTests
{
    private const string Partition = "p";

    private readonly MemoryTable _table = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_version_is_0_before_the_first_commit_and_then_what_the_row_says()
    {
        Assert.Equal(new JournalVersion(0, null), await _table.VersionAsync(Partition, Stop));
        var row = _table.Put(Partition, new TableRow(JournalKeys.Version) { ["seq"] = 12L });
        Assert.Equal(new JournalVersion(12, row.Version), await _table.VersionAsync(Partition, Stop));
        Assert.Equal(0, (await _table.VersionAsync("other", Stop)).Seq);
    }

    [Theory]
    // The number and version that are known | those of now | whether the order may have gone on from the one to the other.
    [InlineData(1, "a", 2, "b", true)]
    [InlineData(1, "a", 1, "a", true)]
    [InlineData(1, "a", 1, "b", false)]
    [InlineData(2, "b", 1, "a", false)]
    [InlineData(1, null, 1, "b", true)]
    [InlineData(0, null, 0, null, true)]
    public void A_version_leads_to_itself_and_to_those_of_larger_numbers(
        long seq,
        string? tag,
        long seqNow,
        string? tagNow,
        bool may
    ) => Assert.Equal(may, Version(seq, tag).MayLeadTo(Version(seqNow, tagNow)));

    [Theory]
    // The version that is known | a commit's number, and the version that it says it replaced.
    [InlineData(1, "a", 2, "a", true)]
    [InlineData(1, "a", 2, "b", false)]
    [InlineData(1, "a", 2, null, true)]
    [InlineData(1, null, 2, "b", true)]
    [InlineData(1, "a", 3, "b", true)]
    public void A_version_leads_to_the_commit_that_replaced_it(
        long seq,
        string? tag,
        long commit,
        string? after,
        bool may
    )
    {
        var entry = JournalEntry.Of(commit, [], _ => true) with
        {
            After = after is null ? null : new VersionTag(after),
        };
        Assert.Equal(may, Version(seq, tag).MayLeadTo(JournalEntry.From(commit, entry.ToRow())));
    }

    private static JournalVersion Version(long seq, string? tag) => new(seq, tag is null ? null : new VersionTag(tag));

    [Fact]
    public async Task Entries_come_in_order_without_those_that_are_trimmed()
    {
        foreach (var seq in (long[])[9, 3, 4, 6, 10, 11])
        {
            _table.Put(Partition, JournalEntry.Of(seq, [new Change($"k{seq}", null)], _ => false).ToRow());
        }

        var entries = await _table.EntriesAsync(Partition, 4, 10, Stop);

        Assert.Equal([4, 6, 9, 10], entries.Select(e => e.Seq));
        Assert.Equal(["k4", "k6", "k9", "k10"], entries.SelectMany(e => e.Keys));
        Assert.Empty(await _table.EntriesAsync(Partition, 12, 20, Stop));
    }

    [Fact]
    public async Task No_more_than_256_entries_are_read_at_once()
    {
        Assert.Empty(await _table.EntriesAsync(Partition, 1, 256, Stop));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => _table.EntriesAsync(Partition, 1, 257, Stop));
        Assert.Equal(256, _table.Reads);
    }
}
