using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.Repositories;

/// <summary>Tags that wait for their image get its generation when it is committed.</summary>
public sealed class WaitingTagsTests
{
    /// <summary>Rows beside the image <c>image</c> of generation <c>g</c>, and what is changed; one thing a case.</summary>
    private static readonly Dictionary<string, (TableRow[] Rows, string[] Set, string[] Changes)> s_cases = new()
    {
        ["none waits"] = ([Tag("latest", "image").ToRow(), Need("image", "index").ToRow()], [], []),
        ["one waits"] = (
            [Tag("latest", "image", null, true).ToRow(), Need("image", "tag:latest").ToRow()],
            [],
            ["+t!web!latest image g layout", "-n!web!image!tag:latest"]
        ),
        ["one waits that was pushed"] = (
            [Tag("latest", "image", null).ToRow(), Need("image", "tag:latest").ToRow()],
            [],
            ["+t!web!latest image g push", "-n!web!image!tag:latest"]
        ),
        ["two wait"] = (
            [
                Tag("a", "image", null, true).ToRow(),
                Need("image", "tag:a").ToRow(),
                Tag("b", "image", null, true).ToRow(),
                Need("image", "tag:b").ToRow(),
            ],
            [],
            ["+t!web!a image g layout", "+t!web!b image g layout", "-n!web!image!tag:a", "-n!web!image!tag:b"]
        ),
        ["one waited and was moved"] = (
            [Tag("latest", "other", null, true).ToRow(), Need("image", "tag:latest").ToRow()],
            [],
            ["-n!web!image!tag:latest"]
        ),
        ["one waited and was removed"] = ([Need("image", "tag:latest").ToRow()], [], ["-n!web!image!tag:latest"]),
        ["one waited and was set since"] = (
            [Tag("latest", "image").ToRow(), Need("image", "tag:latest").ToRow()],
            [],
            ["-n!web!image!tag:latest"]
        ),
        ["one waits that the same push sets"] = (
            [Tag("latest", "image", null, true).ToRow(), Need("image", "tag:latest").ToRow()],
            ["latest"],
            ["-n!web!image!tag:latest"]
        ),
        ["one waits beside another that the same push sets"] = (
            [Tag("latest", "image", null, true).ToRow(), Need("image", "tag:latest").ToRow()],
            ["v1"],
            ["+t!web!latest image g layout", "-n!web!image!tag:latest"]
        ),
        ["one of another app waits"] = (
            [
                (Tag("latest", "image", null, true) with { App = "web2" }).ToRow(),
                (Need("image", "tag:latest") with { App = "web2" }).ToRow(),
            ],
            [],
            []
        ),
        ["one says that it waits and has no row that does"] = ([Tag("latest", "image", null, true).ToRow()], [], []),
    };

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_commit_fills_in_the_tags_that_wait_for_its_image(string @case)
    {
        var (rows, set, expected) = s_cases[@case];
        var view = ViewOf(rows);
        var needs = await WaitingTags.DependentsAsync(view, App, D("image"), Stop);

        var (changes, more) = await WaitingTags.ChangesAsync(view, Image("image"), needs, set, set.Length, Stop);

        Assert.False(more);
        Assert.Equal(expected, Texts(changes));
    }

    [Theory]
    // How many tags wait | how many the commit sets anyway | how many are filled in | whether there are more.
    [InlineData(47, 0, 47, false)]
    [InlineData(48, 0, 47, true)]
    [InlineData(200, 0, 47, true)]
    [InlineData(48, 1, 47, true)]
    [InlineData(46, 2, 46, false)]
    [InlineData(10, 90, 2, true)]
    [InlineData(2, 90, 2, false)]
    public async Task As_many_are_filled_in_as_fit_a_commit_with_its_image(
        int waiting,
        int set,
        int filled,
        bool isMore
    )
    {
        var view = ViewOf([
            .. Enumerable
                .Range(0, waiting)
                .SelectMany(i =>
                    new[] { Tag($"w{i}", "image", null, true).ToRow(), Need("image", $"tag:w{i}").ToRow() }
                ),
        ]);
        var needs = await WaitingTags.DependentsAsync(view, App, D("image"), Stop);
        string[] tags = [.. Enumerable.Range(0, set).Select(i => $"s{i}")];

        var (changes, more) = await WaitingTags.ChangesAsync(view, Image("image"), needs, tags, set, Stop);

        Assert.Equal((2 * filled, isMore), (changes.Count, more));
        // With the image, its referrer row and the tags that are set.
        Assert.InRange(2 + set + changes.Count, 0, Change.MaxRows);
    }

    [Theory]
    [InlineData(ImageState.Complete, true)]
    [InlineData(ImageState.Hidden, true)]
    [InlineData(ImageState.Waiting, false)]
    [InlineData(ImageState.Deleted, false)]
    public async Task Tags_wait_on_for_an_image_that_is_not_there(ImageState state, bool areFilled)
    {
        var view = ViewOf(
            Image("image", state).ToRow(),
            Tag("latest", "image", null, true).ToRow(),
            Need("image", "tag:latest").ToRow()
        );
        var decision = await WaitingTags.FillAsync(view, Web, D("image"), Stop);
        Assert.False(decision.Result);
        Assert.Equal(areFilled ? 2 : 0, decision.Changes.Count);
    }
}
