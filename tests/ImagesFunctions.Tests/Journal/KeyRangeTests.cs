using CsCheck;

namespace ImagesFunctions.Tests.Journal;

public sealed class KeyRangeTests
{
    private static readonly Gen<string> AnyKey = Gen.Char["!\"ab~"].Array[0, 5].Select(letters => new string(letters));

    [Theory]
    [InlineData("a!", "a!", true)]
    [InlineData("a!", "a!~~~", true)]
    [InlineData("a!", "a!!", true)]
    [InlineData("a!", "a", false)]
    [InlineData("a!", "a\"", false)]
    [InlineData("a!", "a ", false)]
    [InlineData("a!", "b!", false)]
    [InlineData("a!", "A!b", false)]
    [InlineData("a!b!", "a!b", false)]
    [InlineData("a!b!", "a!bb", false)]
    [InlineData("a!b!", "a!b!c", true)]
    public void A_prefix_holds_what_begins_like_it(string prefix, string key, bool holds) =>
        Assert.Equal(holds, KeyRange.Prefix(prefix).Contains(key));

    [Fact]
    public void A_prefix_holds_what_begins_like_it_and_nothing_else() =>
        Gen.Select(AnyKey, AnyKey)
            .Sample(
                (start, key) =>
                    Assert.Equal(
                        key.StartsWith(start + '!', StringComparison.Ordinal),
                        KeyRange.Prefix(start + '!').Contains(key)
                    ),
                iter: 5_000,
                threads: 1
            );

    [Fact]
    public void A_range_holds_its_first_key_and_not_its_last() =>
        Gen.Select(AnyKey, AnyKey, AnyKey)
            .Sample(
                (from, to, key) =>
                {
                    var range = new KeyRange(from, to);
                    Assert.Equal(string.CompareOrdinal(from, to) < 0, range.Contains(from));
                    Assert.False(range.Contains(to));
                    Assert.Equal(
                        string.CompareOrdinal(from, key) <= 0 && string.CompareOrdinal(key, to) < 0,
                        range.Contains(key)
                    );
                },
                iter: 5_000,
                threads: 1
            );
}
