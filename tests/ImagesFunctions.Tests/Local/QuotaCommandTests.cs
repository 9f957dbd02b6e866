using ImagesFunctions.Local;

namespace ImagesFunctions.Tests.Local;

public sealed class QuotaCommandTests
{
    [Theory]
    [InlineData("0", 0L)]
    [InlineData("1048576", 1_048_576L)]
    [InlineData("10GiB", 10_737_418_240L)]
    [InlineData("10 GiB", 10_737_418_240L)]
    [InlineData("10gib", 10_737_418_240L)]
    [InlineData("500MB", 500_000_000L)]
    [InlineData("1.5KiB", 1_536L)]
    [InlineData("2TB", 2_000_000_000_000L)]
    [InlineData("7B", 7L)]
    [InlineData("none", null)]
    public void A_size_has_a_unit_or_is_in_bytes(string text, long? bytes) =>
        Assert.Equal(bytes, QuotaCommand.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("GiB")]
    [InlineData("-1")]
    [InlineData("1e3")]
    [InlineData("10GiBs")]
    [InlineData("0.5B")]
    [InlineData("1,000")]
    [InlineData("10000000TiB")]
    [InlineData("99999999999999999999999999999999999999999")]
    [InlineData("unlimited")]
    public void Anything_else_is_refused_and_named(string text)
    {
        var error = Assert.Throws<FormatException>(() => QuotaCommand.Parse(text));
        Assert.StartsWith($"'{text}' is no size", error.Message, StringComparison.Ordinal);
    }
}
