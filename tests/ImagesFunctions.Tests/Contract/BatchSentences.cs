using System.Net;
using System.Text.Json.Nodes;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>An array in the body is a batch: what its items are answered with. What is refused is in <see cref="InputSentences"/>.</summary>
public sealed class BatchSentences(KestrelFixture fixture) : AgainstAHost(fixture)
{
    [Fact]
    public async Task One_result_an_element_in_order_and_the_same_element_twice_is_the_same_result_twice()
    {
        var world = await World.OfAsync(Host);
        string[] items =
        [
            """{"tag":"{hello}:latest"}""",
            """{"digest":"{alice}/web@{two}"}""",
            """{"tag":"{alice}/web:1"}""",
            """{"tagged":"official/{hello}:latest"}""",
            """{"digest":"{alice}/web@{two}"}""",
            """{"digest":"{alice}/web@{one}","tag":"{alice}/web:latest"}""",
        ];

        var reply = await AskAsync(world, "", items);

        AssertSuccess(reply.Answer);
        Assert.Equal(
            new[]
            {
                "{hello}@{five}",
                "{alice}/web@{two}",
                "{alice}/web@{one}",
                "{hello}@{five}",
                "{alice}/web@{two}",
                "{alice}/web@{one}",
            }.Select(world.Named),
            reply.Digests
        );
    }

    [Fact]
    public async Task An_element_that_is_found_is_the_very_object_of_the_list()
    {
        var world = await World.OfAsync(Host);
        var listed = await Host.AskAsync(world.Named("/v1/images/list?namespace={alice}/web&tagged"), world.AliceToken);

        var batch = await AskAsync(world, "", ["""{"tag":"{alice}/web:1"}"""]);

        Assert.Equal(listed.Images.Single().ToJsonString(), batch.Images.Single().ToJsonString());
    }

    [Theory]
    [InlineData("digest", "{alice}/web@{none}")]
    [InlineData("digest", "{alice}/multi@{amd64}")]
    [InlineData("digest", "{hello}@{one}")]
    [InlineData("digest", "{bob}/hidden@{hidden}")]
    [InlineData("digest", "{nobody}/web@{one}")]
    [InlineData("tag", "{alice}/web:2")]
    [InlineData("tag", "{bob}/web:1")]
    [InlineData("tag", "{nobody}:latest")]
    public async Task An_element_that_matches_nothing_is_an_item_error_8(string member, string reference)
    {
        var world = await World.OfAsync(Host);
        var name = world.Named(reference);

        var reply = await AskAsync(world, "", [$$"""{"{{member}}":"{{reference}}"}"""]);

        AssertFailures("error", reply.Answer);
        Assert.Equal(
            $$"""{"status":"error","message":"No image with name '{{name}}'","error":8,"{{member}}":"{{name}}"}""",
            Assert.Single(reply.Images).ToJsonString(Plain)
        );
    }

    [Theory]
    [InlineData("digest", "{alice}/web:1")]
    [InlineData("digest", "{one}")]
    [InlineData("digest", "")]
    [InlineData("tag", "{alice}/web")]
    [InlineData("tag", "{alice}/web@{one}")]
    [InlineData("tag", "Alice/Web:1")]
    [InlineData("tag", " ")]
    public async Task A_malformed_reference_inside_is_an_item_error_7(string member, string reference)
    {
        var world = await World.OfAsync(Host);

        var reply = await AskAsync(world, "", [$$"""{"{{member}}":"{{reference}}"}""", """{"tag":"{alice}/web:1"}"""]);

        AssertFailures("partial_success", reply.Answer);
        var item = reply.Images[0];
        Assert.Equal($"{member} error message status".Split(' ').Order(), MembersOf(item).Split(' ').Order());
        Assert.Equal("error", item["status"]!.GetValue<string>());
        Assert.Equal(7, item["error"]!.GetValue<int>());
        Assert.Equal(world.Named(reference), item[member]!.GetValue<string>());
        Assert.Contains($"'{member}'", item["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_envelope_is_error_when_all_failed_and_partial_success_when_some_did_and_200_either_way()
    {
        var world = await World.OfAsync(Host);
        const string good = """{"tag":"{alice}/web:1"}""";
        const string bad = """{"tag":"{alice}/web:2"}""";
        const string malformed = """{"tag":"{alice}"}""";

        AssertSuccess((await AskAsync(world, "", [good, good])).Answer);
        AssertFailures("partial_success", (await AskAsync(world, "", [good, bad])).Answer);
        AssertFailures("partial_success", (await AskAsync(world, "", [malformed, good])).Answer);
        AssertFailures("error", (await AskAsync(world, "", [bad])).Answer);
        AssertFailures("error", (await AskAsync(world, "", [bad, malformed])).Answer);
    }

    [Fact]
    public async Task Each_element_is_also_subject_to_namespace_and_tagged()
    {
        var world = await World.OfAsync(Host);
        string[] items =
        [
            """{"tag":"{alice}/web:1"}""",
            """{"digest":"{alice}/web@{two}"}""",
            """{"tag":"{alice}/web2:latest"}""",
            """{"tag":"{hello}:latest"}""",
        ];
        (string Query, bool[] Found)[] questions =
        [
            ("", [true, true, true, true]),
            ("?tagged", [true, false, true, true]),
            ("?tagged=0", [true, true, true, true]),
            ("?namespace={alice}", [true, true, true, false]),
            ("?namespace={alice}/web", [true, true, false, false]),
            ("?namespace={alice}/web&tagged", [true, false, false, false]),
            ("?namespace=official", [false, false, false, true]),
            ("?namespace={bob}", [false, false, false, false]),
        ];
        foreach (var (query, found) in questions)
        {
            var reply = await AskAsync(world, query, items);

            Assert.Equal(200, reply.Status);
            Assert.Equal(found, reply.Images.Select(i => !i.ContainsKey("error")));
        }
    }

    [Fact]
    public async Task A_batch_of_1000_is_answered_item_by_item()
    {
        var world = await World.OfAsync(Host);
        string[] items =
        [
            .. Enumerable
                .Range(0, 1000)
                .Select(i => i % 3 == 0 ? """{"tag":"{alice}/web:1"}""" : $$"""{"tag":"{alice}/web:no{{i}}"}"""),
        ];

        var reply = await AskAsync(world, "", items);

        AssertFailures("partial_success", reply.Answer);
        Assert.Equal(1000, reply.Images.Count);
        for (var i = 0; i < 1000; i++)
        {
            Assert.Equal(
                world.Named(i % 3 == 0 ? "{alice}/web@{one}" : $"{{alice}}/web:no{i}"),
                (i % 3 == 0 ? reply.Images[i]["digest"] : reply.Images[i]["tag"])!.GetValue<string>()
            );
        }
    }

    [Fact]
    public async Task Later_generations_take_the_same_array_and_show_their_own_shape()
    {
        var world = await World.OfAsync(Host);
        foreach (var route in (string[])["/v1/images", "/v1/image-store"])
        {
            var reply = await Host.AskAsync(
                route,
                world.AliceToken,
                world.Named("""[{"tag":"{alice}/web:1"},{"tag":"{alice}/web:2"}]""")
            );

            AssertFailures("partial_success", reply.Answer);
            Assert.Equal(world["one"], reply.Images[0]["digest"]!.GetValue<string>());
            Assert.Equal(8, reply.Images[1]["error"]!.GetValue<int>());
        }
    }

    private static readonly System.Text.Json.JsonSerializerOptions Plain = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private Task<Reply> AskAsync(World world, string query, string[] items) =>
        Host.AskAsync(
            world.Named($"/v1/images/list{query}"),
            world.AliceToken,
            world.Named($"[{string.Join(',', items)}]")
        );
}
