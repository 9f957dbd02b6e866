using static ImagesFunctions.Tests.GarbageCollection.OldImage;
using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.GarbageCollection;

/// <summary>What rules that count pulls let go, as <see cref="RetentionGarbageTests"/> for the others.</summary>
public sealed class UnpulledImagesTests
{
    private const string Untagged = """{"retention":[{"repositories":["web"],"remove":{"untagged_after":"7d"}}]}""";
    private const string Pulled = """{"retention":[{"repositories":["web"],"remove":{"not_pulled_for":"30d"}}]}""";

    private static readonly Dictionary<
        string,
        (bool Goes, string Rules, (TableRow Row, DateTimeOffset At)[] Rows)
    > s_cases = new()
    {
        ["nobody pulled it"] = (true, Pulled, []),
        ["nobody pulled what has a tag"] = (true, Pulled, [Row(Set("v1", "old", Old))]),
        ["pulled weeks ago"] = (true, Pulled, [PulledAt(Weeks)]),
        ["pulled lately"] = (false, Pulled, [PulledAt(Young)]),
        ["pulled on the day thirty days ago"] = (false, Pulled, [PulledAt(Now.AddDays(-30))]),
        ["pulled on the day before that"] = (true, Pulled, [PulledAt(Now.AddDays(-31))]),
        ["another image was pulled"] = (true, Pulled, [(new PulledRow(App, D("new"), Today).ToRow(), Old)]),
        ["not pulled, and pushed lately"] = (false, Pulled, [Row(Blob("old").ToRow(), Young)]),
        ["not pulled, and tagged lately"] = (false, Pulled, [Row(Set("v1", "old", Young))]),
        ["pulls are noted since lately"] = (false, Pulled, [NotedSince(Pulled, Young)]),
        ["pulls are noted since weeks ago"] = (true, Pulled, [NotedSince(Pulled, Weeks)]),
        ["pulled lately, and untagged for long"] = (
            true,
            Both(Pulled, """{"repositories":["web"],"remove":{"untagged_after":"60d"}}"""),
            [PulledAt(Young)]
        ),
        ["not pulled, and pushed too lately for another rule"] = (
            true,
            Both(Pulled, """{"repositories":["web"],"remove":{"untagged_after":"100d"}}"""),
            []
        ),
        ["not pulled, and its tag is kept"] = (
            false,
            Both(Pulled, """{"repositories":["web"],"keep":{"tags":["v*"]}}"""),
            [Row(Set("v1", "old", Old))]
        ),
        ["its signature was pulled lately"] = (
            false,
            Pulled,
            [.. Signed(Old), (new PulledRow(App, D("signature"), Today).ToRow(), Old)]
        ),
        ["its signature was not pulled either"] = (true, Pulled, Signed(Old)),
    };

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    private static DateOnly Today => PulledRow.DayOf(Now);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task An_image_goes_when_nobody_has_pulled_it_for_long_enough(string @case)
    {
        var (goes, rules, rows) = s_cases[@case];

        var (changes, _) = await DecideAsync(rules, rows);

        Assert.Equal(
            goes ? ["+b!old!web deleting if same", "-i!web!old"] : [],
            changes.Where(c => !c.StartsWith("-r", StringComparison.Ordinal))
        );
    }

    /// <summary>Of an account that has not set such a rule nobody knows what was pulled: nothing goes by a trial of one.</summary>
    [Theory]
    [InlineData(Untagged, false)]
    [InlineData(Pulled, true)]
    [InlineData("""{"retention":[{"repositories":["other"],"remove":{"not_pulled_for":"1d"}}]}""", true)]
    public async Task A_trial_knows_of_pulls_where_they_are_noted(string set, bool goes)
    {
        var assumed = new RetentionGarbage.Assumed(
            AccountRules.Parse(Pulled),
            new HashSet<ImagesFunctions.Oci.Digest>()
        );

        var (changes, view) = await DecideAsync(set, [], assumed);

        Assert.Equal(goes ? 2 : 0, changes.Length);
        Assert.True(view.IsTouchedBy([Keys.Rules]));
    }

    /// <summary>A pull that is noted meanwhile has the decision made again; where no rule asks for pulls their rows are not read.</summary>
    [Theory]
    [InlineData(Untagged, false)]
    [InlineData(Pulled, true)]
    public async Task A_pull_is_noticed_where_a_rule_counts_pulls(string rules, bool isNoticed)
    {
        var (changes, view) = await DecideAsync(rules, []);

        Assert.Equal(2, changes.Length);
        Assert.Equal(isNoticed, view.IsTouchedBy([Keys.Pulled(App, D("old"))]));
    }

    private static (TableRow, DateTimeOffset) PulledAt(DateTimeOffset at) =>
        (new PulledRow(App, D("old"), PulledRow.DayOf(at)).ToRow(), Old);

    private static (TableRow, DateTimeOffset) NotedSince(string rules, DateTimeOffset since) =>
        (new RulesRow(AccountRules.Parse(rules), Old, By: null) { PullsNotedSince = since }.ToRow(), Old);
}
