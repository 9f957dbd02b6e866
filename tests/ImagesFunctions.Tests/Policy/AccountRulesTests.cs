namespace ImagesFunctions.Tests.Policy;

/// <summary>The document of an account's rules: what it may be, and what it says of a tag.</summary>
public sealed class AccountRulesTests
{
    private const string Web = """{"immutable":[{"repositories":["web/**"],"tags":["v*"]}]}""";

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
    public void What_is_wrong_is_named(string text, string said) =>
        Assert.Contains(
            said,
            Assert.Throws<FormatException>(() => AccountRules.Parse(text)).Message,
            StringComparison.Ordinal
        );

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
