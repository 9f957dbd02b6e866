using ImagesFunctions.Pages;

namespace ImagesFunctions.Tests.Pages;

public sealed class TextsTests
{
    [Theory]
    [InlineData(0, "0 bytes")]
    [InlineData(1023, "1023 bytes")]
    [InlineData(1024, "1.00 KiB")]
    [InlineData(15_000, "14.6 KiB")]
    [InlineData(300_000, "293 KiB")]
    [InlineData(5_368_709_120, "5.00 GiB")]
    public void Bytes_are_in_the_largest_unit_that_they_fill(long bytes, string text) =>
        Assert.Equal(text, Texts.Bytes(bytes));

    [Theory]
    [InlineData(5, "just now")]
    [InlineData(-5, "just now")]
    [InlineData(90, "1 min ago")]
    [InlineData(7_200, "2 h ago")]
    [InlineData(86_400, "1 day ago")]
    [InlineData(86_400 * 90, "2 months ago")]
    [InlineData(86_400 * 1_000, "2 years ago")]
    public void An_age_is_rough(int seconds, string text) =>
        Assert.Equal(text, Texts.Ago(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void A_page_of_a_long_list_names_its_neighbours_with_the_search()
    {
        var paging = new Paging("/browse", new Dictionary<string, string?> { ["q"] = "a b", ["sort"] = "" }, 2, 60);

        Assert.Equal((3, 26, 50), (paging.Pages, paging.First, paging.Last));
        Assert.Equal("/browse?q=a%20b", paging.Of(1));
        Assert.Equal("/browse?q=a%20b&page=3", paging.Of(3));
        Assert.Equal(Enumerable.Range(26, 25), paging.Take(Enumerable.Range(1, 60)));
    }
}
