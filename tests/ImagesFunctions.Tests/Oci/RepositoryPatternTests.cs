using CsCheck;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Oci;

/// <summary>Which apps a pattern matches.</summary>
public sealed class RepositoryPatternTests
{
    [Theory]
    [InlineData("web", "web", true)]
    [InlineData("web", "web2", false)]
    [InlineData("web", "web/child", false)]
    [InlineData("web", "my/web", false)]
    [InlineData("web/*", "web/child", true)]
    [InlineData("web/*", "web", false)]
    [InlineData("web/*", "web/child/leaf", false)]
    [InlineData("web-*", "web-1.2_x", true)]
    [InlineData("*-web", "a-web-web", true)]
    [InlineData("a*b*c", "axxbxxc", true)]
    [InlineData("a*b*c", "axxcxxb", false)]
    [InlineData("*", "web", true)]
    [InlineData("*", "web/child", false)]
    [InlineData("**", "web", true)]
    [InlineData("**", "web/child/leaf", true)]
    [InlineData("team/**", "team/a/b", true)]
    [InlineData("team/**", "team", true)]
    [InlineData("team/**", "teams", false)]
    [InlineData("team/**", "teams/a", false)]
    [InlineData("**/leaf", "leaf", true)]
    [InlineData("**/leaf", "web/child/leaf", true)]
    [InlineData("**/leaf", "web/leaf/child", false)]
    [InlineData("a/**/b/**/c", "a/b/x/b/c", true)]
    [InlineData("a/**/b/**/c", "a/x/c", false)]
    [InlineData("**/**", "web", true)]
    public void A_star_stays_in_its_part_and_two_stars_are_any_parts(string text, string app, bool matches)
    {
        Assert.True(RepositoryPattern.TryParse(text, out var pattern));
        Assert.Equal(matches, pattern.Matches(app));
        Assert.Equal(text, pattern.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("/web")]
    [InlineData("web/")]
    [InlineData("a//b")]
    [InlineData("Web")]
    [InlineData("web**")]
    [InlineData("***")]
    [InlineData("we b")]
    [InlineData("web?")]
    [InlineData("[a]")]
    [InlineData("web:latest")]
    public void What_could_match_no_name_or_more_than_it_seems_is_no_pattern(string text) =>
        Assert.False(RepositoryPattern.TryParse(text, out _));

    [Fact]
    public void A_pattern_is_as_long_as_a_name() =>
        Assert.Equal(
            (true, false),
            (
                RepositoryPattern.TryParse(new string('a', 255), out _),
                RepositoryPattern.TryParse(new string('a', 256), out _)
            )
        );

    /// <summary>The plain definition, part by part.</summary>
    [Fact]
    public void Any_pattern_matches_what_the_definition_says() =>
        Gen.Select(Of("a", "b", "*", "**", "a*"), Of("a", "b", "ab"))
            .Sample(
                (pattern, app) =>
                    RepositoryPattern.TryParse(pattern, out var parsed)
                    && parsed.Matches(app) == Defined(pattern.Split('/'), app.Split('/'))
            );

    private static Gen<string> Of(params string[] parts) =>
        Gen.Int[0, parts.Length - 1].Select(i => parts[i]).Array[1, 5].Select(p => string.Join('/', p));

    private static bool Defined(ReadOnlySpan<string> pattern, ReadOnlySpan<string> app)
    {
        if (pattern.IsEmpty)
        {
            return app.IsEmpty;
        }

        if (pattern[0] == "**")
        {
            return Defined(pattern[1..], app) || (!app.IsEmpty && Defined(pattern, app[1..]));
        }

        var isMatch =
            !app.IsEmpty
            && (pattern[0] == "*" || pattern[0] == app[0] || (pattern[0] == "a*" && app[0].StartsWith('a')));
        return isMatch && Defined(pattern[1..], app[1..]);
    }
}
