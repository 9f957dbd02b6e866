using Microsoft.Extensions.DependencyInjection;
using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.GarbageCollection;

/// <summary>What the collector decides about tags, referrers, indexes and layouts that stand for nothing any more.</summary>
public sealed class RowGarbageTests : IClassFixture<SharedNode>
{
    private static readonly DateTimeOffset s_now = DateTimeOffset.UnixEpoch.AddYears(1);
    private static readonly DateTimeOffset s_old = s_now.AddDays(-31);
    private static readonly DateTimeOffset s_young = s_now.AddDays(-29);
    private static readonly DateTimeOffset s_yesterday = s_now.AddHours(-23);

    /// <summary>The tag <c>latest</c>, and what else there is; one thing a case.</summary>
    private static readonly Dictionary<string, (string[] Goes, TagRow Tag, DateTimeOffset At, TableRow[] Rows)> s_tags =
        new()
        {
            ["its image is there"] = ([], Tag("latest", "image"), s_old, [Image("image").ToRow()]),
            ["its image is hidden"] = ([], Tag("latest", "image"), s_old, [Image("image", ImageState.Hidden).ToRow()]),
            ["its image is gone"] = (["-t!web!latest"], Tag("latest", "image"), s_now, []),
            ["its image is deleted"] = (
                ["-t!web!latest"],
                Tag("latest", "image"),
                s_now,
                [Image("image", ImageState.Deleted).ToRow()]
            ),
            ["its image was deleted and came again"] = (
                ["-t!web!latest"],
                Tag("latest", "image", "before"),
                s_now,
                [Image("image").ToRow()]
            ),
            ["it waits without an index.json"] = (["-t!web!latest"], Tag("latest", "image", null, true), s_old, []),
            ["it waits and says so"] = (
                ["-n!web!image!tag:latest if same", "-t!web!latest"],
                Tag("latest", "image", null, true),
                s_old,
                [Need("image", "tag:latest").ToRow(), Need("image", "tag:other").ToRow()]
            ),
            ["it waits and is young"] = ([], Tag("latest", "image", null, true), s_young, []),
            ["its image has come"] = ([], Tag("latest", "image", null, true), s_old, [Image("image").ToRow()]),
        };

    private static readonly ImageRow s_index = Image("index", ImageState.Deleted, "g", null, "one", "two");

    /// <summary>The row of <c>index</c>, which names <c>one</c> and <c>two</c>, and what else there is; one thing a case.</summary>
    private static readonly Dictionary<
        string,
        (bool Goes, ImageRow? Index, DateTimeOffset At, TableRow[] Rows)
    > s_indexes = new()
    {
        ["it is deleted and nothing is left"] = (true, s_index, s_old, []),
        ["it was deleted yesterday"] = (false, s_index, s_yesterday, []),
        ["it was deleted two days ago"] = (true, s_index, s_now.AddDays(-2), []),
        ["it is there"] = (false, s_index with { State = ImageState.Complete }, s_old, []),
        ["it is hidden"] = (false, s_index with { State = ImageState.Hidden }, s_old, []),
        ["it waits in vain"] = (true, s_index with { State = ImageState.Waiting }, s_old, []),
        ["it waits and is young"] = (false, s_index with { State = ImageState.Waiting }, s_young, []),
        ["it is gone"] = (false, null, s_old, []),
        ["its blob is there"] = (false, s_index, s_old, [Blob("index").ToRow()]),
        ["its blob goes"] = (false, s_index, s_old, [Blob("index", BlobState.Deleting).ToRow()]),
        ["a child is there"] = (false, s_index, s_old, [Image("two").ToRow()]),
        ["a child is hidden"] = (false, s_index, s_old, [Image("one", ImageState.Hidden).ToRow()]),
        ["its children are deleted"] = (true, s_index, s_old, [Image("one", ImageState.Deleted).ToRow()]),
        ["another image is there"] = (true, s_index, s_old, [Image("three").ToRow()]),
        // It has never been complete: what it names was always listed for itself.
        ["it waits in vain beside a child"] = (
            true,
            s_index with
            {
                State = ImageState.Waiting,
            },
            s_old,
            [Image("one").ToRow()]
        ),
    };

    private readonly SharedNode _shared;
    private readonly RowGarbage _garbage;

    public RowGarbageTests(SharedNode shared)
    {
        _shared = shared;
        var content = shared.Node.Services.GetRequiredService<Content>();
        _garbage = new RowGarbage(null!, content, new SweepAge(s_now, new SweepOptions()));
    }

    public static TheoryData<string> Tags => [.. s_tags.Keys];

    public static TheoryData<string> Indexes => [.. s_indexes.Keys];

    [Theory]
    [MemberData(nameof(Tags))]
    public async Task A_tag_goes_when_no_image_has_it_or_will_have_it(string @case)
    {
        var (goes, tag, at, rows) = s_tags[@case];
        var view = ViewOf([(tag.ToRow(), at), .. rows.Select(row => (row, s_old))]);
        Assert.Equal(goes, Texts(await _garbage.TagChangesAsync(view, await RowAsync(view, tag.Key), Stop)));
    }

    [Fact]
    public async Task A_tag_waits_as_long_as_there_is_an_index_json()
    {
        await _shared.Node.PutAsync("alice/layout/index.json", "anything"u8.ToArray());
        var tag = (Tag("latest", "image", null, true) with { App = "layout" }).ToRow();
        var view = ViewOf(s_old, tag);
        Assert.Empty(await _garbage.TagChangesAsync(view, await RowAsync(view, tag.Key), Stop));
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(ImageState.Complete, false)]
    [InlineData(ImageState.Hidden, false)]
    [InlineData(ImageState.Deleted, true)]
    [InlineData(ImageState.Waiting, true)]
    public async Task A_referrer_goes_when_it_is_no_image(ImageState? state, bool goes)
    {
        var referrer = Referrer("subject", "referrer").ToRow();
        var view = ViewOf(
            s_old,
            [referrer, Image("subject").ToRow(), .. state is { } s ? [Image("referrer", s).ToRow()] : (TableRow[])[]]
        );
        var changes = await RowGarbage.ReferrerChangesAsync(view, await RowAsync(view, referrer.Key), Stop);
        Assert.Equal(goes ? ["-r!web!subject!referrer"] : [], Texts(changes));
    }

    [Theory]
    [MemberData(nameof(Indexes))]
    public async Task The_row_of_an_index_goes_when_nothing_is_left_of_it(string @case)
    {
        var (goes, index, at, rows) = s_indexes[@case];
        var view = ViewOf([
            .. index is null ? [] : ((TableRow, DateTimeOffset)[])[(index.ToRow(), at)],
            .. rows.Select(row => (row, s_old)),
        ]);
        Assert.Equal(goes ? ["-i!web!index"] : [], Texts(await _garbage.IndexChangesAsync(view, s_index, Stop)));
    }

    [Theory]
    [InlineData("gone", 31, true)]
    [InlineData("gone", 29, false)]
    [InlineData("there", 31, false)]
    [InlineData("never applied", 31, false)]
    public async Task The_row_of_an_index_json_goes_when_that_is_gone(string what, int days, bool goes)
    {
        var app = what == "there" ? "layout" : App;
        await _shared.Node.PutAsync("alice/layout/index.json", "anything"u8.ToArray());
        var row = new TableRow(Keys.Layout(app)) { ["app"] = app, ["etag"] = "\"1\"" };
        var view = ViewOf(s_now.AddDays(-days), what == "never applied" ? Image("image").ToRow() : row);
        Assert.Equal(goes ? ["-j!web"] : [], Texts(await _garbage.LayoutChangesAsync(view, app, Stop)));
    }

    private static async Task<TableRow> RowAsync(DecisionView view, string key) => (await view.GetAsync(key, Stop))!;
}
