using ImagesFunctions.Images;
using static ImagesFunctions.Tests.Images.Requested;

namespace ImagesFunctions.Tests.Images;

public sealed class ListRequestTests
{
    [Theory]
    [InlineData("")]
    [InlineData("?")]
    public async Task Nothing_is_asked_for_where_nothing_is_given(string query)
    {
        foreach (var body in (string[])["", "{}", " {} \n", "'{}'", "''", "  "])
        {
            Assert.Equal(new ListFilter(), await ReadAsync(query, body));
        }
    }

    [Theory]
    [InlineData("?namespace=alice", "alice", null)]
    [InlineData("?namespace=alice/team/web", "alice", "team/web")]
    [InlineData("?namespace=alice%2Fapp", "alice", "app")]
    [InlineData("?namespace=official", "official", null)]
    [InlineData("?namespace=official/hello", "official", "hello")]
    [InlineData("?namespace\\=alice\\&tagged", "alice", null)]
    [InlineData("?namespace%5C=alice%5C&tagged%5C", "alice", null)]
    public async Task A_namespace_may_name_an_app(string query, string @namespace, string? app)
    {
        var filter = await ReadAsync(query, "");
        Assert.Equal((@namespace, app), (filter.Namespace, filter.App));
        Assert.Equal(query.Contains("tagged", StringComparison.Ordinal), filter.Tagged);
    }

    [Theory]
    [InlineData("?tagged", true)]
    [InlineData("?tagged=", true)]
    [InlineData("?tagged=true", true)]
    [InlineData("?tagged=1", true)]
    [InlineData("?tagged=1\\", true)]
    [InlineData("?tagged\\", true)]
    [InlineData("?tagged=false", false)]
    [InlineData("?tagged=0", false)]
    public async Task Tagged_is_a_flag(string query, bool tagged) =>
        Assert.Equal(tagged, (await ReadAsync(query, "")).Tagged);

    [Fact]
    public async Task References_stand_in_the_query_or_in_the_body()
    {
        foreach (var repository in (string[])["alice/app", "app", "official/app"])
        {
            var full = repository == "app" ? "official/app" : repository;
            var (digest, tag) = ($"{repository}@{Digest}", $"{repository}:v1");
            ListFilter[] filters =
            [
                await ReadAsync($"?digest={digest}&tag={tag}", ""),
                await ReadAsync($"?digest={digest}\\&tag={tag}%5C", ""),
                await ReadAsync("", $$"""{"digest":"{{digest}}","tag":"{{tag}}"}"""),
                await ReadAsync("", $$"""'{"digest":"{{digest}}","tag":"{{tag}}"}'"""),
                await ReadAsync("", $$"""{"digest":"{{digest}}","tagged":"{{tag}}"}"""),
                await ReadAsync($"?tag={tag}", $$"""{"digest":"{{digest}}"}"""),
            ];
            foreach (var filter in filters)
            {
                Assert.Equal((full, Digest), (filter.Digest?.Repository.ToString(), filter.Digest?.Digest?.ToString()));
                Assert.Equal((full, "v1"), (filter.Tag?.Repository.ToString(), filter.Tag?.Tag));
                Assert.False(filter.Tagged);
            }
        }
    }

    [Fact]
    public async Task An_array_is_a_batch_in_its_order()
    {
        Assert.Empty((await RequestAsync("", "[]")).Batch!);
        Assert.Null((await RequestAsync("", "{}")).Batch);

        var request = await RequestAsync(
            "?namespace=alice&tagged",
            $$"""'[{"tag":"alice/app:v1"},{"digest":"app@{{Digest}}","tagged":"app:v2"},{"tag":"no tag"}]'"""
        );

        Assert.Equal(
            [
                new BatchItem(TagText: "alice/app:v1"),
                new BatchItem($"app@{Digest}", "app:v2"),
                new BatchItem(TagText: "no tag"),
            ],
            request.Batch
        );
        Assert.Equal([null, null, "tag"], request.Batch!.Select(i => i.MalformedMember));
        Assert.Equal(("alice", true), (request.Filter.Namespace, request.Filter.Tagged));
        Assert.Equal("v1", request.Batch![0].Filter(request.Filter).Tag?.Tag);
    }

    [Fact]
    public async Task Pages_have_a_limit_and_a_place_to_begin()
    {
        var request = await RequestAsync($"?limit=1000&after=alice/app@{Digest}", "");

        Assert.Equal(
            (1_000, $"alice/app@{Digest}"),
            (request.Limit, $"{request.After!.Repository}@{request.After.Digest}")
        );
    }

    [Fact]
    public async Task Later_generations_send_details_and_metro_which_say_nothing() =>
        Assert.Equal(new ListRequest(), await RequestAsync("?details=maybe&metro=fra0", "", ofLaterGeneration: true));
}
