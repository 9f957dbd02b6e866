using System.Text;
using CsCheck;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Tests.Rows;

public sealed class RowsTests
{
    private static readonly Digest One = Digest.Sha256([1]);
    private static readonly Digest Two = Digest.FromHash("sha512", new byte[64]);

    [Theory]
    [InlineData("")]
    [InlineData("derived/path")]
    public void An_image_row_comes_back_as_it_went(string factsBlob)
    {
        var row = new ImageRow("team/web", One)
        {
            MediaType = MediaTypes.OciIndex,
            Size = 1L << 40,
            IsImage = true,
            Generation = "0123456789abcdef",
            State = ImageState.Hidden,
            Children = [Two.ToString()],
            Parts = new Dictionary<string, long> { [Two.ToString()] = 7 },
            FactsBlob = factsBlob.Length == 0 ? null : factsBlob,
            Facts = new ImageFacts
            {
                Args = ["-c", "\"x\" é😀"],
                Env = ["A=1", "B="],
                Labels = new Dictionary<string, string> { ["é"] = "\u0001\n", [""] = "" },
                Initrd = true,
                Rom = true,
                KernelArgs = "console=ttyS0",
                Created = "2026-01-02T03:04:05Z",
            },
        };
        var written = row.ToRow();
        Assert.Equal(Keys.Image("team/web", One), written.Key);

        var read = ImageRow.From(written);
        Assert.Equal(
            (row.Key, row.MediaType, row.Size, row.IsImage),
            (read.Key, read.MediaType, read.Size, read.IsImage)
        );
        Assert.Equal((row.Generation, row.State, row.FactsBlob), (read.Generation, read.State, read.FactsBlob));
        if (row.FactsBlob is not null)
        {
            Assert.Empty(read.Children);
            read = LongFacts.Read(LongFacts.Write(row), read);
        }

        Assert.Equal(LongFacts.Write(row), LongFacts.Write(read));
        Assert.Equal(row.Facts.Args, read.Facts.Args);
        Assert.Equal(row.Facts.Labels, read.Facts.Labels);
        Assert.Equal(row.Children, read.Children);
        Assert.Equal(row.Parts, read.Parts);
    }

    [Fact]
    public void A_row_of_a_newer_program_is_not_guessed_at()
    {
        var newer = new TableRow(Keys.Image("a", One)) { ["schema"] = ImageRow.Schema + 1 };
        Assert.Throws<InvalidOperationException>(() => ImageRow.From(newer));
    }

    [Fact]
    public void A_tag_row_comes_back_as_it_went()
    {
        TagRow[] rows =
        [
            new("a/b", "latest", One, "0f", FromLayout: true),
            new("a", "v1", Two, null, FromLayout: false),
        ];
        foreach (var row in rows)
        {
            Assert.Equal(row, TagRow.From(row.ToRow()));
        }
    }

    [Fact]
    public void A_blob_row_comes_back_as_it_went()
    {
        BlobRow[] rows =
        [
            new("a/b", One, 7, "\"0x1\"", BlobState.Good, null),
            new("a", Two, long.MaxValue, "\"0x2\"", BlobState.Deleting, new TarFacts(null, null)),
            new("a", Two, 0, "\"0x3\"", BlobState.Good, new TarFacts(TarFacts.Initrd, "é")),
            new("a", Two, 0, "\"0x4\"", BlobState.Bad, new TarFacts(TarFacts.CommandLinePath, "")),
            new("a", Two, 0, "\"0x5\"", BlobState.Good, null) { Pushed = true },
        ];
        foreach (var row in rows)
        {
            Assert.Equal(row, BlobRow.From(row.ToRow()));
        }
    }

    [Fact]
    public void A_need_row_comes_back_as_it_went()
    {
        DependencyRow[] rows =
        [
            new("a/b", One, Dependent.Layout, MediaTypes.OciIndex),
            new("a/b", One, Dependent.Layout, ""),
            new("a", Two, Dependent.Manifest(One), null),
            new("a", Two, Dependent.Tag("latest"), null),
        ];
        foreach (var row in rows)
        {
            var read = DependencyRow.From(row.ToRow());
            Assert.Equal(row, read);
            Assert.Equal(row.By.WaitingTag, read.By.WaitingTag);
            Assert.Equal(row.By.Digest, read.By.Digest);
        }
    }

    [Theory]
    [InlineData("alice/app/index.json", "alice")]
    [InlineData("Alice/x", "!refused")]
    [InlineData("x", "!refused")]
    public void A_refusal_stands_in_the_namespace_of_its_path_and_comes_back_as_it_went(string path, string partition)
    {
        var now = new DateTimeOffset(2026, 11, 23, 6, 0, 0, TimeSpan.Zero);
        RefusedRow[] rows =
        [
            new(path, "why", One.ToString(), IsFailure: false, now, now.AddDays(30)),
            new(path, "why", null, IsFailure: true, now, now.AddDays(30)),
        ];
        foreach (var row in rows)
        {
            var written = row.ToRow();
            Assert.Equal((partition, Keys.Refused(path)), (RefusedRow.PartitionOf(path), written.Key));
            Assert.Equal(row, RefusedRow.From(written));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(31_999)]
    [InlineData(32_000)]
    [InlineData(32_001)]
    [InlineData(64_000)]
    [InlineData(100_000)]
    public void A_long_text_is_split_and_put_together_again(int length)
    {
        var text = string.Create(length, 0, (to, _) => to.Fill('x'));
        var row = new TableRow("key");
        SplitText.Write(row, "name", text);
        SplitText.Write(row, "nam", "other");
        Assert.Equal(text, SplitText.Read(row, "name"));
        Assert.Equal("other", SplitText.Read(row, "nam"));
        Assert.All(row.Values.Select(p => p.Value).OfType<string>(), part => Assert.True(part.Length * 2 <= 64 * 1024));
    }

    [Fact]
    public void A_text_is_never_split_inside_a_letter() =>
        Gen.Int[31_990, 32_010]
            .Sample(
                at =>
                {
                    var text = new string('x', at) + string.Concat(Enumerable.Repeat("😀", 20_000));
                    var row = new TableRow("key");
                    SplitText.Write(row, "name", text);
                    Assert.Equal(text, SplitText.Read(row, "name"));
                    // Half of a surrogate pair would be stored as U+FFFD.
                    Assert.All(
                        row.Values.Select(p => p.Value).OfType<string>(),
                        part => new UTF8Encoding(false, true).GetByteCount(part)
                    );
                },
                iter: 40,
                threads: 1
            );
}
