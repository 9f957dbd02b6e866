using ImagesFunctions.Local;

namespace ImagesFunctions.Tests.Local;

/// <summary>Rules in a file: YAML or JSON, with the same errors.</summary>
public sealed class RulesFileTests
{
    // As docs/retention.md shows it.
    private const string Yaml = """
        immutable:
          - repositories: ["web/**"]
            tags: ["v*"]
        retention:
          - repositories: ["**"]                     # all of them
            keep: { newest: 10, tags: [release-*, 1.0, 2] }
            remove: { untagged_after: 7d, not_pushed_for: 90d }
        """;

    [Fact]
    public void Yaml_says_the_same_as_json()
    {
        const string Json =
            """{"immutable":[{"repositories":["web/**"],"tags":["v*"]}],"retention":[{"repositories":["**"],"keep":{"newest":10,"tags":["release-*","1.0","2"]},"remove":{"untagged_after":"7d","not_pushed_for":"90d"}}]}""";

        Assert.Equal(Json, RulesFile.Parse(Yaml).Text);
        Assert.Equal(Json, RulesFile.Parse("\n  " + Json).Text);
        Assert.True(RulesFile.Parse("{}").IsEmpty);
    }

    [Theory]
    [InlineData("", "0 YAML documents")]
    [InlineData("a: 1\n---\nb: 2", "2 YAML documents")]
    [InlineData("a: [", "no YAML, line")]
    [InlineData("a: 1\na: 2", "no YAML, line")]
    [InlineData("- 1", "the rules has to be an object")]
    [InlineData("imutable: []", "'imutable', which is unknown")]
    [InlineData("? [a]\n: b", "no text at line 1")]
    [InlineData("retention:\n- repositories: [web]\n  keep:", "retention[0].keep has to be an object")]
    [InlineData(
        "retention:\n- repositories: [web]\n  keep: { newest: many }",
        "retention[0].keep.newest has to be a whole"
    )]
    [InlineData("retention:\n- repositories: [web]\n  remove: { not_used_for: 7d }", "which is unknown")]
    [InlineData("a: &a [x,x,x,x,x,x,x,x,x,x]\nb: [[[[[[[*a]]]]]]]", "too deep or too long at line")]
    [InlineData("{", "the rules are no JSON")]
    public void What_is_wrong_is_named(string text, string said) =>
        Assert.Contains(
            said,
            Assert.Throws<FormatException>(() => RulesFile.Parse(text)).Message,
            StringComparison.Ordinal
        );

    /// <summary>Each level names the one before ten times.</summary>
    [Fact]
    public void Aliases_of_aliases_are_no_bomb()
    {
        var lines = Enumerable
            .Range(1, 6)
            .Select(i => $"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]");

        Assert.Contains(
            "too deep or too long",
            Assert.Throws<FormatException>(() => RulesFile.Parse($"a0: &a0 [x]\n{string.Join('\n', lines)}")).Message,
            StringComparison.Ordinal
        );
    }
}
