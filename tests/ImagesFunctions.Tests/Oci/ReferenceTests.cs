using CsCheck;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Oci;

public sealed class ReferenceTests
{
    private static readonly string Sha256 = "sha256:" + new string('a', 64);
    private static readonly string Sha512 = "sha512:" + new string('b', 128);

    [Theory]
    [InlineData("alice/hello:latest", "alice/hello", "latest")]
    [InlineData("alice/team/web:v1.2_3-x", "alice/team/web", "v1.2_3-x")]
    [InlineData("hello:latest", "official/hello", "latest")]
    [InlineData("official/hello:_", "official/hello", "_")]
    public void A_reference_by_tag_names_a_repository_and_a_tag(string text, string repository, string tag)
    {
        Assert.True(Reference.TryParse(text, out var reference));
        Assert.Equal(repository, reference.Repository.ToString());
        Assert.Equal(tag, reference.Tag);
        Assert.Null(reference.Digest);
    }

    [Theory]
    [InlineData("alice/hello", "alice/hello")]
    [InlineData("hello", "official/hello")]
    [InlineData("official/hello", "official/hello")]
    public void A_reference_by_digest_names_a_repository_and_a_digest(string name, string repository)
    {
        foreach (var digest in (string[])[Sha256, Sha512])
        {
            Assert.True(Reference.TryParse($"{name}@{digest}", out var reference));
            Assert.Equal(repository, reference.Repository.ToString());
            Assert.Equal(digest, reference.Digest?.ToString());
            Assert.Null(reference.Tag);
        }
    }

    public static TheoryData<string?> Malformed =>
        [
            (string?)null,
            "",
            ":",
            "@",
            "alice/hello",
            "alice/hello:",
            "alice/hello@",
            ":latest",
            $"@{Sha256}",
            "alice/hello:.latest",
            "alice/hello:-latest",
            "alice/hello:a b",
            "alice/hello:a:b",
            "Alice/hello:latest",
            "official/team/web:latest",
            "host:5000/alice/hello:latest",
            $"alice/hello:latest@{Sha256}",
            $"alice/hello@{Sha256}:latest",
            $"alice/hello@{Sha256[..^1]}",
            $"alice/hello@{Sha256.ToUpperInvariant()}",
            $"alice/hello:{new string('a', 129)}",
        ];

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Anything_else_is_no_reference(string? text)
    {
        Assert.False(Reference.TryParse(text, out var reference));
        Assert.Null(reference);
    }

    [Fact]
    public void A_tag_has_up_to_128_characters()
    {
        Assert.True(Reference.IsTag(new string('a', 128)));
        Assert.False(Reference.IsTag(new string('a', 129)));
        Assert.False(Reference.IsTag(""));
        Assert.False(Reference.IsTag(null));
        Assert.False(Reference.IsTag("é"));
        Assert.False(Reference.IsTag("latest\n"));
    }

    [Theory]
    [InlineData("latest", "latest")]
    [InlineData("alpine:3.20", "3.20")]
    [InlineData("docker.io/library/alpine:3.20", "3.20")]
    [InlineData("localhost:5000/team/web:v1", "v1")]
    [InlineData("docker.io/library/alpine:3.20@sha256:abc", "3.20")]
    public void A_reference_names_the_tag_behind_its_last_colon(string name, string tag) =>
        Assert.Equal(tag, Reference.TagOf(name));

    [Theory]
    [InlineData("")]
    [InlineData("docker.io/library/alpine")]
    [InlineData("localhost:5000/alpine")]
    [InlineData("alpine@sha256:abc")]
    [InlineData("alpine:")]
    [InlineData("alpine:no tag")]
    [InlineData("a:b/")]
    [InlineData("@")]
    public void A_name_without_a_tag_names_none(string name) => Assert.False(Reference.IsTag(Reference.TagOf(name)));

    [Fact]
    public void What_was_read_is_what_was_written() =>
        Gen.Char["ab/.:@-_"]
            .Array[0, 12]
            .Sample(
                letters =>
                {
                    var text = new string(letters);
                    if (Reference.TryParse(text, out var reference))
                    {
                        var name = text.Contains('/', StringComparison.Ordinal)
                            ? reference.Repository.ToString()
                            : reference.Repository.DisplayName;
                        Assert.Equal(text, reference.Tag is { } tag ? $"{name}:{tag}" : $"{name}@{reference.Digest}");
                    }
                },
                iter: 20_000,
                threads: 1
            );
}
