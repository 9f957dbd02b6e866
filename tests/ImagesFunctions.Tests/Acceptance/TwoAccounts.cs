using System.Net;

namespace ImagesFunctions.Tests.Acceptance;

/// <summary>Two accounts see nothing of each other: what is another's answers like what does not exist.</summary>
public sealed class TwoAccounts(KestrelFixture fixture) : AgainstAHost(fixture)
{
    [Fact]
    public async Task What_is_anothers_answers_exactly_like_what_does_not_exist()
    {
        var (alice, bob, nobody) = (Drop.Fresh("alice"), Drop.Fresh("bobby"), Drop.Fresh("nobod"));
        var (aliceToken, bobToken) = (await Host.TokenForAsync(alice), await Host.TokenForAsync(bob));
        var layout = new Layout();
        var image = layout.AddImage(alice);
        layout.Index(Layout.Tagged(image, "latest"));
        var digest = Layout.Digest(image);
        await Host.LayoutAsync($"{alice}/web", layout);
        await Host.ListsExactlyAsync(aliceToken, alice, layout.Listed($"{alice}/web", image, alice, "latest"));
        var missing = $"sha256:{new string('0', 64)}";

        (string Query, string? Body)[] questions =
        [
            ("namespace={0}", null),
            ("namespace={0}/web", null),
            ("namespace={0}&tagged", null),
            ("", $$"""{"digest":"{0}/web@{{digest}}"}"""),
            ("", """{"tag":"{0}/web:latest"}"""),
            ("namespace={0}", $$"""{"digest":"{0}/web@{{digest}}"}"""),
            ("namespace={0}", """{"tag":"{0}/web:latest"}"""),
        ];
        foreach (var (query, body) in questions)
        {
            var own = await Host.ListAsync(aliceToken, For(query, alice)!, For(body, alice));
            Assert.Equal($"{alice}/web@{digest}", Assert.Single(own.Digests));
            var others = await Host.ListAsync(bobToken, For(query, alice)!, For(body, alice));
            var nobodys = await Host.ListAsync(bobToken, For(query, nobody)!, For(body, nobody));
            Assert.Equal(HttpStatusCode.OK, others.Status);
            Assert.Equal(nobodys.Timeless, others.Timeless);
            Assert.Empty(others.Images);
        }

        // The same image, asked for by a digest that nobody has.
        var unknown = await Host.ListAsync(bobToken, body: $$"""{"digest":"{{alice}}/web@{{missing}}"}""");
        var known = await Host.ListAsync(bobToken, body: $$"""{"digest":"{{alice}}/web@{{digest}}"}""");
        Assert.Equal(unknown.Timeless, known.Timeless);
    }

    [Fact]
    public async Task Without_a_filter_an_account_lists_its_own_and_not_anothers()
    {
        var (alice, bob) = (Drop.Fresh("alice"), Drop.Fresh("bobby"));
        var (aliceToken, bobToken) = (await Host.TokenForAsync(alice), await Host.TokenForAsync(bob));
        // The very same bytes under the same app and tag: only the account differs.
        var layout = Layout.Small("the same", "latest");
        await Host.LayoutAsync($"{alice}/web", layout);
        await Host.LayoutAsync($"{bob}/web", layout);
        var digest = Layout.Digest(layout.Manifests[0]);
        await Host.ListedAsync(aliceToken, alice, $"{alice}/web@{digest}");
        await Host.ListedAsync(bobToken, bob, $"{bob}/web@{digest}");

        var alices = await Host.ListAsync(aliceToken);
        var bobs = await Host.ListAsync(bobToken);

        Assert.Contains($"{alice}/web@{digest}", alices.Digests, StringComparer.Ordinal);
        Assert.DoesNotContain(bob, alices.Body, StringComparison.Ordinal);
        Assert.Contains($"{bob}/web@{digest}", bobs.Digests, StringComparer.Ordinal);
        Assert.DoesNotContain(alice, bobs.Body, StringComparison.Ordinal);
    }

    /// <summary>A name that another begins with is still another name.</summary>
    [Fact]
    public async Task An_account_whose_name_begins_with_anothers_sees_nothing_of_it()
    {
        var alice = Drop.Fresh("alice");
        var longer = $"{alice}2";
        var aliceToken = await Host.TokenForAsync(alice);
        var longerToken = await Host.TokenForAsync(longer);
        await Host.LayoutAsync($"{longer}/web", Layout.Small("longer", "latest"));
        await Until.TrueAsync(
            async () => (await Host.ListAsync(longerToken, $"namespace={longer}")).Images.Count == 1,
            () => Host.ExplainAsync(longer)
        );

        Assert.Empty((await Host.ListAsync(aliceToken, $"namespace={alice}")).Images);
        Assert.Empty((await Host.ListAsync(aliceToken, $"namespace={longer}")).Images);
    }

    // Not string.Format: the braces of JSON stand beside the place for the name.
    private static string? For(string? text, string account) => text?.Replace("{0}", account, StringComparison.Ordinal);
}
