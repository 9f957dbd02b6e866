using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.Repositories;

/// <summary>What a push demands of the manifest that it replaces (RFC 9110, 13.1).</summary>
public sealed class TagConditionTests
{
    // What a tag or a digest stands for, by the rows of its namespace.
    private static readonly Dictionary<string, TableRow[]> s_rows = new(StringComparer.Ordinal)
    {
        ["nothing"] = [],
        ["one"] = [Tag("latest", "one").ToRow(), Image("one").ToRow()],
        ["two"] = [Tag("latest", "two").ToRow(), Image("two").ToRow()],
        ["one, tagged before it was deleted once"] = [Tag("latest", "one", "before").ToRow(), Image("one").ToRow()],
        ["one, deleted"] = [Tag("latest", "one").ToRow(), Image("one", ImageState.Deleted).ToRow()],
        ["one, hidden"] = [Tag("latest", "one").ToRow(), Image("one", ImageState.Hidden).ToRow()],
        ["one, still to come"] = [Tag("latest", "one", null).ToRow()],
        ["one, of another app"] =
        [
            (Tag("latest", "one") with { App = "web2" }).ToRow(),
            (Image("one") with { App = "web2" }).ToRow(),
        ],
        ["one, by another tag"] = [Tag("other", "one").ToRow(), Image("one").ToRow()],
    };

    [Theory]
    [InlineData("if match one", "one", true)]
    [InlineData("if match one", "two", false)]
    [InlineData("if match one", "nothing", false)]
    [InlineData("if match one two", "two", true)]
    [InlineData("if match *", "one", true)]
    [InlineData("if match *", "nothing", false)]
    [InlineData("if match *", "one, tagged before it was deleted once", false)]
    [InlineData("if match *", "one, deleted", false)]
    [InlineData("if match *", "one, hidden", false)]
    [InlineData("if match *", "one, still to come", false)]
    [InlineData("if match *", "one, of another app", false)]
    [InlineData("if match *", "one, by another tag", false)]
    [InlineData("unless match one", "one", false)]
    [InlineData("unless match one", "two", true)]
    [InlineData("unless match one", "nothing", true)]
    [InlineData("unless match one two", "two", false)]
    [InlineData("unless match *", "one", false)]
    [InlineData("unless match *", "nothing", true)]
    [InlineData("unless match *", "one, hidden", true)]
    [InlineData("unless match *", "one, still to come", true)]
    [InlineData("unless match", "one", true)]
    [InlineData("if match", "one", false)]
    [InlineData("nothing", "nothing", true)]
    [InlineData("nothing", "one", true)]
    public async Task It_holds_for_what_the_tag_stands_for(string condition, string rows, bool holds) =>
        Assert.Equal(holds, await Condition("latest", condition).HoldsAsync(ViewOf(s_rows[rows]), App, D("new"), Stop));

    [Theory]
    [InlineData("if match one", "one", true)]
    [InlineData("if match *", "one", true)]
    [InlineData("if match two", "one", false)]
    [InlineData("unless match *", "one", false)]
    // A digest stands for its image, whichever tags it has.
    [InlineData("if match one", "one, tagged before it was deleted once", true)]
    [InlineData("unless match *", "two", true)]
    [InlineData("unless match *", "one, hidden", true)]
    public async Task By_a_digest_it_holds_for_that_image(string condition, string rows, bool holds) =>
        Assert.Equal(holds, await Condition(null, condition).HoldsAsync(ViewOf(s_rows[rows]), App, D("one"), Stop));

    [Theory]
    [InlineData("if match * unless match two", "one", true)]
    [InlineData("if match * unless match two", "two", false)]
    [InlineData("if match one unless match one", "one", false)]
    public void Of_two_demands_both_hold(string condition, string current, bool holds) =>
        Assert.Equal(holds, Condition("latest", condition).HoldsFor(D(current)));

    [Theory]
    [InlineData("nothing", "t!web!latest", true)]
    [InlineData("one", "t!web!latest", true)]
    [InlineData("one", "i!web!one", true)]
    [InlineData("one", "i!web!two", false)]
    public async Task What_it_was_decided_by_makes_the_decision_stale_when_it_changes(
        string rows,
        string changed,
        bool isStale
    )
    {
        var view = ViewOf(s_rows[rows]);
        await Condition("latest", "if match one").HoldsAsync(view, App, D("new"), Stop);
        var key = changed.Replace("!one", $"!{D("one")}", StringComparison.Ordinal);
        Assert.Equal(isStale, view.IsTouchedBy([key]));
    }

    // "if match * unless match one two": the words of each demand up to the next one.
    private static TagCondition Condition(string? tag, string text)
    {
        var demands = text.Split("unless match");
        return new TagCondition(
            tag,
            demands[0].StartsWith("if match", StringComparison.Ordinal)
                ? ETagsOf(demands[0]["if match".Length..])
                : null,
            demands.Length == 2 ? ETagsOf(demands[1]) : null
        );
    }

    private static ETags ETagsOf(string names)
    {
        var words = names.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return new ETags(words.Contains("*"), words.Where(w => w != "*").Select(w => $"{D(w)}").ToHashSet());
    }
}
