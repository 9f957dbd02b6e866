using ImagesFunctions.Oci;
using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.Repositories;

/// <summary>Which manifests are tried, and in which order.</summary>
public sealed class OpenManifestsTests
{
    [Fact]
    public void Each_is_taken_once_in_its_order_however_often_it_is_added()
    {
        var open = new OpenManifests([D("a"), D("b"), D("a")], [D("c"), D("b")]);
        Assert.Equal([D("a"), D("b")], open.Take(2));
        open.Add([D("c"), D("d")]);
        Assert.Equal([D("c"), D("d")], open.Take(8));
        Assert.Empty(open.Take(8));
        // Taken and added again, because something of it has come since.
        open.Add([D("a")]);
        Assert.Equal([D("a")], open.Take(8));
    }

    [Fact]
    public void What_an_index_that_waits_names_is_tried_all_the_way_down()
    {
        var open = new OpenManifests([D("index")], []);
        open.Take(1);
        open.Add(D("index"), Waiting("inner", "image"));
        Assert.Equal([D("inner"), D("image")], open.Take(8));
        open.Add(D("inner"), Waiting("deeper"));
        open.Add(D("image"), new ManifestOutcome(ManifestState.Waiting));
        Assert.Equal([D("deeper")], open.Take(8));
        // A circle, which no hash can make, would end as well.
        open.Add(D("deeper"), Waiting("inner"));
        Assert.Equal([D("inner")], open.Take(8));
        open.Add(D("inner"), Waiting("deeper"));
        Assert.Empty(open.Take(8));
    }

    [Fact]
    public void What_one_names_that_only_may_be_complete_now_is_not_tried_unless_it_is_new()
    {
        var open = new OpenManifests([], [D("known"), D("new")]);
        open.Take(8);
        open.Add(D("known"), Waiting("a"));
        Assert.Empty(open.Take(8));
        open.Add(D("new"), Waiting("b") with { IsNew = true });
        Assert.Equal([D("b")], open.Take(8));
    }

    [Theory]
    [InlineData("Committed", true)]
    [InlineData("Already", false)]
    public void Who_needs_one_is_tried_each_time_it_is_committed_and_once_when_it_was_before(string state, bool again)
    {
        var outcome = new ManifestOutcome(Enum.Parse<ManifestState>(state)) { Dependents = [D("index")] };
        var open = new OpenManifests([D("image")], []);
        open.Take(1);
        open.Add(D("image"), outcome);
        Assert.Equal([D("index")], open.Take(8));
        open.Add(D("image"), outcome);
        Assert.Equal(again ? [D("index")] : [], open.Take(8));
    }

    private static ManifestOutcome Waiting(params string[] children) =>
        new(ManifestState.Waiting) { Children = [.. children.Select(D)] };
}
