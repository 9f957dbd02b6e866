using System.Text.RegularExpressions;
using CsCheck;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Oci;

public sealed partial class RepositoryTests
{
    [Theory]
    [InlineData("alice/hello", "alice", "hello", "alice/hello")]
    [InlineData("alice/team/web/v2", "alice", "team/web/v2", "alice/team/web/v2")]
    [InlineData("official/hello", "official", "hello", "hello")]
    [InlineData("a/b.c_d__e-f---g", "a", "b.c_d__e-f---g", "a/b.c_d__e-f---g")]
    [InlineData("alice/blobs/index.json", "alice", "blobs/index.json", "alice/blobs/index.json")]
    public void The_first_part_is_the_namespace_and_the_rest_the_app(
        string text,
        string @namespace,
        string app,
        string display
    )
    {
        Assert.True(Repository.TryParse(text, out var repository));
        Assert.Equal((@namespace, app), (repository.Namespace, repository.App));
        Assert.Equal(text, repository.ToString());
        Assert.Equal(display, repository.DisplayName);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("alice")]
    [InlineData("alice/")]
    [InlineData("/hello")]
    [InlineData("alice//hello")]
    [InlineData("alice/hello/")]
    [InlineData("Alice/hello")]
    [InlineData("alice/Hello")]
    [InlineData("alice/.hello")]
    [InlineData("alice/hello.")]
    [InlineData("alice/a..b")]
    [InlineData("alice/a___b")]
    [InlineData("alice/a._b")]
    [InlineData("alice/../bob")]
    [InlineData("alice/hello\n")]
    [InlineData("alice/hellö")]
    [InlineData("alice/hello:latest")]
    [InlineData("alice/a!b")]
    [InlineData("alice/a,b")]
    [InlineData("official/team/web")]
    public void A_name_outside_the_grammar_is_no_repository(string? text)
    {
        Assert.False(Repository.TryParse(text, out var repository));
        Assert.Null(repository);
    }

    [Fact]
    public void A_name_has_at_most_255_characters()
    {
        Assert.True(Repository.TryParse("a/" + new string('b', 253), out _));
        Assert.False(Repository.TryParse("a/" + new string('b', 254), out _));
    }

    [Theory]
    [InlineData("hello", "official/hello")]
    [InlineData("official/hello", "official/hello")]
    [InlineData("alice/hello", "alice/hello")]
    [InlineData("team/web", "team/web")]
    public void A_name_of_one_part_is_an_official_app(string text, string full)
    {
        Assert.True(Repository.TryParseDisplayName(text, out var repository));
        Assert.Equal(full, repository.ToString());
        Assert.True(Repository.TryParseDisplayName(repository.DisplayName, out var again));
        Assert.Equal(repository, again);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/hello")]
    [InlineData("Hello")]
    public void What_is_no_name_is_no_official_app_either(string? text) =>
        Assert.False(Repository.TryParseDisplayName(text, out _));

    [Theory]
    [InlineData("alice", true)]
    [InlineData("official", true)]
    [InlineData("a-b.c_d", true)]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("alice/hello", false)]
    [InlineData("Alice", false)]
    [InlineData("!refused", false)]
    [InlineData("-a", false)]
    public void A_namespace_is_one_part_of_a_name(string? text, bool isOne) =>
        Assert.Equal(isOne, Repository.IsNamespace(text));

    [Fact]
    public void A_namespace_has_at_most_128_characters()
    {
        Assert.True(Repository.IsNamespace(new string('a', 128)));
        Assert.False(Repository.IsNamespace(new string('a', 129)));
    }

    [Fact]
    public void The_grammar_is_that_of_the_distribution_spec() =>
        Gen.Char["ab9._-/A!"]
            .Array[0, 14]
            .Sample(
                letters =>
                {
                    var text = new string(letters);
                    var slash = text.IndexOf('/', StringComparison.Ordinal);
                    Assert.Equal(SpecName().IsMatch(text) && slash > 0, Repository.TryParse(text, out _));
                    Assert.Equal(SpecName().IsMatch(text) && slash < 0, Repository.IsNamespace(text));
                },
                iter: 20_000,
                threads: 1
            );

    // OCI distribution spec, "Pulling manifests", as printed.
    [GeneratedRegex(
        @"\A[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\z",
        RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture
    )]
    private static partial Regex SpecName();
}
