using CsCheck;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Rows;

/// <summary>Whatever a row says is what is read from it, and its key is the one by which it is looked for.</summary>
public sealed class RoundTrips
{
    private static readonly VersionTag s_version = new("\"1\"");

    [Fact]
    public void A_blob_comes_back_as_it_went() =>
        Check(
            AnyRow.Blob,
            row => row.ToRow(),
            row => Keys.Blob(row.App, row.Digest),
            (row, read) => Assert.Equal(row with { RowETag = s_version }, BlobRow.From(read))
        );

    [Fact]
    public void A_tag_comes_back_as_it_went() =>
        Check(
            AnyRow.Tag,
            row => row.ToRow(),
            row => Keys.Tag(row.App, row.Tag),
            (row, read) => Assert.Equal(row, TagRow.From(read))
        );

    [Fact]
    public void A_need_comes_back_as_it_went() =>
        Check(
            AnyRow.Need,
            row => row.ToRow(),
            row => row.Key,
            (row, read) =>
            {
                var back = DependencyRow.From(read);
                Assert.Equal(row, back);
                Assert.Equal((row.By.Digest, row.By.WaitingTag), (back.By.Digest, back.By.WaitingTag));
                Assert.True(Keys.Dependencies(row.App, row.Needed).Contains(read.Key));
            }
        );

    [Fact]
    public void The_digest_of_a_boot_tar_comes_back_as_it_went() =>
        Check(
            AnyRow.Boot,
            row => row.ToRow(),
            row => Keys.Boot(row.App, row.Tar),
            (row, read) => Assert.Equal(row, BootRow.From(read))
        );

    [Fact]
    public void A_referrer_comes_back_as_it_went() =>
        Check(
            AnyRow.Referrer,
            row => row.ToRow(),
            row => Keys.Referrer(row.App, row.Subject, row.Digest),
            (row, read) =>
            {
                var back = ReferrerRow.From(read);
                Assert.Equal(row with { Annotations = null }, back with { Annotations = null });
                Assert.Equal(row.Annotations, back.Annotations);
                Assert.True(Keys.Referrers(row.App, row.Subject).Contains(read.Key));
            }
        );

    [Fact]
    public void A_refusal_comes_back_as_it_went() =>
        Check(
            AnyRow.Refused,
            row => row.ToRow(),
            row => Keys.Refused(row.Path),
            (row, read) => Assert.Equal(row, RefusedRow.From(read))
        );

    [Fact]
    public void An_upload_session_comes_back_as_it_went() =>
        Check(
            AnyRow.Upload,
            row => row.ToRow(),
            row => Keys.Upload(row.Id),
            (row, read) =>
            {
                var back = UploadRow.From(read);
                // Memories are the same only where they are the same array.
                var bytes = back.Inline?.ToArray();
                Assert.Equal(
                    row with
                    {
                        Parts = [],
                        Inline = null,
                        RowETag = s_version,
                    },
                    back with
                    {
                        Parts = [],
                        Inline = null,
                    }
                );
                Assert.Equal(row.Inline?.ToArray(), bytes);
                Assert.Equal(row.Parts, back.Parts);
                Assert.Equal(row.Parts.Sum(p => p.Size), back.Offset);
            }
        );

    [Fact]
    public void An_image_comes_back_as_it_went() =>
        Check(
            AnyRow.Image,
            row => row.ToRow(),
            row => Keys.Image(row.App, row.Digest),
            (row, read) =>
            {
                Assert.Equivalent(row, ImageRow.From(read), strict: true);
                Assert.Equal(
                    new ImageHead(row.App, row.Digest, row.State, row.Generation),
                    ImageHead.From(Only(read, ImageHead.Columns))
                );
                Assert.Equal(row.Pin is not null, ImagePin.IsIn(Only(read, ImagePin.Columns)));
            }
        );

    [Fact]
    public void An_image_whose_facts_are_elsewhere_comes_back_without_them() =>
        Check(
            AnyRow.Image.Select(row => row with { FactsBlob = "alice/web/facts" }),
            row => row.ToRow(),
            row => Keys.Image(row.App, row.Digest),
            (row, read) =>
            {
                var back = ImageRow.From(read);
                Assert.False(back.HasFacts);
                Assert.Empty(back.Children);
                Assert.Empty(back.BlobSizes);
                // As its blob says them.
                var whole = LongFacts.Read(LongFacts.Write(row), back);
                Assert.True(whole.HasFacts);
                Assert.Equivalent(row, whole, strict: true);
            }
        );

    [Fact]
    public void An_image_and_a_tag_come_back_from_the_log() =>
        Gen.Select(AnyRow.Image, AnyRow.Tag)
            .Sample(
                (image, tag) =>
                {
                    Change[] changes = [new(image.Key, image.ToRow()), new(tag.Key, AnyRow.Stored(tag.ToRow()))];
                    var rows = JournalEntry
                        .From(1, AnyRow.Stored(JournalEntry.Of(1, changes, Keys.IsInFull).ToRow()))
                        .Rows!;
                    Assert.Equivalent(image, ImageRow.From(rows[image.Key]!), strict: true);
                    Assert.Equal(tag, TagRow.From(rows[tag.Key]!));
                },
                iter: 100,
                threads: 1
            );

    private static void Check<T>(
        Gen<T> any,
        Func<T, TableRow> write,
        Func<T, string> key,
        Action<T, TableRow> demand
    ) =>
        any.Sample(
            row =>
            {
                var written = write(row);
                Assert.Equal(key(row), written.Key);
                demand(row, AnyRow.Stored(written));
                // Reading takes nothing away: what is written anew is the same.
                Assert.Equal(Values(written), Values(write(row)));
            },
            iter: 150,
            threads: 1
        );

    private static TableRow Only(TableRow row, string[] columns)
    {
        var only = new TableRow(row.Key);
        foreach (var column in columns)
        {
            only[column] = row[column];
        }

        return only;
    }

    private static IEnumerable<string> Values(TableRow row) =>
        row.Values.OrderBy(v => v.Key, StringComparer.Ordinal).Select(v => $"{v.Key}={v.Value}");
}
