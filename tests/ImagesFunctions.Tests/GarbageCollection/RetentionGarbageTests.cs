using static ImagesFunctions.Tests.GarbageCollection.OldImage;
using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.GarbageCollection;

/// <summary>What rules of retention let go, from the rows of a namespace: one rule and one thing about the image <c>old</c> a case.</summary>
public sealed class RetentionGarbageTests
{
    private const string Untagged = """{"retention":[{"repositories":["web"],"remove":{"untagged_after":"7d"}}]}""";
    private const string Tagged = """{"retention":[{"repositories":["**"],"remove":{"not_pushed_for":"90d"}}]}""";

    private static readonly DateTimeOffset s_old = Old;
    private static readonly DateTimeOffset s_weeks = Weeks;
    private static readonly DateTimeOffset s_young = Young;

    private static readonly Dictionary<
        string,
        (bool Goes, string Rules, (TableRow Row, DateTimeOffset At)[] Rows)
    > s_cases = new()
    {
        // The age of what has no tag.
        ["no rules"] = (false, "{}", []),
        ["untagged and old"] = (true, Untagged, []),
        ["a rule of another repository"] = (false, Untagged.Replace("web", "web2", StringComparison.Ordinal), []),
        ["a rule about tagged ones"] = (false, Tagged, []),
        ["committed lately"] = (false, Untagged, [Row(Committed(s_young), s_old)]),
        ["pushed again lately"] = (false, Untagged, [Row(Blob("old").ToRow(), s_young)]),
        ["committed by an earlier version"] = (true, Untagged, [Row(Image("old").ToRow(), s_young)]),
        ["hidden"] = (false, Untagged, [Row(Image("old", ImageState.Hidden).ToRow(), s_old)]),
        ["deleted"] = (false, Untagged, [Row(Image("old", ImageState.Deleted).ToRow(), s_old)]),
        ["its bytes are going"] = (false, Untagged, [Row(Blob("old", BlobState.Deleting).ToRow(), s_old)]),
        ["a tag that counts"] = (false, Untagged, [Row(Set("v1", "old", s_old))]),
        ["a tag of before"] = (true, Untagged, [Row(Tag("v1", "old", "before").ToRow(), s_old)]),
        ["a tag waits for it"] = (false, Untagged, [Row(Tag("v1", "old", null).ToRow(), s_old)]),
        // The age of what has one.
        ["tagged and old"] = (true, Tagged, [Row(Set("v1", "old", s_old))]),
        ["tagged lately"] = (false, Tagged, [Row(Set("v1", "old", s_old)), Row(Set("v2", "old", s_young))]),
        ["tagged by an earlier version"] = (true, Tagged, [Row(Tag("v1", "old").ToRow(), s_old)]),
        ["tagged lately by an earlier version"] = (false, Tagged, [Row(Tag("v1", "old").ToRow(), s_young)]),
        ["the shorter of two times counts"] = (
            true,
            Both(Tagged, """{"repositories":["web"],"remove":{"not_pushed_for":"900d"}}"""),
            [Row(Set("v1", "old", s_old))]
        ),
        // What rules keep.
        ["a rule keeps its tag"] = (
            false,
            Both(Tagged, """{"repositories":["web"],"keep":{"tags":["release-*"]}}"""),
            [Row(Set("v1", "old", s_old)), Row(Set("release-1", "old", s_old))]
        ),
        ["a rule keeps tags elsewhere"] = (
            true,
            Both(Tagged, """{"repositories":["web2"],"keep":{"tags":["v*"],"newest":5}}"""),
            [Row(Set("v1", "old", s_old))]
        ),
        ["it is the newest"] = (
            false,
            Both(Tagged, """{"repositories":["web"],"keep":{"newest":1}}"""),
            [Row(Set("v1", "old", s_old))]
        ),
        ["it is the second"] = (
            true,
            Both(Tagged, """{"repositories":["web"],"keep":{"newest":1}}"""),
            [Row(Set("v1", "old", s_old)), Row(Image("new").ToRow(), s_old), Row(Set("v2", "new", s_weeks))]
        ),
        ["it is the second of two that stay"] = (
            false,
            Both(Tagged, """{"repositories":["web"],"keep":{"newest":2}}"""),
            [Row(Set("v1", "old", s_old)), Row(Image("new").ToRow(), s_old), Row(Set("v2", "new", s_weeks))]
        ),
        ["a newer one is gone"] = (
            false,
            Both(Tagged, """{"repositories":["web"],"keep":{"newest":1}}"""),
            [Row(Set("v1", "old", s_old)), Row(Set("v2", "new", s_weeks))]
        ),
        ["a newer one is hidden"] = (
            false,
            Both(Tagged, """{"repositories":["web"],"keep":{"newest":1}}"""),
            [
                Row(Set("v1", "old", s_old)),
                Row(Image("new", ImageState.Hidden).ToRow(), s_old),
                Row(Set("v2", "new", s_weeks)),
            ]
        ),
        ["an untagged one is no newest"] = (
            true,
            Both(Untagged, """{"repositories":["web"],"keep":{"newest":9}}"""),
            []
        ),
        ["its tag may not change"] = (
            false,
            Both(Tagged, """],"immutable":[{"repositories":["web"],"tags":["v*"]}"""),
            [Row(Set("v1", "old", s_old))]
        ),
        // What else keeps it.
        ["it is pinned"] = (
            false,
            Untagged,
            [Row((Image("old") with { Pin = new ImagePin(s_old, null) }).ToRow(), s_old)]
        ),
        ["it was pinned"] = (
            true,
            Untagged,
            [Row((Image("old") with { Pin = new ImagePin(s_old, TimeSpan.FromDays(1)) }).ToRow(), s_old)]
        ),
        ["an index needs it"] = (
            false,
            Untagged,
            [Row(Need("old", "index").ToRow(), s_old), Row(Image("index").ToRow(), s_old)]
        ),
        ["a deleted index needed it"] = (
            true,
            Untagged,
            [Row(Need("old", "index").ToRow(), s_old), Row(Image("index", ImageState.Deleted).ToRow(), s_old)]
        ),
        ["an index is on its way"] = (false, Untagged, [Row(Need("old", "index").ToRow(), s_young)]),
        ["index.json names it"] = (false, Untagged, [Row(Need("old", "index.json").ToRow(), s_old)]),
        // Referrers.
        ["an old signature refers to it"] = (true, Untagged, Signed(s_old)),
        ["a signature of late refers to it"] = (false, Untagged, Signed(s_young)),
        ["a tagged signature refers to it"] = (
            false,
            Untagged,
            [.. Signed(s_old), Row(Set("sig", "signature", s_old))]
        ),
        ["a pinned signature refers to it"] = (
            false,
            Untagged,
            [
                .. Signed(s_old),
                Row((Image("signature", subject: "old") with { Pin = new ImagePin(s_old, null) }).ToRow(), s_old),
            ]
        ),
        ["an index needs its signature"] = (
            false,
            Untagged,
            [.. Signed(s_old), Row(Need("signature", "index").ToRow(), s_old), Row(Image("index").ToRow(), s_old)]
        ),
        ["its signature is gone"] = (true, Untagged, [Row(Referrer("old", "signature").ToRow(), s_young)]),
        ["a tag keeps the signature of its signature"] = (
            false,
            Untagged,
            [
                .. Signed(s_old),
                Row(Image("second", subject: "signature").ToRow(), s_old),
                Row(Blob("second").ToRow(), s_old),
                Row(Referrer("signature", "second").ToRow(), s_old),
                Row(Set("sig", "second", s_old)),
            ]
        ),
        ["it is a signature itself"] = (
            false,
            Untagged,
            [Row(Image("old", subject: "signed").ToRow(), s_old), Row(Image("signed").ToRow(), s_old)]
        ),
        ["it is a signature of what is gone"] = (true, Untagged, [Row(Image("old", subject: "signed").ToRow(), s_old)]),
        ["it is a tagged signature"] = (
            true,
            Tagged,
            [
                Row(Image("old", subject: "signed").ToRow(), s_old),
                Row(Image("signed").ToRow(), s_old),
                Row(Set("sig", "old", s_old)),
            ]
        ),
    };

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task An_image_goes_when_a_rule_says_so_and_nothing_keeps_it(string @case)
    {
        var (goes, rules, rows) = s_cases[@case];

        var (changes, view) = await DecideAsync(rules, rows);

        Assert.Equal(
            goes ? ["+b!old!web deleting if same", "-i!web!old"] : [],
            changes.Where(c => !c.StartsWith("-r", StringComparison.Ordinal))
        );
        // Other rules, whatever it was, are noticed; and so is a tag where it goes.
        Assert.True(view.IsTouchedBy([Keys.Rules]));
        if (goes)
        {
            Assert.True(view.IsTouchedBy([Keys.Tag(App, "again")]));
            Assert.True(view.IsTouchedBy([Keys.AnyDependency(App)]));
            Assert.True(view.IsTouchedBy([Keys.Referrer(App, D("old"), D("signature of late"))]));
        }
    }

    [Fact]
    public async Task An_index_stays_as_a_deleted_one_and_a_referrer_goes_with_its_row()
    {
        var (changes, _) = await DecideAsync(
            Untagged,
            [
                Row(Image("old", ImageState.Complete, "g", "subject", "child").ToRow(), s_old),
                Row(Referrer("subject", "old").ToRow(), s_old),
            ]
        );

        Assert.Equal(["+b!old!web deleting if same", "+i!web!old deleted g", "-r!web!subject!old"], changes);
    }

    /// <summary>A trial takes what would be gone for gone, and other rules for those that are set.</summary>
    [Fact]
    public async Task A_trial_assumes_rules_and_what_is_gone()
    {
        (TableRow, DateTimeOffset)[] rows =
        [
            Row(Need("old", "index").ToRow(), s_old),
            Row(Image("index").ToRow(), s_old),
        ];
        foreach (var isGone in (bool[])[false, true])
        {
            var assumed = new RetentionGarbage.Assumed(
                AccountRules.Parse(Untagged),
                isGone ? new HashSet<ImagesFunctions.Oci.Digest> { D("index") } : []
            );

            var (changes, view) = await DecideAsync("{}", rows, assumed);

            Assert.Equal(isGone ? 2 : 0, changes.Length);
            Assert.False(view.IsTouchedBy([Keys.Rules]));
        }
    }

    /// <summary>What only its age keeps is looked at again when it is old enough.</summary>
    [Fact]
    public async Task What_is_too_young_is_noted()
    {
        var age = new SweepAge(Now, new SweepOptions());
        var garbage = new RetentionGarbage(null!, new BlobGarbage(null!, null!, null!, age), null!, age);

        await DecideAsync(Untagged, [Row(Committed(s_young), s_old)], garbage: garbage);

        Assert.Equal(s_young.AddDays(7), age.Next.At);
    }

    private static TableRow Committed(DateTimeOffset at) => (Image("old") with { Committed = at }).ToRow();
}
