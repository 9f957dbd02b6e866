using System.Text;
using CsCheck;
using ImagesFunctions.Images;
using static ImagesFunctions.Tests.Images.Requested;

namespace ImagesFunctions.Tests.Images;

public sealed class ListRequestRefusals
{
    [Theory]
    [InlineData("?namespace", "'namespace' is malformed")]
    [InlineData("?namespace=", "'namespace' is malformed")]
    [InlineData("?namespace=\\", "'namespace' is malformed")]
    [InlineData("?namespace=alice/", "'namespace' is malformed")]
    [InlineData("?namespace=Alice", "'namespace' is malformed")]
    [InlineData("?namespace=alice\\\\", "'namespace' is malformed")]
    [InlineData("?namespace=official/team/web", "'namespace' is malformed")]
    [InlineData("?namespace=alice&namespace=bob", "'namespace' is given more than once")]
    [InlineData("?namespace=alice&namespace\\=alice", "'namespace' is given more than once")]
    [InlineData("?namespace=alice&namespace%5C=bob", "'namespace' is given more than once")]
    [InlineData("?tagged&tagged", "'tagged' is given more than once")]
    [InlineData("?tagged=yes", "'tagged' is a flag")]
    [InlineData("?tagged=TRUE", "'tagged' is a flag")]
    [InlineData("?Namespace=alice", "'Namespace' is unknown")]
    [InlineData("?namespaces=alice", "'namespaces' is unknown")]
    [InlineData("?=alice", "'' is unknown")]
    [InlineData("?limit", "'limit' has to be")]
    [InlineData("?limit=0", "'limit' has to be")]
    [InlineData("?limit=1001", "'limit' has to be")]
    [InlineData("?limit=-1", "'limit' has to be")]
    [InlineData("?limit=1.5", "'limit' has to be")]
    [InlineData("?limit=99999999999", "'limit' has to be")]
    [InlineData("?limit=1&limit=2", "'limit' is given more than once")]
    [InlineData("?after=", "'after' is malformed")]
    [InlineData("?after=alice/app", "'after' is malformed")]
    [InlineData("?after=alice/app:v1", "'after' is malformed")]
    [InlineData("?details=true", "'details' is unknown")]
    [InlineData("?metro=fra0", "'metro' is unknown")]
    [InlineData("?tag=alice/app", "'tag' is malformed")]
    [InlineData("?tag=", "'tag' is malformed")]
    [InlineData("?digest=alice/app:v1", "'digest' is malformed")]
    [InlineData("?digest", "'digest' is malformed")]
    public async Task A_query_that_is_misspelt_is_refused_and_named(string query, string reason) =>
        await AssertRefusedAsync(query, "", 400, reason);

    [Theory]
    [InlineData("{", "not valid JSON")]
    [InlineData("{}{}", "not valid JSON")]
    [InlineData("null", "has to be a JSON object")]
    [InlineData("7", "has to be a JSON object")]
    [InlineData("\"x\"", "has to be a JSON object")]
    [InlineData("""{"Tag":"alice/app:v1"}""", "'Tag' is unknown")]
    [InlineData("""{"namespace":"alice"}""", "'namespace' is unknown")]
    [InlineData("""{"tag":7}""", "'tag' has to be a string")]
    [InlineData("""{"tag":null}""", "'tag' has to be a string")]
    [InlineData("""{"tagged":true}""", "'tagged' has to be a string")]
    [InlineData("""{"tag":"alice/app"}""", "'tag' is malformed")]
    [InlineData("""{"tag":""}""", "'tag' is malformed")]
    [InlineData("""{"digest":"alice/app:v1"}""", "'digest' is malformed")]
    [InlineData("""{"digest":"sha256:abc"}""", "'digest' is malformed")]
    [InlineData("""{"tag":"a/b:c","tagged":"a/b:c"}""", "'tag' is given twice")]
    [InlineData("""{"tag":"a/b:c","tag":"a/b:c"}""", "not valid JSON")]
    [InlineData("""{"tag":"\ud800"}""", "not valid Unicode")]
    [InlineData("""{"\ud800":"a/b:c"}""", "not valid")]
    [InlineData("""{"tag":[[[[[[[[[[]]]]]]]]]]}""", "not valid JSON")]
    [InlineData("{\n  'tag': 'a\"b'\n}", "line 2, byte 12")]
    [InlineData("{'tag':'a/b:c','tag':'a/b:c'}", "not valid JSON")]
    [InlineData("{'tag':'a/b:c\\''}", "not valid JSON")]
    [InlineData("{'tag':'it's'}", "not valid JSON")]
    [InlineData("{'tag':'a\\\"b'}", "'tag' is malformed")]
    [InlineData("{\"tag\":\"it's\"}", "'tag' is malformed")]
    [InlineData("[{}]", "Item 0 of the body is empty")]
    [InlineData("[null]", "Item 0 of the body has to be an object")]
    [InlineData("[[]]", "Item 0 of the body has to be an object")]
    [InlineData("""["a/b:c"]""", "Item 0 of the body has to be an object")]
    [InlineData("""[{"tag":"a/b:c"},{"digests":"x"}]""", "Item 1 of the body: the member 'digests' is unknown")]
    [InlineData("""[{"tag":7}]""", "Item 0 of the body: the member 'tag' has to be a string")]
    [InlineData("""[{"tag":"a/b:c","tagged":"a/b:c"}]""", "Item 0 of the body: 'tag' is given twice")]
    [InlineData("""[{"tag":"a/b:c"}""", "not valid JSON")]
    public async Task A_body_that_is_misspelt_is_refused_and_named(string body, string reason) =>
        await AssertRefusedAsync("", body, 400, reason);

    [Fact]
    public async Task The_same_filter_in_query_and_body_is_refused()
    {
        await AssertRefusedAsync("?tag=a/b:c", """{"tag":"a/b:c"}""", 400, "'tag' is given twice");
        await AssertRefusedAsync("?tag=a/b:c", """{"tagged":"a/b:c"}""", 400, "'tag' is given twice");
        await AssertRefusedAsync(
            $"?digest=a/b@{Digest}",
            $$"""{"digest":"a/b@{{Digest}}"}""",
            400,
            "'digest' is given twice"
        );
    }

    [Theory]
    [InlineData("?limit=2")]
    [InlineData("?tag=a/b:c")]
    public async Task A_batch_has_no_pages_and_no_other_filter(string query) =>
        await AssertRefusedAsync(query, """[{"tag":"a/b:c"}]""", 400, "do not go with an array");

    [Fact]
    public async Task A_batch_has_1000_items_at_the_most()
    {
        static string Batch(int items) => $"[{string.Join(',', Enumerable.Repeat("""{"tag":"a/b:c"}""", items))}]";

        Assert.Equal(1_000, (await RequestAsync("", Batch(1_000))).Batch!.Count);
        await AssertRefusedAsync("", Batch(1_001), 400, "1001 items");
        Assert.Equal(5, (await Assert.ThrowsAsync<ApiException>(() => RequestAsync("", Batch(1_001)))).Number);
    }

    [Fact]
    public async Task A_body_beyond_1_MiB_is_refused()
    {
        Assert.Equal(new ListFilter(), await ReadAsync("", "{}".PadRight(1024 * 1024)));
        await AssertRefusedAsync("", "{}".PadRight((1024 * 1024) + 1), 413, "longer than");
    }

    [Fact]
    public void Random_queries_are_read_or_refused_and_nothing_else_happens() =>
        Gen.OneOf(
                "namespace",
                "tagged",
                "digest",
                "tag",
                "=",
                "&",
                "\\",
                "%5C",
                "%",
                "%ff",
                "alice",
                "/",
                "app",
                ":",
                "@",
                "1",
                "+",
                ";",
                "é",
                "?",
                Digest
            )
            .Array[0, 12]
            .Sample(pieces => OnlyRefuses("?" + string.Concat(pieces), []), iter: 10_000, threads: 1);

    [Fact]
    public void Random_bodies_are_read_or_refused_and_nothing_else_happens()
    {
        Gen.OneOf(
                "{",
                "}",
                "[",
                "]",
                "\"",
                ":",
                ",",
                "'",
                "\\",
                "\\ud800",
                "\"tag\"",
                "\"digest\"",
                "\"tagged\"",
                "\"a/b:c\"",
                "null",
                "1",
                "true",
                " ",
                "//",
                "é",
                Digest
            )
            .Array[0, 12]
            .Sample(pieces => OnlyRefuses("", Encoding.UTF8.GetBytes(string.Concat(pieces))), iter: 10_000, threads: 1);
        Gen.Byte.Array[0, 60].Sample(bytes => OnlyRefuses("", bytes), iter: 5_000, threads: 1);
        Gen.Byte.Array[0, 8]
            .Sample(bytes => OnlyRefuses("", [.. "{\"tag\":\""u8, .. bytes, .. "\"}"u8]), iter: 5_000, threads: 1);
        Gen.Byte.Array[0, 8]
            .Sample(bytes => OnlyRefuses("", [.. "{\""u8, .. bytes, .. "\":\"a/b:c\"}"u8]), iter: 5_000, threads: 1);
    }

    private static void OnlyRefuses(string query, byte[] body)
    {
        // Reading from memory never waits.
        var reading = ReadAsync(query, body);
        Assert.True(reading.IsCompleted);
        var error = reading.Exception?.InnerException;
        Assert.True(error is null or ApiException { Status: 400 }, error?.ToString());
    }

    private static async Task AssertRefusedAsync(string query, string body, int status, string reason)
    {
        var error = await Assert.ThrowsAsync<ApiException>(() => ReadAsync(query, body));
        Assert.Equal(status, error.Status);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.DoesNotMatch(@"\.\.\z", error.Message);
    }
}
