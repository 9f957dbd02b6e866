using System.Text.Encodings.Web;
using System.Text.Json;
using CsCheck;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Oci;

public sealed class ShownFactsTests
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    [Fact]
    public void Short_facts_are_the_same()
    {
        var facts = new ImageFacts
        {
            Args = ["run", "it"],
            Env = ["A=1"],
            Labels = new Dictionary<string, string> { ["a"] = "1" },
            KernelArgs = "console=ttyS0",
            Created = "2026-01-02T03:04:05Z",
        };

        Assert.Same(facts, ShownFacts.Of(facts));
        Assert.Same(ImageFacts.None, ShownFacts.Of(ImageFacts.None));
    }

    [Theory]
    [InlineData('x')]
    [InlineData('\u00e9')]
    [InlineData('\u0001')]
    public void Half_of_a_command_is_another_command(char letter)
    {
        var facts = new ImageFacts { Args = ["rm", new string(letter, ShownFacts.MaxBytes)], Env = ["A=1"] };

        var shown = ShownFacts.Of(facts);

        Assert.Empty(shown.Args);
        Assert.Equal(["A=1"], shown.Env);
    }

    [Fact]
    public void A_long_label_does_not_hide_short_ones()
    {
        var facts = new ImageFacts
        {
            Labels = new Dictionary<string, string>
            {
                ["a"] = new string('x', 20_000),
                ["b"] = "2",
                ["c"] = "3",
            },
        };

        Assert.Equal(["b", "c"], ShownFacts.Of(facts).Labels.Keys.Order());
    }

    [Fact]
    public void Components_and_platforms_count_too()
    {
        var annotations = new Dictionary<string, string> { ["a"] = new string('x', 10_000) };
        var facts = new ImageFacts
        {
            Components =
            [
                .. Enumerable
                    .Range(0, 3)
                    .Select(i => new ImageComponent(ComponentRole.Rom, $"{i}", "rom", 1, annotations)),
            ],
            Platforms = [.. Enumerable.Range(0, 1_000).Select(i => new ImagePlatform("linux", "amd64", $"sha256:{i}"))],
        };

        var shown = ShownFacts.Of(facts);

        Assert.Equal("0", Assert.Single(shown.Components).Digest);
        Assert.InRange(shown.Platforms.Count, 10, 100);
    }

    [Fact]
    public void Whatever_the_facts_are_the_shown_ones_fit_and_are_shown_whole_again()
    {
        var texts = Gen.String[0, 400].Array[0, 60];
        Gen.Select(texts, texts, texts)
            .Sample(
                (args, env, labels) =>
                {
                    var facts = new ImageFacts
                    {
                        Args = args,
                        Env = env,
                        Labels = labels.Distinct().ToDictionary(l => l, l => l),
                    };
                    var shown = ShownFacts.Of(facts);
                    var json = JsonSerializer.SerializeToUtf8Bytes(
                        (object[])[shown.Args, shown.Env, shown.Labels],
                        s_json
                    );
                    Assert.InRange(json.Length, 0, ShownFacts.MaxBytes + 100);
                    Assert.Same(shown, ShownFacts.Of(shown));
                },
                iter: 300,
                threads: 1
            );
    }
}
