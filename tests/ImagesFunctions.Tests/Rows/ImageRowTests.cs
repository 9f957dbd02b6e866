namespace ImagesFunctions.Tests.Rows;

public sealed class ImageRowTests
{
    [Theory]
    [InlineData(ImageState.Complete, true)]
    [InlineData(ImageState.Hidden, true)]
    [InlineData(ImageState.Waiting, false)]
    [InlineData(ImageState.Deleted, false)]
    public void An_image_is_there_while_it_is_complete_or_hidden(ImageState state, bool isLive) =>
        Assert.Equal(isLive ? state : null, ImageRow.Live(SomeRows.Image("image", state).ToRow())?.State);

    [Fact]
    public void No_row_is_no_image() => Assert.Null(ImageRow.Live(null));

    [Fact]
    public void What_is_no_digest_in_a_row_is_an_error_that_shows_it() =>
        Assert.Contains(
            "'sha256:x'",
            Assert.Throws<InvalidOperationException>(() => ImageRow.Parse("sha256:x")).Message,
            StringComparison.Ordinal
        );
}
