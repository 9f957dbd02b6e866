using Microsoft.Extensions.Configuration;

namespace ImagesFunctions.Tests.Settings;

public sealed class SettingTests
{
    [Theory]
    [InlineData("0s", 0)]
    [InlineData("30s", 30)]
    [InlineData("15m", 15 * 60)]
    [InlineData("24h", 24 * 3_600)]
    [InlineData("30d", 30 * 86_400)]
    [InlineData("007h", 7 * 3_600)]
    public void A_duration_is_a_number_and_a_unit(string text, int seconds)
    {
        Assert.True(Duration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromSeconds(seconds), duration);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("d")]
    [InlineData("30")]
    [InlineData("30x")]
    [InlineData("30D")]
    [InlineData("-1d")]
    [InlineData("+1d")]
    [InlineData("1.5d")]
    [InlineData(" 1d")]
    [InlineData("1d ")]
    [InlineData("1 d")]
    [InlineData("1h30m")]
    [InlineData("1000000000d")]
    public void What_is_no_duration_is_none(string? text) => Assert.False(Duration.TryParse(text, out _));

    [Fact]
    public void The_longest_duration_is_no_error()
    {
        Assert.True(Duration.TryParse("999999999d", out var duration));
        Assert.InRange(duration, TimeSpan.FromDays(10_000_000), TimeSpan.MaxValue);
    }

    [Fact]
    public void What_is_not_set_has_its_standard_value()
    {
        foreach (var configuration in (IConfiguration[])[Of(null), Of("")])
        {
            Assert.False(Setting.Flag(configuration, "Name"));
            Assert.Equal(TimeSpan.FromHours(1), Setting.Time(configuration, "Name", TimeSpan.FromHours(1)));
            Assert.Equal(7, Setting.Number(configuration, "Name", 7, 10));
        }
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("False", false)]
    public void A_flag_is_true_or_false(string text, bool isOn) => Assert.Equal(isOn, Setting.Flag(Of(text), "Name"));

    [Theory]
    [InlineData("yes", "it has to be true or false")]
    [InlineData("1", "it has to be true or false")]
    public void Another_flag_is_told_by_its_name(string text, string wanted) =>
        Told(() => Setting.Flag(Of(text), "Name"), text, wanted);

    [Theory]
    [InlineData("soon")]
    // Longer than a hundred years.
    [InlineData("36526d")]
    public void Another_duration_is_told_by_its_name(string text) =>
        Told(() => Setting.Time(Of(text), "Name", TimeSpan.Zero), text, "it has to be a duration");

    [Theory]
    [InlineData("11")]
    [InlineData("-1")]
    [InlineData("1.0")]
    [InlineData("99999999999")]
    public void Another_number_is_told_by_its_name_and_its_bounds(string text) =>
        Told(() => Setting.Number(Of(text), "Name", 0, 10), text, "it has to be a whole number of 0 to 10");

    private static void Told(Action read, string text, string wanted)
    {
        var error = Assert.Throws<InvalidSettingException>(read);
        Assert.StartsWith($"Name is '{text}': {wanted}", error.Message, StringComparison.Ordinal);
    }

    private static IConfiguration Of(string? value) =>
        new ConfigurationBuilder().AddInMemoryCollection([new("Name", value)]).Build();
}
