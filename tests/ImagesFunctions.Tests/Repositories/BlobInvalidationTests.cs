using ImagesFunctions.Oci;
using Microsoft.Extensions.DependencyInjection;
using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.Repositories;

/// <summary>A blob whose bytes are gone or others hides every image that needs it.</summary>
public sealed class BlobInvalidationTests(SharedNode shared) : IClassFixture<SharedNode>
{
    /// <summary>Who needs the blob <c>layer</c>, which is invalid, and what a round changes; one thing a case.</summary>
    private static readonly Dictionary<string, (bool GoesOn, TableRow[] Rows, string[] Changes)> s_rounds = new()
    {
        ["an image needs it"] = (
            true,
            [Need("layer", "image").ToRow(), Image("image").ToRow()],
            ["+b!layer!web bad if same", "+i!web!image hidden g"]
        ),
        ["it is an image itself"] = (
            true,
            [Image("layer").ToRow()],
            ["+b!layer!web bad if same", "+i!web!layer hidden g"]
        ),
        ["an index needs the image that needs it"] = (
            true,
            [
                Need("layer", "image").ToRow(),
                Image("image").ToRow(),
                Need("image", "index").ToRow(),
                Image("index").ToRow(),
            ],
            ["+b!layer!web bad if same", "+i!web!image hidden g", "+i!web!index hidden g"]
        ),
        // A round before has got so far.
        ["an index needs a hidden image that needs it"] = (
            true,
            [
                Need("layer", "image").ToRow(),
                Image("image", ImageState.Hidden).ToRow(),
                Need("image", "index").ToRow(),
                Image("index").ToRow(),
            ],
            ["+b!layer!web bad if same", "+i!web!index hidden g"]
        ),
        ["all are hidden"] = (
            false,
            [Need("layer", "image").ToRow(), Image("image", ImageState.Hidden).ToRow()],
            ["+b!layer!web deleting if same"]
        ),
        ["nothing needs it"] = (false, [], ["+b!layer!web deleting if same"]),
        ["a deleted index and one that waits need it"] = (
            false,
            [
                Need("layer", "a").ToRow(),
                Image("a", ImageState.Deleted).ToRow(),
                Need("layer", "b").ToRow(),
                Image("b", ImageState.Waiting).ToRow(),
            ],
            ["+b!layer!web deleting if same"]
        ),
        ["index.json and a tag need it"] = (
            false,
            [Need("layer", "index.json").ToRow(), Need("layer", "tag:latest").ToRow()],
            ["+b!layer!web deleting if same"]
        ),
        ["an image of another app needs it"] = (
            false,
            [(Need("layer", "image") with { App = "web2" }).ToRow(), (Image("image") with { App = "web2" }).ToRow()],
            ["+b!layer!web deleting if same"]
        ),
        // Good bytes have landed meanwhile.
        ["it is good again"] = (
            false,
            [Need("layer", "image").ToRow(), Image("image").ToRow(), Blob("layer").ToRow()],
            []
        ),
        ["it is of other bytes"] = (
            false,
            [
                Need("layer", "image").ToRow(),
                Image("image").ToRow(),
                (Blob("layer", Invalid) with { BlobETag = "\"2\"" }).ToRow(),
            ],
            []
        ),
    };

    public static TheoryData<string> Rounds => [.. s_rounds.Keys];

    [Theory]
    [MemberData(nameof(Rounds))]
    public async Task A_round_hides_what_needs_it_and_the_last_one_says_that_it_is_removed(string @case)
    {
        var (goesOn, rows, changes) = s_rounds[@case];
        var view = ViewOf([Blob("layer", Invalid).ToRow(), .. rows]);
        var decision = await BlobInvalidation.HideAsync(view, Blob("layer"), Stop);
        Assert.Equal(goesOn, decision.Result);
        Assert.Equal(changes, Texts(decision.Changes));
    }

    [Fact]
    public async Task Of_very_many_a_round_hides_as_many_as_fit_a_commit_and_the_rounds_all_of_them()
    {
        const int images = 250;
        var table = new MemoryTable();
        table.Put(Namespace, Blob("layer", Invalid).ToRow());
        for (var i = 0; i < images; i++)
        {
            table.Put(Namespace, Image($"image{i}").ToRow());
            table.Put(Namespace, Need("layer", $"image{i}").ToRow());
        }

        var rounds = 0;
        for (var goesOn = true; goesOn; rounds++)
        {
            var view = new DecisionView(table, Namespace, 0);
            var decision = await BlobInvalidation.HideAsync(view, Blob("layer"), Stop);
            Assert.InRange(decision.Changes.Count, 1, Change.MaxRows);
            Assert.True((await table.WriteAsync(Namespace, decision.Changes, Stop)).IsDone);
            goesOn = decision.Result;
        }

        Assert.Equal(4, rounds);
        var rows = table.Rows(Namespace);
        Assert.Equal(images, rows.Count(row => row.Key[0] == 'i' && row.GetString("state") == "hidden"));
        Assert.True(BlobRow.From(Assert.Single(rows, row => row.Key[0] == 'b')).IsRemoved);
    }

    [Theory]
    // What stands in the row and in the container | whether the image that needs it is hidden.
    [InlineData("the bytes are gone", true)]
    [InlineData("the bytes are others", true)]
    [InlineData("the bytes are those of the row", false)]
    [InlineData("the row is of other bytes", false)]
    [InlineData("the row is gone", false)]
    [InlineData("the row goes", false)]
    [InlineData("an earlier one was killed", true)]
    public async Task It_does_nothing_where_the_bytes_are_what_the_row_says(string @case, bool isHidden)
    {
        var node = shared.Node;
        var repository = Repository.Of($"n{Guid.NewGuid():N}", App);
        var content = node.Services.GetRequiredService<Content>();
        var path = new BlobPath(repository, D("layer"));
        var etag = (await content.CreateAsync(path, "layer"u8.ToArray(), Stop))!;
        var blob = Blob("layer") with { BlobETag = etag };
        if (@case is "the bytes are gone" or "the row is of other bytes" or "the row is gone" or "the row goes")
        {
            await content.DeleteAsync(path, etag, Stop);
        }

        var row = @case switch
        {
            "the bytes are others" => blob with { BlobETag = "\"before\"" },
            "the row is of other bytes" => blob with { BlobETag = "\"after\"" },
            "the row goes" => blob with { State = BlobState.Deleting },
            "an earlier one was killed" => blob with { State = Invalid },
            _ => blob,
        };
        TableRow[] rows = [row.ToRow(), Need("layer", "image").ToRow(), Image("image").ToRow()];
        var changes = rows.Where(r => @case != "the row is gone" || r.Key[0] != 'b').Select(r => new Change(r.Key, r));
        Assert.True((await node.Storage.ImageRows.WriteAsync(repository.Namespace, [.. changes], Stop)).IsDone);

        await node
            .Services.GetRequiredService<BlobInvalidation>()
            .RunAsync(path, @case == "the bytes are others" ? row : blob, Stop);

        var image = await node.RowStore.ImageAsync(repository, D("image"), Stop);
        Assert.Equal(isHidden ? ImageState.Hidden : ImageState.Complete, image!.State);
        var after = await node.RowStore.BlobAsync(path, Stop);
        Assert.Equal((@case == "the row is gone", isHidden), (after is null, after is { IsRemoved: true }));
    }
}
