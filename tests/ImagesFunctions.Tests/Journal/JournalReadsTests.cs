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
