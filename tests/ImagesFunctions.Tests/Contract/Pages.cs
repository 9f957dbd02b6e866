using System.Globalization;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>`limit`, `after`, `Link` and `X-Total-Count`. One test a sentence; malformed ones are in <see cref="InputSentences"/>.</summary>
public sealed class Pages(KestrelFixture fixture) : AgainstAHost(fixture)
{
    [Theory]
    [InlineData("/v1/images/list?namespace={alice}")]
    [InlineData("/v1/images/list?namespace={alice}&tagged")]
    [InlineData("/v1/images/list?namespace={alice}/web")]
    [InlineData("/v1/images?tagged=true&namespace={alice}&metro=a%20b")]
    [InlineData("/v1/image-store?namespace={alice}")]
    [InlineData("/v1/images/list?namespace\\={alice}\\&tagged")]
    [InlineData("/v1/images/list?%6eamespace=%61{alice}")]
    public async Task Following_the_links_to_the_end_gives_the_whole_list_once_in_its_order(string target)
    {
        var world = await World.OfAsync(Host);
        var whole = await Host.AskAsync(world.Named(target), world.AliceToken);
        AssertSuccess(whole.Answer);
        Assert.Null(whole["Link"]);
        Assert.Equal(whole.Images.Count.ToString(CultureInfo.InvariantCulture), whole["X-Total-Count"]);
        foreach (var limit in (int[])[1, 2, 3, 7, 1000])
        {
            var pages = new List<Reply>();
            var next = $"{world.Named(target)}&limit={limit}";
            while (next is not null)
            {
                var page = await Host.AskAsync(next, world.AliceToken);
                AssertSuccess(page.Answer);
                Assert.Equal(whole["X-Total-Count"], page["X-Total-Count"]);
                pages.Add(page);
                next = Next(page);
                Assert.True(next is null || page.Images.Count == limit, "Only the last page may be short.");
            }

            Assert.Equal(
                whole.Images.Select(i => i.ToJsonString()),
                pages.SelectMany(p => p.Images).Select(i => i.ToJsonString())
            );
            Assert.Equal(Math.Max(1, (whole.Images.Count + limit - 1) / limit), pages.Count);
            Assert.Equal(pages.Count, pages.Select(p => p["ETag"]).Distinct().Count());
        }
    }

    /// <summary>Several chunks of the list that is kept, whole and cut, in more bytes than are sent at once.</summary>
    [Theory]
    [InlineData("/v1/images/list", null, true)]
    [InlineData("/v1/images/list?tagged", null, true)]
    [InlineData("/v1/images/list", "gzip", false)]
    [InlineData("/v1/images", null, false)]
    public async Task A_list_of_two_thousand_images_is_the_sum_of_its_pages_and_says_its_length_where_it_is_known(
        string target,
        string? accepted,
        bool isLengthKnown
    )
    {
        var account = Drop.Fresh("many");
        var token = await Host.TokenForAsync(account);
        await Seeds.WriteAsync(
            Host.Storage.ImageTable,
            account,
            Seeds.Images(2_000, 30),
            imagesPerTag: 2,
            TestContext.Current.CancellationToken
        );
        var only = $"{(target.Contains('?') ? '&' : '?')}namespace={account}";
        (string, string)[] headers = accepted is null ? [] : [("Accept-Encoding", accepted)];

        var whole = await Host.AskAsync(target + only, token, body: null, headers);

        Assert.Equal(target.EndsWith("tagged", StringComparison.Ordinal) ? 1_000 : 2_000, whole.Images.Count);
        Assert.Equal(accepted, whole["Content-Encoding"]);
        Assert.Equal(isLengthKnown ? $"{whole.Body.Length}" : null, whole["Content-Length"]);
        var pages = new List<string>();
        for (var next = $"{target}{only}&limit=700"; next is not null; )
        {
            var page = await Host.AskAsync(next, token);
            pages.AddRange(page.Images.Select(i => i.ToJsonString()));
            next = Next(page);
        }

        Assert.Equal(pages, whole.Images.Select(i => i.ToJsonString()));
    }

    [Fact]
    public async Task The_link_is_relative_to_the_server_and_keeps_the_querys_other_parameters()
    {
        var world = await World.OfAsync(Host);

        var page = await Host.AskAsync(
            world.Named("/v1/images?tagged=1&metro=a%26b&limit=1&namespace={alice}%2Fweb2&after={alice}/aaa@{none}"),
            world.AliceToken
        );
        var more = await Host.AskAsync(world.Named("/v1/images/list?limit=2&namespace={alice}"), world.AliceToken);

        Assert.Null(page["Link"]);
        Assert.Equal(
            $"</v1/images/list?limit=2&namespace={world.Alice}&after={more.Digests[^1]}>; rel=\"next\"",
            Uri.UnescapeDataString(more["Link"]!)
        );
    }

    [Fact]
    public async Task After_need_not_exist_and_what_follows_begins_behind_it()
    {
        var world = await World.OfAsync(Host);
        async Task<IEnumerable<string>> AfterAsync(string after)
        {
            var reply = await Host.AskAsync(
                world.Named($"/v1/images/list?namespace={{alice}}&after={after}"),
                world.AliceToken
            );
            Assert.Equal("7", reply["X-Total-Count"]);
            return reply.Digests;
        }

        var all = (await Host.AskAsync(world.Named("/v1/images/list?namespace={alice}"), world.AliceToken)).Digests;

        Assert.Equal(all, await AfterAsync("{alice}/a@{none}"));
        Assert.Equal(all, await AfterAsync("a@{none}"));
        Assert.Equal(all, await AfterAsync("official/a@{none}"));
        Assert.Equal(all.Skip(1), await AfterAsync("{alice}/long@{long}"));
        Assert.Equal(all.Skip(3), await AfterAsync("{alice}/web@{none}"));
        Assert.Equal(all.Skip(5), await AfterAsync("{alice}/web@sha512:" + new string('f', 128)));
        Assert.Equal(all.Skip(6), await AfterAsync("{alice}/web/child/more@{none}"));
        Assert.Empty(await AfterAsync("{alice}/web2@{four}"));
        Assert.Empty(await AfterAsync("zzz/a@{none}"));
        // Another account's place is a place between letters, nothing more.
        Assert.Equal(await AfterAsync("{nobody}/web@{one}"), await AfterAsync("{bob}/web@{one}"));
    }

    [Fact]
    public async Task A_filter_for_one_image_has_pages_too()
    {
        var world = await World.OfAsync(Host);
        async Task<(int Images, string? Total, string? Link)> AskAsync(string query, string? body = null)
        {
            var reply = await Host.AskAsync(
                world.Named($"/v1/images/list?{query}"),
                world.AliceToken,
                body is null ? null : world.Named(body)
            );
            AssertSuccess(reply.Answer);
            return (reply.Images.Count, reply["X-Total-Count"], reply["Link"]);
        }

        Assert.Equal((1, "1", null), await AskAsync("limit=1&tag={alice}/web:1"));
        Assert.Equal((1, "1", null), await AskAsync("limit=1", """{"tag":"{alice}/web:1"}"""));
        Assert.Equal((0, "1", null), await AskAsync("limit=1&tag={alice}/web:1&after={alice}/web@{one}"));
        Assert.Equal((1, "1", null), await AskAsync("tag={alice}/web:1&after={alice}/app@{none}"));
        Assert.Equal((0, "0", null), await AskAsync("limit=1&tag={alice}/web:none"));
    }

    [Fact]
    public async Task A_batch_has_neither_a_total_nor_a_link()
    {
        var world = await World.OfAsync(Host);

        var reply = await Host.AskAsync(
            "/v1/images/list",
            world.AliceToken,
            world.Named("""[{"tag":"{alice}/web:1"}]""")
        );

        Assert.Equal((null, null), (reply["X-Total-Count"], reply["Link"]));
    }

    internal static string? Next(Reply page)
    {
        if (page["Link"] is not { } link)
        {
            return null;
        }

        Assert.StartsWith("</", link, StringComparison.Ordinal);
        Assert.EndsWith(">; rel=\"next\"", link, StringComparison.Ordinal);
        return link[1..link.IndexOf('>', StringComparison.Ordinal)];
    }
}
