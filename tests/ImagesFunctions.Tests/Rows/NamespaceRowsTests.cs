namespace ImagesFunctions.Tests.Rows;

public sealed class NamespaceRowsTests
{
    [Fact]
    public void Rows_are_taken_replaced_and_removed_by_their_keys_in_the_order_of_apps()
    {
        var rows = new NamespaceRows();
        var (image, tag) = (SomeRows.Image("image"), SomeRows.Tag("latest", "image"));
        foreach (var app in (string[])["web", "team/web", "a-b"])
        {
            var (ofApp, tagOfApp) = (SomeRows.Image("image") with { App = app }, tag with { App = app });
            rows.Apply(ofApp.Key, ofApp.ToRow());
            rows.Apply(tagOfApp.Key, tagOfApp.ToRow());
        }

        Assert.Equal(["a-b", "team/web", "web"], rows.Images.Values.Select(i => i.App));
        Assert.Equal(["a-b", "team/web", "web"], rows.Tags.Values.Select(t => t.App));

        rows.Apply(image.Key, (image with { State = ImageState.Hidden }).ToRow());
        rows.Apply(tag.Key, null);
        rows.Apply("i!none", null);

        Assert.Equal(ImageState.Hidden, rows.Images[image.Key].State);
        Assert.Equal(["a-b", "team/web"], rows.Tags.Values.Select(t => t.App));
    }

    [Theory]
    [InlineData(null, "i!web!x", true)]
    [InlineData(null, "t!other!x", true)]
    [InlineData(null, "b!web!x", false)]
    [InlineData(null, "v", false)]
    [InlineData("web", "i!web!x", true)]
    [InlineData("web", "t!web!x", true)]
    [InlineData("web", "i!web2!x", false)]
    [InlineData("web", "n!web!x", false)]
    public void A_scope_is_the_images_and_tags_of_a_namespace_or_an_app(string? app, string key, bool holds) =>
        Assert.Equal(holds, RowScope.Of(app).Contains(key));
}
