using System.Text;
using CsCheck;

namespace ImagesFunctions.Tests.Journal;

public sealed class SplitTextTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(31_999, 1)]
    [InlineData(32_000, 1)]
    [InlineData(32_001, 2)]
    [InlineData(64_000, 2)]
    [InlineData(64_001, 3)]
    [InlineData(100_000, 4)]
    public void A_long_text_is_split_and_put_together_again(int length, int values)
    {
        var text = new string('x', length);
        var row = new TableRow("key");
        SplitText.Write(row, "name", text);
        SplitText.Write(row, "nam", "other");
        Assert.Equal(text, SplitText.Read(row, "name"));
        Assert.Equal("other", SplitText.Read(row, "nam"));
        Assert.Equal(values + 1, row.Values.Count());
        Assert.All(row.Values, value => Assert.True(((string)value.Value!).Length * 2 <= 64 * 1024));
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

    [Fact]
    public void Half_a_letter_that_was_there_before_ends_it_as_any_other() =>
        Gen.Select(Gen.Int[31_998, 32_002], Gen.Char["\ud83d\ude00"], Gen.Int[0, 3])
            .Sample(
                (at, half, rest) =>
                {
                    var text = new string('x', at) + new string(half, 2) + new string('y', rest);
                    var row = new TableRow("key");
                    SplitText.Write(row, "name", text);
                    Assert.Equal(text, SplitText.Read(row, "name"));
                },
                iter: 100,
                threads: 1
            );

    [Fact]
    public void What_was_never_written_reads_as_nothing() =>
        Assert.Equal("", SplitText.Read(new TableRow("key"), "name"));
}
