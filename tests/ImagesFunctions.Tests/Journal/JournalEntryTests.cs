using Azure;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Tests.Journal;

public sealed class JournalEntryTests
{
    private const string Namespace = "alice";
    private static readonly Digest Digest = Digest.Sha256([1]);

    [Fact]
    public void A_log_entry_comes_back_with_the_rows_that_lists_need()
    {
        var image = Image("team/web", "é\"<😀");
        var tag = new TagRow("team/web", "latest", Digest, "0f", FromLayout: true);
        var need = new DependencyRow("team/web", Digest, Dependent.Layout, null);
        // As they come from the table, with what the service adds.
        var stored = tag.ToRow().ToEntity(Namespace);
        stored.ETag = new ETag("\"1\"");
        stored.Timestamp = DateTimeOffset.UnixEpoch;
        var read = StoredTable.Row(stored);
        Change[] changes =
        [
            new(image.Key, image.ToRow()),
            new(tag.Key, read),
            new(Keys.Tag("team/web", "old"), null),
            new(Keys.Image("gone", Digest), null),
            new(need.Key, need.ToRow()),
            new(Keys.Blob("team/web", Digest), null, new VersionTag("\"2\"")),
        ];

        var entry = JournalEntry.Of(42, changes, Keys.IsInFull);
        var written = entry.ToRow();
        Assert.Equal(JournalKeys.Entry(42), written.Key);
        var back = JournalEntry.From(42, written);

        Assert.Equal(entry.Operation, back.Operation);
        Assert.Equal(changes.Select(c => c.Key), back.Keys);
        Assert.NotNull(back.Rows);
        Assert.Equal(
            changes.Take(4).Select(c => c.Key).Order(StringComparer.Ordinal),
            back.Rows.Keys.Order(StringComparer.Ordinal)
        );
        Assert.Null(back.Rows[Keys.Tag("team/web", "old")]);
        Assert.Null(back.Rows[Keys.Image("gone", Digest)]);
        Assert.Equal(tag, TagRow.From(back.Rows[tag.Key]!));
        var row = back.Rows[image.Key]!;
        Assert.Equal(image.Key, row.Key);
        Assert.Equal(LongFacts.Write(image), LongFacts.Write(ImageRow.From(row)));
        Assert.Equal(image.Size, ImageRow.From(row).Size);
    }

    [Fact]
    public void Rows_that_do_not_fit_are_to_be_scanned()
    {
        List<Change> changes = [];
        for (var i = 0; i < Change.MaxRows; i++)
        {
            var image = Image($"app{i}", new string('x', 10_000));
            changes.Add(new Change(image.Key, image.ToRow()));
        }

        var back = JournalEntry.From(1, JournalEntry.Of(1, changes, Keys.IsInFull).ToRow());
        Assert.Null(back.Rows);
        Assert.Equal(changes.Select(c => c.Key), back.Keys);
    }

    [Fact]
    public void The_longest_entry_fits_an_entity_of_1_MiB()
    {
        var app = new string('a', 253);
        var sha512 = Digest.FromHash("sha512", new byte[64]);
        for (var size = 3_000; size < 6_000; size += 250)
        {
            List<Change> changes = [];
            for (var i = 0; i < Change.MaxRows; i++)
            {
                var need = new DependencyRow(app, sha512, Dependent.Tag($"{i}"), null);
                changes.Add(
                    new Change(
                        need.Key.Replace("n!", i % 2 == 0 ? "i!" : "n!", StringComparison.Ordinal),
                        i % 2 == 0 ? Image(app, new string('x', 2 * size)).ToRow() : null
                    )
                );
            }

            var entity = JournalEntry.Of(1, changes, Keys.IsInFull).ToRow().ToEntity(Namespace);
            var bytes = entity.Sum(p => 8 + (2 * p.Key.Length) + (2 * ((p.Value as string)?.Length ?? 8)));
            Assert.InRange(bytes, 0, 1024 * 1024);
        }
    }

    [Fact]
    public void Every_entry_has_an_operation_of_its_own() =>
        Assert.NotEqual(
            JournalEntry.Of(1, [], Keys.IsInFull).Operation,
            JournalEntry.Of(1, [], Keys.IsInFull).Operation
        );

    [Fact]
    public void An_entry_that_changed_nothing_that_lists_show_comes_back_empty()
    {
        var back = JournalEntry.From(
            1,
            JournalEntry.Of(1, [new Change(Keys.Blob("a", Digest), null)], Keys.IsInFull).ToRow()
        );
        Assert.Empty(back.Rows!);
        Assert.Equal([Keys.Blob("a", Digest)], back.Keys);
    }

    private static ImageRow Image(string app, string text) =>
        new(app, Digest)
        {
            MediaType = MediaTypes.OciManifest,
            Size = 1L << 40,
            IsImage = true,
            Generation = "0f",
            Facts = new ImageFacts { KernelArgs = text },
        };
}
