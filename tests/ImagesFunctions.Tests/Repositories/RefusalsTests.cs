using ImagesFunctions.Storage;

namespace ImagesFunctions.Tests.Repositories;

public sealed class RefusalsTests
{
    [Theory]
    [InlineData("plain, with umlauts äöü and 中文", "plain, with umlauts äöü and 中文")]
    [InlineData("\u001b[31mred", "\\u001b[31mred")]
    [InlineData("one\nrefused: another", "one\\u000arefused: another")]
    [InlineData("right\u202eto left", "right\\u202eto left")]
    [InlineData("nul\0", "nul\\u0000")]
    public void What_a_terminal_would_obey_is_made_visible(string text, string expected) =>
        Assert.Equal(expected, Refusals.Visible(text));

    // An attribute cannot hold it: it is no text.
    [Fact]
    public void Half_a_character_is_made_visible() => Assert.Equal("half\\ud83d", Refusals.Visible("half" + '\ud83d'));
}
