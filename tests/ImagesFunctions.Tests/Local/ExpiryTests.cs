using ImagesFunctions.Local;

namespace ImagesFunctions.Tests.Local;

public sealed class ExpiryTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 6, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("30d", "30.00:00:00")]
    [InlineData("12h", "12:00:00")]
    [InlineData("15m", "00:15:00")]
    [InlineData("2026-11-24", "18:00:00")]
    [InlineData("2026-11-23T07:30Z", "01:30:00")]
    [InlineData("2026-11-23T07:30:05", "01:30:05")]
    [InlineData("2026-11-23T07:30:05+01:00", "00:30:05")]
    public void A_duration_or_a_date_is_a_lifetime(string text, string lifetime) =>
        Assert.Equal(TimeSpan.ParseExact(lifetime, "c", null), Expiry.Parse(text, Now));

    [Theory]
    [InlineData("")]
    [InlineData("d")]
    [InlineData("30")]
    [InlineData("30D")]
    [InlineData("5y")]
    [InlineData("-1d")]
    [InlineData("1.5h")]
    [InlineData(" 1h")]
    [InlineData("0d")]
    [InlineData("999999999d")]
    [InlineData("99999999999999999999d")]
    [InlineData("tomorrow")]
    [InlineData("2026-13-01")]
    [InlineData("24/12/2030")]
    [InlineData("2026-11-23")]
    [InlineData("2026-11-23T06:00:00Z")]
    [InlineData("9999-12-31")]
    public void Anything_else_is_refused_and_named(string text)
    {
        var error = Assert.Throws<FormatException>(() => Expiry.Parse(text, Now));
        Assert.Contains($"'{text}'", error.Message, StringComparison.Ordinal);
    }
}
