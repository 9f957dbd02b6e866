using CsCheck;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Tests.Rows;

public sealed class KeysTests
{
    private static readonly Digest Sha256 = Digest.Sha256([1]);
    private static readonly Digest Sha512 = Digest.FromHash("sha512", new byte[64]);

    private static readonly Gen<string> App = Gen.Char["ab01._-/"]
        .Array[1, 12]
        .Select(letters => new string(letters))
        .Where(app => Repository.TryParse($"n/{app}", out _));

    [Fact]
    public void The_order_of_keys_is_the_order_of_repositories() =>
        Gen.Select(App, App)
            .Sample(
                (one, other) =>
                {
                    var order = Math.Sign(string.CompareOrdinal(one, other));
                    Assert.Equal(order, Compare(Keys.Image(one, Sha256), Keys.Image(other, Sha256)));
                    Assert.Equal(order, Compare(Keys.Tag(one, "x"), Keys.Tag(other, "x")));
                    Assert.Equal(order, Compare(Keys.Layout(one), Keys.Layout(other)));
                    Assert.Equal(order, Compare(Keys.Blob(one, Sha256), Keys.Blob(other, Sha256)));
                },
                iter: 5_000,
                threads: 1
            );

    [Fact]
    public void The_range_of_an_app_holds_its_keys_and_no_others() =>
        Gen.Select(App, App)
            .Sample(
                (one, other) =>
                {
                    Assert.Equal(one == other, Keys.OfApp('i', one).Contains(Keys.Image(other, Sha512)));
                    Assert.Equal(one == other, Keys.OfApp('t', one).Contains(Keys.Tag(other, "latest")));
                    Assert.Equal(
                        one == other,
                        Keys.Dependencies(one, Sha256).Contains(Keys.Dependency(other, Sha256, Dependent.Tag("x")))
                    );
                },
                iter: 5_000,
                threads: 1
            );

    [Theory]
    [InlineData("app2")]
    [InlineData("app/child")]
    [InlineData("app-x")]
    [InlineData("app.x")]
    [InlineData("app_x")]
    [InlineData("ap")]
    public void The_range_of_an_app_ends_before_names_that_begin_alike(string other)
    {
        Assert.True(Keys.OfApp('i', "app").Contains(Keys.Image("app", Sha256)));
        Assert.False(Keys.OfApp('i', "app").Contains(Keys.Image(other, Sha256)));
        Assert.False(Keys.OfApp('i', "app").Contains(Keys.Tag("app", "x")));
        Assert.False(Keys.Dependencies("app", Sha256).Contains(Keys.Dependency("app", Sha512, Dependent.Layout)));
        Assert.True(Keys.All('i').Contains(Keys.Image(other, Sha256)));
        Assert.False(Keys.All('i').Contains(Keys.Layout(other)));
    }

    [Fact]
    public void A_range_is_what_its_prefix_says() =>
        Gen.Select(App, Gen.Char["!\" #,-.0az"].Array[0, 4].Select(letters => new string(letters)))
            .Sample(
                (app, rest) =>
                {
                    var range = Keys.OfApp('i', app);
                    var key = range.From[..^1] + rest;
                    Assert.Equal(key.StartsWith(range.From, StringComparison.Ordinal), range.Contains(key));
                },
                iter: 5_000,
                threads: 1
            );

    public static TheoryData<string, string> Extremes =>
        new() { { new string('a', 253), "longest" }, { "a-b.c/d_e", "every letter" } };

    [Theory]
    [MemberData(nameof(Extremes))]
    public void A_key_fits_and_holds_no_forbidden_letter(string app, string why)
    {
        string[] keys =
        [
            JournalKeys.Version,
            JournalKeys.Entry(long.MaxValue),
            Keys.Image(app, Sha512),
            Keys.Tag(app, new string('t', 128)),
            Keys.Blob(app, Sha512),
            Keys.Dependency(app, Sha512, Dependent.Manifest(Sha512)),
            Keys.Dependency(app, Sha512, Dependent.Tag(new string('t', 128))),
            Keys.Layout(app),
            Keys.Refused("\0/\\#?" + new string('é', 1_000)),
            Keys.RefusedPartition,
        ];
        foreach (var key in keys)
        {
            Assert.True(key.Length <= 512, why);
            Assert.DoesNotContain(key, c => c is '/' or '\\' or '#' or '?' or '\'' or < ' ' or > '~');
        }

        Assert.Equal(keys.Length, keys.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void The_log_is_in_the_order_of_its_numbers() =>
        Gen.Select(Gen.Long[0, long.MaxValue], Gen.Long[0, 1_000])
            .Sample(
                (a, b) => Assert.Equal(a.CompareTo(b), Compare(JournalKeys.Entry(a), JournalKeys.Entry(b))),
                iter: 2_000,
                threads: 1
            );

    [Fact]
    public void Whoever_needs_is_told_apart()
    {
        Dependent[] dependents =
        [
            Dependent.Layout,
            Dependent.Tag("index.json"),
            Dependent.Tag("latest"),
            Dependent.Tag("sha256"),
            Dependent.Manifest(Sha256),
            Dependent.Manifest(Sha512),
        ];
        Assert.Equal(
            dependents.Length,
            dependents.Select(n => Keys.Dependency("a", Sha256, n)).Distinct(StringComparer.Ordinal).Count()
        );
        foreach (var dependent in dependents)
        {
            Assert.Equal(dependent, Dependent.Parse(dependent.Text));
        }
    }

    [Theory]
    [InlineData("web")]
    [InlineData("a-b.c/d_e--f/g.h")]
    public void A_name_is_read_back_from_its_form_in_keys(string app) =>
        Assert.Equal(app, Keys.Decode(Keys.Encode(app)));

    private static int Compare(string a, string b) => Math.Sign(string.CompareOrdinal(a, b));
}
