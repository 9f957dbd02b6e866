using ImagesFunctions.Listing;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Images;

public sealed class RegistryNamesTests
{
    [Fact]
    public void Tags_are_those_of_the_app_alone_and_in_ordinal_order()
    {
        var names = Names(
            ("web", "b"),
            ("web", "B"),
            ("web", "a-1"),
            ("web", "a.1"),
            ("we", "z"),
            ("web/x", "y"),
            ("web-2", "w")
        );

        Assert.Equal(["B", "a-1", "a.1", "b"], names.TagsAfter("web", ""));
        Assert.Equal(["z"], names.TagsAfter("we", ""));
        Assert.Equal(["y"], names.TagsAfter("web/x", ""));
        Assert.Empty(names.TagsAfter("w", ""));
    }

    [Theory]
    [InlineData("a", "a-1 a.1 b")]
    [InlineData("a-1", "a.1 b")]
    [InlineData("a.", "a.1 b")]
    [InlineData("b", "")]
    [InlineData("zzz", "")]
    [InlineData("\uffff", "")]
    public void A_page_begins_behind_a_name_that_need_not_exist(string last, string expected)
    {
        var names = Names(("web", "b"), ("web", "B"), ("web", "a-1"), ("web", "a.1"), ("zeb", "c"));

        Assert.Equal(expected, string.Join(' ', names.TagsAfter("web", last)));
    }

    [Fact]
    public void An_app_is_there_while_it_has_a_complete_manifest()
    {
        var builder = new RegistryNamesBuilder();
        var (first, second) = (Image("web", 1), Image("web", 2));

        builder.SetImage(null, first, []);
        builder.SetImage(null, second, []);
        builder.SetImage(first, first with { State = ImageState.Hidden }, []);
        var one = builder.ToNames();
        builder.SetImage(second, null, []);
        builder.SetImage(first with { State = ImageState.Hidden }, null, []);

        Assert.Equal(["web"], one.AppsAfter(""));
        Assert.Empty(one.AppsAfter("web"));
        Assert.Empty(builder.ToNames().AppsAfter(""));
    }

    private static RegistryNames Names(params (string App, string Tag)[] tags)
    {
        var builder = new RegistryNamesBuilder();
        foreach (var (app, tag) in tags)
        {
            var image = Image(app, 1);
            var row = new TagRow(app, tag, image.Digest, image.Generation, FromLayout: false);
            builder.SetTag(row.Key, row, image);
        }

        return builder.ToNames();
    }

    private static ImageRow Image(string app, byte number) =>
        new(app, Digest.Sha256([number]))
        {
            MediaType = MediaTypes.OciManifest,
            Size = 1,
            IsImage = false,
            Generation = "1",
            State = ImageState.Complete,
        };
}
