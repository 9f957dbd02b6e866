using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.Repositories;

/// <summary>What a pull writes down, from the rows of a namespace.</summary>
public sealed class PullNotesTests
{
    private static readonly DateOnly s_day = new(2026, 2, 28);

    private static readonly Dictionary<string, (bool IsThere, bool IsWritten, TableRow[] Rows)> s_cases = new()
    {
        ["for the first time"] = (true, true, [Image("image").ToRow()]),
        ["on a day before"] = (true, true, [Image("image").ToRow(), Pulled(s_day.AddDays(-1)).ToRow()]),
        ["on the same day"] = (true, false, [Image("image").ToRow(), Pulled(s_day).ToRow()]),
        // By a process that knows that it is past midnight.
        ["on the next day"] = (true, false, [Image("image").ToRow(), Pulled(s_day.AddDays(1)).ToRow()]),
        ["the image is gone"] = (false, false, []),
        ["the image is hidden"] = (false, false, [Image("image", ImageState.Hidden).ToRow()]),
        ["the image is deleted"] = (false, false, [Image("image", ImageState.Deleted).ToRow()]),
    };

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task The_first_pull_of_a_day_is_written(string @case)
    {
        var (isThere, isWritten, rows) = s_cases[@case];
        var view = ViewOf(rows);

        var decision = await PullNotes.DecideAsync(view, Pulled(s_day), Stop);

        Assert.Equal(isThere, decision.Result);
        Assert.Equal(isWritten ? ["+l!web!image"] : [], Texts(decision.Changes));
        Assert.True(view.IsTouchedBy([Keys.Image(App, D("image"))]));
    }

    /// <summary>The index would take the image with it.</summary>
    [Fact]
    public async Task A_pull_of_what_an_index_names_is_one_of_the_index()
    {
        var view = ViewOf(
            Image("image").ToRow(),
            Image("inner", children: "image").ToRow(),
            Image("outer", children: "inner").ToRow(),
            Image("deleted", ImageState.Deleted, children: "image").ToRow(),
            Need("image", "inner").ToRow(),
            Need("image", "deleted").ToRow(),
            Need("image", "index.json").ToRow(),
            Need("image", "tag:v1").ToRow(),
            Need("inner", "outer").ToRow(),
            Need("inner", "inner").ToRow(),
            (Pulled(s_day) with { Image = D("outer") }).ToRow()
        );

        var decision = await PullNotes.DecideAsync(view, Pulled(s_day), Stop);

        Assert.True(decision.Result);
        Assert.Equal(["+l!web!image", "+l!web!inner"], Texts(decision.Changes));
    }

    [Fact]
    public async Task Of_very_many_indexes_some_are_enough()
    {
        var view = ViewOf([
            Image("image").ToRow(),
            .. Enumerable.Range(0, 50).Select(i => Image($"index {i}").ToRow()),
            .. Enumerable.Range(0, 50).Select(i => Need("image", $"index {i}").ToRow()),
        ]);

        var decision = await PullNotes.DecideAsync(view, Pulled(s_day), Stop);

        Assert.Equal(20, decision.Changes.Count);
        Assert.Contains("+l!web!image", Texts(decision.Changes));
    }

    [Fact]
    public void A_row_is_read_as_it_was_written_and_lasts_until_its_day_is_over()
    {
        var row = Pulled(s_day);

        Assert.Equal(row, PulledRow.From(row.ToRow()));
        Assert.Equal("2026-02-28", row.ToRow().Text("day"));
        Assert.Equal(new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero), row.Until);
        Assert.Equal(s_day, PulledRow.DayOf(new DateTimeOffset(2026, 3, 1, 0, 30, 0, TimeSpan.FromHours(1))));
    }

    private static PulledRow Pulled(DateOnly day) => new(App, D("image"), day);
}
