using CsCheck;
using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.GarbageCollection;

/// <summary>What the collector decides about blobs and about images of deleted indexes, from the rows of a namespace.</summary>
public sealed class BlobGarbageTests
{
    // By the collector's clock.
    private static readonly DateTimeOffset s_now = DateTimeOffset.UnixEpoch.AddYears(1);
    private static readonly SweepAge s_age = new(s_now, new SweepOptions());

    // It decides from rows alone: none of the others is asked.
    private static readonly BlobGarbage s_garbage = new(null!, null!, null!, s_age);

    private static readonly DateTimeOffset s_old = s_now.AddDays(-31);
    private static readonly DateTimeOffset s_young = s_now.AddDays(-29);

    // Where a push brought it, a day is all.
    private static readonly DateTimeOffset s_yesterday = s_now.AddHours(-23);

    /// <summary>What goes with the blob <c>layer</c>, one thing a case.</summary>
    private static readonly Dictionary<string, (bool Goes, (TableRow Row, DateTimeOffset At)[] Rows)> s_blobs = new()
    {
        ["nothing needs it"] = (true, []),
        ["its row is young"] = (false, [(Blob("layer").ToRow(), s_young)]),
        ["a push brought it two days ago"] = (true, [(Blob("layer", pushed: true).ToRow(), s_now.AddDays(-2))]),
        ["a push brought it yesterday"] = (false, [(Blob("layer", pushed: true).ToRow(), s_yesterday)]),
        ["it is invalid"] = (false, [(Blob("layer", Invalid).ToRow(), s_old)]),
        ["it goes already"] = (false, [(Blob("layer", BlobState.Deleting).ToRow(), s_old)]),
        ["it is an image"] = (false, [(Image("layer").ToRow(), s_old)]),
        ["it is a hidden image"] = (false, [(Image("layer", ImageState.Hidden).ToRow(), s_old)]),
        ["it is a deleted index"] = (true, [(Image("layer", ImageState.Deleted).ToRow(), s_old)]),
        ["it is an index that waits"] = (true, [(Image("layer", ImageState.Waiting).ToRow(), s_old)]),
        ["an image needs it"] = (false, [(Need("layer", "image").ToRow(), s_old), (Image("image").ToRow(), s_old)]),
        ["a hidden image needs it"] = (
            false,
            [(Need("layer", "image").ToRow(), s_old), (Image("image", ImageState.Hidden).ToRow(), s_old)]
        ),
        ["a deleted index needs it"] = (
            true,
            [(Need("layer", "image").ToRow(), s_old), (Image("image", ImageState.Deleted).ToRow(), s_old)]
        ),
        ["what needs it is no image"] = (true, [(Need("layer", "image").ToRow(), s_old)]),
        ["what needs it may still become one"] = (false, [(Need("layer", "image").ToRow(), s_young)]),
        ["index.json names it"] = (true, [(Need("layer", "index.json").ToRow(), s_old)]),
        ["index.json named it lately"] = (false, [(Need("layer", "index.json").ToRow(), s_young)]),
        ["a tag waits for it"] = (true, [(Need("layer", "tag:latest").ToRow(), s_old)]),
        ["one of two needs it"] = (
            false,
            [
                (Need("layer", "other").ToRow(), s_old),
                (Need("layer", "image").ToRow(), s_old),
                (Image("image").ToRow(), s_old),
            ]
        ),
        ["an image of another app needs it"] = (
            true,
            [
                ((Need("layer", "image") with { App = "web2" }).ToRow(), s_old),
                ((Image("image") with { App = "web2" }).ToRow(), s_old),
            ]
        ),
        ["an image needs another"] = (true, [(Need("other", "image").ToRow(), s_old), (Image("image").ToRow(), s_old)]),
    };

    /// <summary>What keeps the image <c>child</c>, which the deleted index <c>index</c> names; one thing a case.</summary>
    private static readonly Dictionary<string, (bool Goes, (TableRow Row, DateTimeOffset At)[] Rows)> s_children = new()
    {
        ["nothing else names it"] = (true, []),
        ["it is hidden"] = (true, [(Image("child", ImageState.Hidden).ToRow(), s_old)]),
        ["it is gone"] = (false, [(Image("child", ImageState.Deleted).ToRow(), s_old)]),
        ["its blob goes"] = (false, [(Blob("child", BlobState.Deleting).ToRow(), s_old)]),
        ["its blob is young"] = (false, [(Blob("child").ToRow(), s_young)]),
        ["the index is there"] = (false, [(Image("index").ToRow(), s_old)]),
        ["the index is hidden"] = (false, [(Image("index", ImageState.Hidden).ToRow(), s_old)]),
        ["the index was deleted today"] = (false, [(Image("index", ImageState.Deleted).ToRow(), s_yesterday)]),
        ["it is pinned"] = (false, [((Image("child") with { Pin = new ImagePin(s_old, null) }).ToRow(), s_old)]),
        ["it was pinned for an hour"] = (
            true,
            [((Image("child") with { Pin = new ImagePin(s_old, TimeSpan.FromHours(1)) }).ToRow(), s_old)]
        ),
        ["it has a tag"] = (false, [(Tag("latest", "child").ToRow(), s_old)]),
        ["it had a tag before it was deleted once"] = (true, [(Tag("latest", "child", "before").ToRow(), s_old)]),
        ["a tag waits for it"] = (false, [(Tag("latest", "child", null).ToRow(), s_old)]),
        ["another image has a tag"] = (true, [(Tag("latest", "other").ToRow(), s_old)]),
        ["index.json names it"] = (false, [(Need("child", "index.json").ToRow(), s_old)]),
        ["another index names it"] = (
            false,
            [(Need("child", "second").ToRow(), s_old), (Image("second").ToRow(), s_old)]
        ),
        ["another deleted index names it"] = (
            true,
            [(Need("child", "second").ToRow(), s_old), (Image("second", ImageState.Deleted).ToRow(), s_old)]
        ),
    };

    public static TheoryData<string> Blobs => [.. s_blobs.Keys];

    public static TheoryData<string> Children => [.. s_children.Keys];

    [Theory]
    [MemberData(nameof(Blobs))]
    public async Task A_blob_goes_when_nothing_needs_it(string @case)
    {
        var (goes, rows) = s_blobs[@case];
        var view = ViewOf([(Blob("layer").ToRow(), s_old), .. rows]);

        var changes = await s_garbage.BlobChangesAsync(view, App, D("layer"), Stop);

        Assert.Equal(goes ? ["+b!layer!web deleting if same"] : [], Texts(changes));
        // Who commits meanwhile that he needs it says so by either of these keys, which are read in any case.
        if (goes)
        {
            Assert.True(view.IsTouchedBy(["n!web!"]));
            Assert.True(view.IsTouchedBy([$"n!web!{D("layer")}!"]));
        }
    }

    [Theory]
    [MemberData(nameof(Children))]
    public async Task A_child_of_a_deleted_index_goes_when_nothing_else_names_it(string @case)
    {
        var (goes, rows) = s_children[@case];
        var view = ViewOf([
            (Blob("child").ToRow(), s_old),
            (Image("child").ToRow(), s_old),
            (Image("index", ImageState.Deleted, "g", null, "child").ToRow(), s_old),
            (Need("child", "index").ToRow(), s_old),
            .. rows,
        ]);

        var changes = await s_garbage.ChildChangesAsync(view, App, D("index"), D("child"), Stop);

        Assert.Equal(goes ? ["+b!child!web deleting if same", "-i!web!child"] : [], Texts(changes));
    }

    [Fact]
    public async Task An_index_in_a_deleted_index_stays_as_a_deleted_one_and_a_referrer_goes_with_its_row()
    {
        var view = ViewOf(
            s_old,
            Blob("child").ToRow(),
            Image("child", ImageState.Complete, "g", "subject", "grandchild").ToRow(),
            Referrer("subject", "child").ToRow(),
            Image("index", ImageState.Deleted, "g", null, "child").ToRow()
        );

        var changes = await s_garbage.ChildChangesAsync(view, App, D("index"), D("child"), Stop);

        Assert.Equal(
            ["+b!child!web deleting if same", "+i!web!child deleted g", "-r!web!subject!child"],
            Texts(changes)
        );
    }

    /// <summary>Whatever rows there are: what goes is no image, and no image needs it, nor anything that came lately.</summary>
    [Fact]
    public async Task Nothing_that_an_image_needs_is_ever_removed()
    {
        string[] names = ["a", "b", "c", "d", "e"];
        string[] dependents = [.. names, "index.json", "tag:latest"];
        var anyNeed = Gen.Select(OneOf(names), OneOf(dependents), Gen.Bool);
        var anyImage = Gen.Select(OneOf(names), Gen.Enum<ImageState>());
        var removed = 0;
        await Gen.Select(anyNeed.Array[0, 8], anyImage.Array[0, 4])
            .SampleAsync(
                async (someNeeds, someImages) =>
                {
                    var needs = someNeeds.DistinctBy(n => (n.Item1, n.Item2)).ToList();
                    var images = someImages.DistinctBy(i => i.Item1).ToList();
                    (TableRow, DateTimeOffset)[] rows =
                    [
                        .. names.Select(name => (Blob(name).ToRow(), s_old)),
                        .. images.Select(i => (Image(i.Item1, i.Item2).ToRow(), s_old)),
                        .. needs.Select(n => (Need(n.Item1, n.Item2).ToRow(), n.Item3 ? s_now : s_old)),
                    ];
                    var live = images
                        .Where(i => i.Item2 is ImageState.Complete or ImageState.Hidden)
                        .Select(i => i.Item1)
                        .ToHashSet();
                    foreach (var name in names)
                    {
                        var changes = await s_garbage.BlobChangesAsync(ViewOf(rows), App, D(name), Stop);
                        var isNeeded = needs.Exists(n => n.Item1 == name && (n.Item3 || live.Contains(n.Item2)));
                        Assert.Equal(live.Contains(name) || isNeeded, changes.Count == 0);
                        removed += changes.Count;
                    }
                },
                iter: 300,
                threads: 1
            );
        Assert.True(removed > 50);

        static Gen<string> OneOf(string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);
    }
}
