using System.Text;
using ImagesFunctions.Catalog;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Catalog;

/// <summary>What a catalog's journal and checkpoint hold of commits, by their bytes.</summary>
public sealed class CatalogStateTests
{
    private static readonly DateTimeOffset s_at = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void A_line_comes_back_with_members_that_nobody_knows_left_out()
    {
        var entry = Entry(7, (Keys.Tag("web", "v1"), Tag("web", "v1", "a")), (Keys.Image("web", D("b")), null));

        var line = LineOf(entry);
        Assert.Equal('\n', (char)line[^1]);
        Same(entry, CatalogEntry.Read(line.AsSpan(0, line.Length - 1))!);

        var json = Encoding.UTF8.GetString(line[17..^1]);
        Same(
            entry,
            CatalogEntry.Read(
                Summed(json.Replace("{\"from\"", "{\"who\":{\"a\":[1]},\"from\"", StringComparison.Ordinal))
            )!
        );
    }

    [Fact]
    public void Each_byte_of_a_line_counts()
    {
        var line = LineOf(Entry(7, (Keys.Tag("web", "v1"), Tag("web", "v1", "a"))))[..^1];
        for (var i = 0; i < line.Length; i++)
        {
            var damaged = (byte[])line.Clone();
            damaged[i] ^= 4;
            Assert.Null(CatalogEntry.Read(damaged));
        }
    }

    [Fact]
    public void A_cut_off_last_line_is_left_out_and_a_damaged_one_before_is_said()
    {
        byte[][] lines =
        [
            LineOf(Entry(1)),
            LineOf(Entry(2, (Keys.Tag("web", "v1"), Tag("web", "v1", "a")))),
            LineOf(Entry(3)),
        ];
        byte[] journal = [.. lines.SelectMany(l => l)];
        for (var cut = 1; cut < lines[2].Length; cut++)
        {
            // All but its end is still a whole line.
            long[] expected = cut == 1 ? [1, 2, 3] : [1, 2];
            Assert.Equal(expected, CatalogFiles.EntriesIn(journal[..^cut]).Select(e => e.Seq));
        }

        journal[lines[0].Length + 3] ^= 1;
        var error = Assert.Throws<InvalidDataException>(() => CatalogFiles.EntriesIn(journal).ToList());
        Assert.Contains("line 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Commits_that_are_missing_between_two_are_said()
    {
        var state = new CatalogState();
        state.Apply(Entry(1));
        state.Apply(Entry(1));

        Assert.Throws<InvalidDataException>(() => state.Apply(Entry(3)));
        state.Apply(Entry(3) with { From = 1 });
        Assert.Equal(3, state.Seq);
    }

    /// <summary>Whatever is committed: a checkpoint anywhere and the lines since then say the same as all lines.</summary>
    [Fact]
    public void A_checkpoint_and_what_follows_it_are_the_same_as_all()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 50; round++)
        {
            var whole = new CatalogState();
            var resumed = new CatalogState();
            for (var seq = 1; seq <= 60; seq++)
            {
                var entry = Entry(
                    seq,
                    [.. Enumerable.Range(0, random.Next(4)).Select(_ => AnyRow(random)).DistinctBy(r => r.Key)]
                );
                whole.Apply(entry);
                resumed.Apply(CatalogEntry.Read(LineOf(entry).AsSpan()[..^1])!);
                if (random.Next(10) == 0)
                {
                    resumed = CatalogState.Read(resumed.Write().ToArray());
                }
            }

            Assert.Equal(whole.Rows, resumed.Rows);
            Assert.Equal(whole.Deleted, resumed.Deleted);
            Assert.Equal(whole.Version, resumed.Version);
            Assert.All(whole.Deleted.Values, d => Assert.False(whole.HasImage(Keys.Image(d.App, d.Digest))));
        }
    }

    [Fact]
    public void A_checkpoint_that_is_damaged_anywhere_is_not_read()
    {
        var state = new CatalogState();
        state.Apply(
            Entry(1, (Keys.Tag("web", "v1"), Tag("web", "v1", "a")), (Keys.Image("web", D("a")), Image("web", "a")))
        );
        var bytes = state.Write().ToArray();
        for (var i = 0; i < bytes.Length; i++)
        {
            var damaged = (byte[])bytes.Clone();
            damaged[i] ^= 8;
            SameOrSaid(damaged);
            SameOrSaid(bytes[..i]);
        }

        // Bytes of the header and the end of gzip say nothing.
        void SameOrSaid(byte[] damaged)
        {
            CatalogState? read = null;
            if (Record.Exception(() => read = CatalogState.Read(damaged)) is { } error)
            {
                Assert.IsType<InvalidDataException>(error);
            }
            else
            {
                Assert.Equal(state.Rows, read!.Rows);
            }
        }
    }

    [Fact]
    public void A_deleted_image_is_remembered_until_it_is_committed_again_or_named_anew()
    {
        var (image, layout) = (Keys.Image("web", D("a")), Keys.Layout("web"));
        var state = new CatalogState();
        state.Apply(Entry(1, (image, Image("web", "a")), (layout, """{"app":"web","etag":"1"}""")));
        state.Apply(Entry(2, (image, null)));
        var deleted = Assert.Single(state.Deleted).Value;
        Assert.True(deleted.IsNamed);
        Assert.True(deleted.IsOf("\"a\"", s_at.AddDays(1)));
        Assert.False(deleted.IsOf("\"b\"", s_at.AddDays(-1)));

        // The file names it again, but the bytes of before still have to go.
        state.Apply(Entry(3, (layout, """{"app":"web","etag":"2"}""")));
        Assert.False(Assert.Single(state.Deleted).Value.IsNamed);

        state.Apply(Entry(4, (image, Image("web", "a"))));
        Assert.Empty(state.Deleted);
    }

    [Fact]
    public void Of_an_image_only_facts_are_left_out_and_of_an_index_what_it_names_is_kept()
    {
        var row = new ImageRow("web", Digest.Sha256([1]))
        {
            MediaType = Layout.OciIndex,
            Size = 5,
            IsImage = true,
            Generation = "0f",
            Children = [D("b").ToString(), D("c").ToString()],
            State = ImageState.Deleted,
            Pin = new ImagePin(s_at, TimeSpan.FromHours(1)),
        }.ToRow();
        row["pushed_by"] = "somebody";

        var kept = CatalogRow.Of(row);
        Assert.DoesNotContain("facts0", kept, StringComparison.Ordinal);
        var begun = CatalogRow.Begin(row.Key, kept);
        Assert.Equal("somebody", begun.GetString("pushed_by"));
        var image = ImageRow.From(begun);
        Assert.Equal(ImageState.Deleted, image.State);
        Assert.Equal([D("b").ToString(), D("c").ToString()], image.Children);
        Assert.Equal(new ImagePin(s_at, TimeSpan.FromHours(1)), image.Pin);

        row["state"] = "complete";
        Assert.Equal(ImageState.Hidden, ImageRow.From(CatalogRow.Begin(row.Key, CatalogRow.Of(row))).State);
    }

    private static (string Key, string? Row) AnyRow(Random random)
    {
        var (app, name) = (random.Next(2) == 0 ? "web" : "a/b", $"{random.Next(3)}");
        return random.Next(6) switch
        {
            0 => (Keys.Tag(app, name), random.Next(3) == 0 ? null : Tag(app, name, $"{random.Next(3)}")),
            1 => (Keys.Layout(app), random.Next(4) == 0 ? null : $$"""{"app":"{{app}}","etag":"{{random.Next()}}"}"""),
            2 => (Keys.Image(app, D(name)), null),
            3 => (Keys.Image(app, D(name)), Image(app, name, random.Next(2) == 0 ? "deleted" : "waiting")),
            _ => (Keys.Image(app, D(name)), Image(app, name)),
        };
    }

    private static CatalogEntry Entry(long seq, params (string Key, string? Row)[] rows) =>
        new(seq - 1, seq, new VersionTag($"v{seq}"), s_at, [.. rows.Select(r => KeyValuePair.Create(r.Key, r.Row))]);

    private static string Tag(string app, string tag, string digest) =>
        CatalogRow.Of(new TagRow(app, tag, D(digest), "0f", FromLayout: false).ToRow());

    private static string Image(string app, string text, string state = "complete")
    {
        var row = new ImageRow(app, D(text))
        {
            MediaType = Layout.OciManifest,
            Size = 1,
            IsImage = true,
            Generation = "0f",
            Stored = new StoredManifest($"\"{text}\"", 3),
        }.ToRow();
        row["state"] = state;
        return CatalogRow.Of(row);
    }

    private static Digest D(string text) => Digest.Sha256(Encoding.UTF8.GetBytes(text));

    private static byte[] LineOf(CatalogEntry entry)
    {
        using var line = new MemoryStream();
        entry.WriteTo(line);
        return line.ToArray();
    }

    private static byte[] Summed(string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        return Encoding.UTF8.GetBytes(Layout.DigestOf(bytes)[7..23] + " " + json);
    }

    private static void Same(CatalogEntry expected, CatalogEntry actual)
    {
        Assert.Equal(expected with { Rows = [] }, actual with { Rows = [] });
        Assert.Equal(expected.Rows, actual.Rows);
    }
}
