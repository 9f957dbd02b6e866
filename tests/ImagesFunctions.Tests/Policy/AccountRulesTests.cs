namespace ImagesFunctions.Tests.Policy;

/// <summary>The document of an account's rules: what it may be, and what it says of a tag.</summary>
public sealed class AccountRulesTests
{
    private const string Web = """{"immutable":[{"repositories":["web/**"],"tags":["v*"]}]}""";

    private const string Retention =
        """{"retention":[{"repositories":["**"],"keep":{"newest":10,"tags":["release-*"]},"remove":{"untagged_after":"7d","not_pushed_for":"90d"}}]}""";

    [Theory]
    [InlineData("web", "v1", true)]
    [InlineData("web/api/old", "v", true)]
    [InlineData("web", "latest", false)]
    [InlineData("web2", "v1", false)]
    public void A_rule_is_about_the_tags_and_repositories_of_its_patterns(string app, string tag, bool isAbout)
    {
        var rules = AccountRules.Parse(Web);

        Assert.Equal(isAbout, rules.ImmutableBy(app, tag) is not null);
        Assert.Equal(app != "web2", rules.HasImmutable(app));
        Assert.Null(AccountRules.None.ImmutableBy(app, tag));
    }

    [Theory]
    [InlineData("{}", "{}")]
    [InlineData("""{"immutable":[]}""", "{}")]
    [InlineData(Web, Web)]
    [InlineData(Retention, Retention)]
    [InlineData(
        """{"retention":[{"repositories":["a"],"remove":{"not_pulled_for":"30d","untagged_after":"1h"}}]}""",
        """{"retention":[{"repositories":["a"],"remove":{"untagged_after":"1h","not_pulled_for":"30d"}}]}"""
    )]
    [InlineData(
        """{"retention":[{"remove":{},"keep":{"newest":3},"repositories":["a"]}],"immutable":[]}""",
        """{"retention":[{"repositories":["a"],"keep":{"newest":3}}]}"""
    )]
    [InlineData(
        """ { "immutable" : [ { "tags" : ["v*", "r.1"], "repositories" : ["**"] } ] } """,
        """{"immutable":[{"repositories":["**"],"tags":["v*","r.1"]}]}"""
    )]
    public void A_document_has_one_form(string text, string form)
    {
        Assert.Equal(form, AccountRules.Parse(text).Text);
        Assert.Equal(form, AccountRules.Parse(form, isStrict: false).Text);
    }

    [Theory]
    [InlineData("", "no JSON")]
    [InlineData("[]", "the rules has to be an object")]
    [InlineData("""{"imutable":[]}""", "the member 'imutable', which is unknown")]
    [InlineData("""{"immutable":{}}""", "immutable has to be an array")]
    [InlineData("""{"immutable":[7]}""", "immutable[0] has to be an object")]
    [InlineData("""{"immutable":[{"tags":["v*"]}]}""", "immutable[0] has no repositories")]
    [InlineData("""{"immutable":[{"repositories":["web"]}]}""", "immutable[0] has no tags")]
    [InlineData("""{"immutable":[{"repositories":[],"tags":["v*"]}]}""", "immutable[0].repositories is empty")]
    [InlineData(
        """{"immutable":[{"repositories":["Web"],"tags":["v*"]}]}""",
        "immutable[0].repositories[0] is no pattern"
    )]
    [InlineData("""{"immutable":[{"repositories":["a"],"tags":["v*",1]}]}""", "immutable[0].tags[1] is no pattern")]
    [InlineData("""{"immutable":[{"repositories":["a"],"tags":["a/b"]}]}""", "immutable[0].tags[0] is no pattern")]
    [InlineData(
        """{"immutable":[{"repositories":["a"],"tags":["b"],"tag":"c"}]}""",
        "immutable[0] has the member 'tag'"
    )]
    [InlineData("""{"immutable":[],"immutable":[]}""", "no JSON")]
    [InlineData("""{"immutable":[{"repositories":["\ud800"],"tags":["b"]}]}""", "not valid Unicode")]
    public void What_is_wrong_is_named(string text, string said) =>
        Assert.Contains(
            said,
            Assert.Throws<FormatException>(() => AccountRules.Parse(text)).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("""{"retention":{}}""", "retention has to be an array")]
    [InlineData("""{"retention":[{"keep":{"newest":1}}]}""", "retention[0] has no repositories")]
    [InlineData(
        """{"retention":[{"repositories":["a"]}]}""",
        "retention[0] says neither what to keep nor what to remove"
    )]
    [InlineData("""{"retention":[{"repositories":["a"],"keep":{},"remove":{}}]}""", "retention[0] says neither")]
    [InlineData("""{"retention":[{"repositories":["a"],"keep":[]}]}""", "retention[0].keep has to be an object")]
    [InlineData(
        """{"retention":[{"repositories":["a"],"keep":{"newest":0}}]}""",
        "retention[0].keep.newest has to be a whole number from 1 to 1000"
    )]
    [InlineData("""{"retention":[{"repositories":["a"],"keep":{"newest":1001}}]}""", "from 1 to 1000")]
    [InlineData("""{"retention":[{"repositories":["a"],"keep":{"newest":1.5}}]}""", "a whole number")]
    [InlineData("""{"retention":[{"repositories":["a"],"keep":{"newest":"3"}}]}""", "a whole number")]
    [InlineData("""{"retention":[{"repositories":["a"],"keep":{"tags":[]}}]}""", "retention[0].keep.tags is empty")]
    [InlineData("""{"retention":[{"repositories":["a"],"keep":{"newst":1}}]}""", "the member 'newst'")]
    [InlineData(
        """{"retention":[{"repositories":["a"],"remove":{"untagged_after":"7"}}]}""",
        "retention[0].remove.untagged_after has to be a time"
    )]
    [InlineData("""{"retention":[{"repositories":["a"],"remove":{"untagged_after":"0d"}}]}""", "has to be a time")]
    [InlineData("""{"retention":[{"repositories":["a"],"remove":{"not_pushed_for":"36526d"}}]}""", "has to be a time")]
    [InlineData("""{"retention":[{"repositories":["a"],"remove":{"not_pushed_for":7}}]}""", "has to be a time")]
    [InlineData(
        """{"retention":[{"repositories":["a"],"remove":{"not_pulled_for":"1"}}]}""",
        "retention[0].remove.not_pulled_for has to be a time"
    )]
    [InlineData(
        """{"retention":[{"repositories":["a"],"remove":{"not_used_for":"7d"}}]}""",
        "retention[0].remove has the member 'not_used_for', which is unknown"
    )]
    public void What_is_wrong_with_retention_is_named(string text, string said) => What_is_wrong_is_named(text, said);

    [Fact]
    public void There_are_bounds()
    {
        static string Rules(int rules, int patterns) =>
            $$"""{"immutable":[{{string.Join(
                ',',
                Enumerable.Repeat(
                    $$"""{"repositories":["web"],"tags":[{{string.Join(',', Enumerable.Repeat("\"v\"", patterns))}}]}""",
                    rules
                )
            )}}]}""";

        Assert.Equal(50, AccountRules.Parse(Rules(50, 1)).Immutable.Count);
        Assert.Throws<FormatException>(() => AccountRules.Parse(Rules(51, 1)));
        Assert.Throws<FormatException>(() => AccountRules.Parse(Rules(1, 51)));
        Assert.Contains(
            $"{AccountRules.MaxText} characters",
            Assert
                .Throws<FormatException>(() =>
                    AccountRules.Parse(
                        Rules(50, 50).Replace("\"v\"", $"\"{new string('v', 20)}\"", StringComparison.Ordinal)
                    )
                )
                .Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void What_rules_say_of_a_repository_adds_up()
    {
        var rules = AccountRules.Parse(
            """
            {"retention":[
                {"repositories":["web"],"remove":{"untagged_after":"7d","not_pushed_for":"90d"},"keep":{"newest":2,"tags":["a"]}},
                {"repositories":["**"],"remove":{"untagged_after":"12h"},"keep":{"newest":3,"tags":["b*"]}},
                {"repositories":["kept/**"],"keep":{"newest":9}},
                {"repositories":["old/**"],"remove":{"not_pulled_for":"1h"}},
                {"repositories":["old/*"],"remove":{"not_pulled_for":"2h","not_pushed_for":"3h"}}
            ]}
            """
        );

        var web = rules.RetentionOf("web")!;
        Assert.Equal((3, TimeSpan.FromHours(12), TimeSpan.FromDays(90)), (web.Newest, web.Untagged, web.NotPushed));
        Assert.Equal(TimeSpan.FromHours(12), web.Earliest);
        Assert.Equal([true, true, false], new[] { "a", "b1", "c" }.Select(web.Keeps));
        Assert.Null(rules.RetentionOf("other")!.NotPushed);
        Assert.Equal(9, rules.RetentionOf("kept/safe")!.Newest);
        var old = rules.RetentionOf("old/one")!;
        Assert.Equal(TimeSpan.FromHours(1), old.Earliest);
        Assert.Equal(
            [new(TimeSpan.FromHours(12), CountsPulls: false), new(TimeSpan.FromHours(1), CountsPulls: true)],
            old.Limits(isTagged: false)
        );
        Assert.Equal(
            [new(TimeSpan.FromHours(3), CountsPulls: false), new(TimeSpan.FromHours(1), CountsPulls: true)],
            old.Limits(isTagged: true)
        );
        Assert.Equal([new(TimeSpan.FromDays(90), CountsPulls: false)], web.Limits(isTagged: true));
        Assert.True(rules.NotesPulls);
        Assert.True(rules.Removes);
        var kept = AccountRules.Parse("""{"retention":[{"repositories":["web"],"keep":{"newest":9}}]}""");
        Assert.Null(kept.RetentionOf("web"));
        Assert.False(kept.NotesPulls);
        Assert.False(kept.Removes);
        Assert.False(kept.IsEmpty);
    }

    /// <summary>What a newer version keeps for a reason that this one does not know must not go: nothing goes then.</summary>
    [Theory]
    [InlineData("""{"repositories":["web"],"keep":{"newest":1,"signed":true},"remove":{"untagged_after":"7d"}}""")]
    [InlineData("""{"repositories":["web"],"remove":{"untagged_after":"7d","not_used_for":"7d"}}""")]
    [InlineData("""{"repositories":["web"],"unless":{},"remove":{"untagged_after":"7d"}}""")]
    [InlineData("""{"repositories":["web"],"remove":{"untagged_after":"a week"}}""")]
    public void Of_a_newer_versions_retention_that_it_does_not_know_nothing_goes(string rule)
    {
        const string Known = """{"repositories":["**"],"remove":{"untagged_after":"7d"}}""";
        var text = $$"""{"retention":[{{rule}},{{Known}}]}""";

        var rules = AccountRules.Parse(text, isStrict: false);

        Assert.False(rules.Removes);
        Assert.Throws<FormatException>(() => AccountRules.Parse(text));
    }

    /// <summary>A newer version may know more members: what this one knows of them holds.</summary>
    [Fact]
    public void A_row_of_a_newer_version_is_read_as_far_as_it_is_known()
    {
        var row = new RulesRow(AccountRules.Parse(Web), DateTimeOffset.UnixEpoch, Author.OfToken("1f0c3a5e")).ToRow();
        row["rules"] =
            """{"retention":[{"keep":{}}],"immutable":[{"repositories":["web"],"tags":["v*"],"for":"ever"}]}""";

        var read = RulesRow.FromOrNull(row)!;

        Assert.NotNull(read.Rules.ImmutableBy("web", "v1"));
        Assert.Equal("1f0c3a5e", read.By!.Token);
        var newer = new RulesRow(AccountRules.None, DateTimeOffset.UnixEpoch, By: null).ToRow();
        newer["schema"] = 2L;
        Assert.Throws<InvalidOperationException>(() => RulesRow.FromOrNull(newer));
    }
}
