using ImagesFunctions.Oci;
using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.Repositories;

/// <summary>What a removal changes, or why it does not, from the rows of a namespace.</summary>
public sealed class RemovalTests
{
    private static readonly DateTimeOffset s_now = DateTimeOffset.UnixEpoch.AddYears(1);
    private static readonly RemovalResult s_done = new(true);
    private static readonly RemovalResult s_none = new(false);

    /// <summary>The image <c>image</c> and its blob, what else there is, and what its removal changes; one thing a case.</summary>
    private static readonly Dictionary<string, (RemovalResult Result, TableRow[] Rows, string[] Changes)> s_images =
        new()
        {
            ["it is there"] = (
                s_done,
                [Blob("image").ToRow(), Image("image").ToRow()],
                ["+b!image!web deleting if same", "-i!web!image"]
            ),
            ["it is hidden"] = (
                s_done,
                [Blob("image").ToRow(), Image("image", ImageState.Hidden).ToRow()],
                ["+b!image!web deleting if same", "-i!web!image"]
            ),
            ["it is gone"] = (s_none, [Blob("image").ToRow()], []),
            ["it is deleted"] = (s_none, [Blob("image").ToRow(), Image("image", ImageState.Deleted).ToRow()], []),
            ["it waits"] = (s_none, [Blob("image").ToRow(), Image("image", ImageState.Waiting).ToRow()], []),
            ["it has tags"] = (
                s_done,
                [Blob("image").ToRow(), Image("image").ToRow(), Tag("latest", "image").ToRow()],
                // They name a generation that is gone.
                ["+b!image!web deleting if same", "-i!web!image"]
            ),
            ["its blob goes"] = (
                s_done,
                [Blob("image", BlobState.Deleting).ToRow(), Image("image").ToRow()],
                ["-i!web!image"]
            ),
            ["its blob is invalid"] = (
                s_done,
                [Blob("image", Invalid).ToRow(), Image("image", ImageState.Hidden).ToRow()],
                ["-i!web!image"]
            ),
            ["it is an index"] = (
                s_done,
                [Blob("image").ToRow(), Image("image", ImageState.Complete, "g", null, "child").ToRow()],
                // What it names stays out of lists.
                ["+b!image!web deleting if same", "+i!web!image deleted g"]
            ),
            ["it refers to another"] = (
                s_done,
                [
                    Blob("image").ToRow(),
                    Image("image", ImageState.Complete, "g", "subject").ToRow(),
                    Referrer("subject", "image").ToRow(),
                ],
                ["+b!image!web deleting if same", "-i!web!image", "-r!web!subject!image"]
            ),
            ["index.json names it"] = (
                s_done,
                [Blob("image").ToRow(), Image("image").ToRow(), Need("image", "index.json").ToRow()],
                ["+b!image!web deleting if same", "+n!web!image!index.json deleted", "-i!web!image"]
            ),
            ["an index needs it"] = (
                new RemovalResult(true, D("index")),
                [Blob("image").ToRow(), Image("image").ToRow(), Need("image", "index").ToRow(), Image("index").ToRow()],
                []
            ),
            ["a hidden index needs it"] = (
                new RemovalResult(true, D("index")),
                [
                    Blob("image").ToRow(),
                    Image("image").ToRow(),
                    Need("image", "index").ToRow(),
                    Image("index", ImageState.Hidden).ToRow(),
                ],
                []
            ),
            ["a deleted index names it"] = (
                s_done,
                [
                    Blob("image").ToRow(),
                    Image("image").ToRow(),
                    Need("image", "index").ToRow(),
                    Image("index", ImageState.Deleted).ToRow(),
                ],
                ["+b!image!web deleting if same", "-i!web!image"]
            ),
            ["it is pinned"] = (
                new RemovalResult(true, IsPinned: true),
                [Blob("image").ToRow(), (Image("image") with { Pin = new ImagePin(s_now, null) }).ToRow()],
                []
            ),
            ["it was pinned for an hour"] = (
                s_done,
                [
                    Blob("image").ToRow(),
                    (Image("image") with { Pin = new ImagePin(s_now.AddHours(-1), TimeSpan.FromHours(1)) }).ToRow(),
                ],
                ["+b!image!web deleting if same", "-i!web!image"]
            ),
        };

    /// <summary>The blob <c>layer</c>, what else there is, and what comes of its removal; one thing a case.</summary>
    private static readonly Dictionary<string, (RemovalResult Result, TableRow[] Rows)> s_blobs = new()
    {
        ["nothing needs it"] = (s_done, [Blob("layer").ToRow()]),
        ["it is gone"] = (s_none, []),
        ["it goes"] = (s_none, [Blob("layer", BlobState.Deleting).ToRow()]),
        ["it is invalid"] = (s_none, [Blob("layer", Invalid).ToRow()]),
        ["it is an image"] = (new(true, D("layer")), [Blob("layer").ToRow(), Image("layer").ToRow()]),
        ["it is a deleted index"] = (s_done, [Blob("layer").ToRow(), Image("layer", ImageState.Deleted).ToRow()]),
        ["an image needs it"] = (
            new(true, D("image")),
            [Blob("layer").ToRow(), Need("layer", "image").ToRow(), Image("image").ToRow()]
        ),
        ["what needs it is no image"] = (s_done, [Blob("layer").ToRow(), Need("layer", "image").ToRow()]),
        ["index.json names it"] = (s_done, [Blob("layer").ToRow(), Need("layer", "index.json").ToRow()]),
    };

    public static TheoryData<string> Images => [.. s_images.Keys];

    public static TheoryData<string> Blobs => [.. s_blobs.Keys];

    [Theory]
    [MemberData(nameof(Images))]
    public async Task An_image_goes_unless_something_keeps_it(string @case)
    {
        var (result, rows, changes) = s_images[@case];
        var view = ViewOf(rows);
        var decision = await Removal.DecideImageAsync(view, new BlobPath(Web, D("image")), s_now, Stop);
        Assert.Equal(result, decision.Result with { Marked = null });
        Assert.Equal(changes, Texts(decision.Changes));
        // An image that needs it and is committed meanwhile says so by one of these.
        Assert.True(changes.Length == 0 || view.IsTouchedBy(["n!web!"]));
        Assert.True(changes.Length == 0 || view.IsTouchedBy([$"n!web!{D("image")}!"]));
    }

    [Theory]
    [MemberData(nameof(Blobs))]
    public async Task A_blob_goes_unless_an_image_needs_it_or_is_it(string @case)
    {
        var (result, rows) = s_blobs[@case];
        var view = ViewOf(rows);
        var decision = await Removal.DecideBlobAsync(view, new BlobPath(Web, D("layer")), Stop);
        Assert.Equal(result, decision.Result with { Marked = null });
        Assert.Equal(result == s_done ? ["+b!layer!web deleting if same"] : [], Texts(decision.Changes));
        Assert.True(result != s_done || view.IsTouchedBy(["n!web!"]));
    }

    [Theory]
    [InlineData("g", ImageState.Complete, true)]
    [InlineData("g", ImageState.Hidden, true)]
    [InlineData("g", ImageState.Deleted, false)]
    [InlineData("before", ImageState.Complete, false)]
    [InlineData(null, ImageState.Complete, true)]
    [InlineData(null, null, true)]
    [InlineData("g", null, false)]
    public async Task A_tag_goes_and_counts_as_found_while_it_has_an_image_or_waits(
        string? generation,
        ImageState? state,
        bool isFound
    )
    {
        TableRow[] rows =
        [
            Tag("latest", "image", generation).ToRow(),
            .. state is { } s ? [Image("image", s).ToRow()] : (TableRow[])[],
        ];
        var decision = await Removal.DecideTagAsync(ViewOf(rows), Web, "latest", Stop);
        Assert.Equal(isFound, decision.Result);
        Assert.Equal(["-t!web!latest"], Texts(decision.Changes));
    }

    [Fact]
    public async Task A_tag_that_is_not_there_is_not_found()
    {
        var decision = await Removal.DecideTagAsync(ViewOf(Image("image").ToRow()), Web, "latest", Stop);
        Assert.False(decision.Result);
        Assert.Empty(decision.Changes);
    }
}
