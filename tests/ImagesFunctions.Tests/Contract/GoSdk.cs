using System.Text;
using System.Text.Json;

namespace ImagesFunctions.Tests.Contract;

/// <summary>
/// The vendor's Go SDK: the bytes that it sends (recorded from Go's own HTTP client, which adds the headers), and answers
/// read as strictly as it reads them. It does not go on with what it cannot read, so a wrong type here is an outage there.
/// </summary>
public sealed class GoSdk(KestrelFixture fixture) : AgainstAHost(fixture)
{
    [Fact]
    public async Task List_sends_no_body_and_reads_every_image()
    {
        var world = await World.OfAsync(Host);

        var answer = Read(await SendAsync(world.AliceToken, body: null));

        Assert.Equal("success", answer.Status);
        Assert.Subset(
            answer.Entries.Select(e => e.Digest).ToHashSet(),
            new HashSet<string?> { world.Named("{alice}/web@{one}"), world.Named("{hello}@{five}") }
        );
        Assert.All(answer.Entries, e => Assert.Null(e.Error));
    }

    [Fact]
    public async Task An_older_List_sends_an_empty_object_and_reads_the_same()
    {
        var world = await World.OfAsync(Host);

        Assert.Contains(
            world.Named("{alice}/web@{one}"),
            Read(await SendAsync(world.AliceToken, "{}")).Entries.Select(e => e.Digest)
        );
    }

    [Fact]
    public async Task List_of_an_account_that_has_nothing_is_no_nil()
    {
        var token = await Host.TokenForAsync(Drop.Fresh("alice"));

        // `AllOrErr` takes entries that are null for an error.
        Assert.NotNull(Read(await SendAsync(token, "[]")).Entries);
        Assert.Empty(Read(await SendAsync(token, "[]")).Entries);
    }

    [Theory]
    [InlineData("{alice}/web:1", "{alice}/web@{one}")]
    [InlineData("{alice}/web@{two}", "{alice}/web@{two}")]
    [InlineData("{hello}:latest", "{hello}@{five}")]
    [InlineData("official/{hello}@{five}", "{hello}@{five}")]
    public async Task Get_of_one_id_reads_that_image(string id, string digest)
    {
        var world = await World.OfAsync(Host);

        var answer = Read(await SendAsync(world.AliceToken, Get(world, id)));

        Assert.Equal("success", answer.Status);
        Assert.Equal(world.Named(digest), Assert.Single(answer.Entries).Digest);
    }

    [Fact]
    public async Task Get_of_many_ids_known_and_unknown_reads_one_entry_each_with_the_errors_number()
    {
        var world = await World.OfAsync(Host);
        string[] ids =
        [
            "{alice}/web:1",
            "{alice}/web:nope",
            "{hello}@{five}",
            "{bob}/hidden@{hidden}",
            "no tag",
            "a<b&c>@d",
            "{alice}/web2:latest",
        ];

        var answer = Read(await SendAsync(world.AliceToken, Get(world, ids)));

        Assert.Equal("partial_success", answer.Status);
        Assert.NotEqual("", answer.Message);
        Assert.Equal([null, 8, null, 8, 7, 7, null], answer.Entries.Select(e => e.Error));
        Assert.All(answer.Entries.Where(e => e.Error is not null), e => Assert.NotEqual("", e.Message));
        Assert.Equal(world.Named("{alice}/web2@{four}"), answer.Entries[^1].Digest);
    }

    [Fact]
    public async Task Get_of_unknown_ids_alone_is_an_error_in_an_answer_of_200()
    {
        var world = await World.OfAsync(Host);

        var answer = Read(await SendAsync(world.AliceToken, Get(world, "{nobody}:1", "{nobody}/web@{none}")));

        Assert.Equal("error", answer.Status);
        Assert.Equal([8, 8], answer.Entries.Select(e => e.Error));
    }

    [Fact]
    public async Task Whatever_is_not_200_has_JSON_and_says_so()
    {
        var reply = await SendAsync("no token", body: null);

        Assert.Equal(401, reply.Status);
        Assert.StartsWith("application/json", reply["Content-Type"], StringComparison.Ordinal);
        using var json = JsonDocument.Parse(reply.Text);
        Assert.Equal(401, json.RootElement.GetProperty("errors")[0].GetProperty("status").GetInt32());
    }

    [Fact]
    public async Task The_metros_health_check_gets_401_at_the_root()
    {
        var reply = await Host.SendAsync(
            Encoding.ASCII.GetBytes(
                $"GET / HTTP/1.1\r\nHost: {Host.Http.BaseAddress!.Authority}\r\nUser-Agent: Go-http-client/1.1\r\n"
                    + "Accept-Encoding: gzip\r\nConnection: close\r\n\r\n"
            )
        );

        Assert.Equal(401, reply.Status);
    }

    // As Go's encoder writes it: these three letters are escaped.
    private static string Get(World world, params string[] ids) =>
        "["
        + string.Join(
            ',',
            ids.Select(world.Named)
                .Select(id =>
                    $$"""{"{{(id.Contains('@') ? "digest" : "tag")}}":"{{id.Replace("<", "\\u003c").Replace(">", "\\u003e").Replace("&", "\\u0026")}}"}"""
                )
        )
        + "]";

    // Byte for byte, but for the connection, which Go would keep.
    private Task<Reply> SendAsync(string token, string? body) =>
        Host.SendAsync(
            Encoding.UTF8.GetBytes(
                "GET /v1/images/list HTTP/1.1\r\n"
                    + $"Host: {Host.Http.BaseAddress!.Authority}\r\n"
                    + "User-Agent: Go-http-client/1.1\r\n"
                    + (body is null ? "" : $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n")
                    + $"Authorization: Bearer {token}\r\n"
                    + "Content-Type: application/json\r\n"
                    + "Accept-Encoding: gzip\r\n"
                    + "Connection: close\r\n\r\n"
                    + body
            )
        );

    private sealed record Response(string Status, string Message, IReadOnlyList<Entry> Entries);

    private sealed record Entry(string? Digest, string Message, int? Error);

    private static Response Read(Reply reply)
    {
        Assert.Equal(200, reply.Status);
        Assert.Equal("gzip", reply["Content-Encoding"]);
        using var json = JsonDocument.Parse(reply.Text);
        var root = json.RootElement;
        var message = Text(root, "message");
        foreach (var error in root.TryGetProperty("errors", out var errors) ? errors.EnumerateArray() : default)
        {
            Assert.True(error.GetProperty("status").TryGetInt32(out _));
        }

        // Whatever the one member of `data` is called, it holds the entries.
        var entries = Assert.Single(root.GetProperty("data").EnumerateObject()).Value;
        Assert.Equal(JsonValueKind.Array, entries.ValueKind);
        return new Response(Text(root, "status"), message, [.. entries.EnumerateArray().Select(ReadEntry)]);
    }

    private static Entry ReadEntry(JsonElement entry)
    {
        Text(entry, "args");
        Text(entry, "kernel_args");
        Text(entry, "status");
        foreach (var tag in entry.TryGetProperty("tags", out var tags) ? tags.EnumerateArray() : default)
        {
            Assert.Equal(JsonValueKind.String, tag.ValueKind);
        }

        foreach (var label in entry.TryGetProperty("labels", out var labels) ? labels.EnumerateObject() : default)
        {
            Assert.Equal(JsonValueKind.String, label.Value.ValueKind);
        }

        if (entry.TryGetProperty("initrd", out var initrd))
        {
            initrd.GetBoolean();
        }

        if (entry.TryGetProperty("size_in_bytes", out var size))
        {
            Assert.True(size.TryGetInt64(out _));
        }

        var digest = Text(entry, "digest");
        return new Entry(
            digest.Length == 0 ? null : digest,
            Text(entry, "message"),
            entry.TryGetProperty("error", out var error) ? error.GetInt32() : null
        );
    }

    // A string, or absent.
    private static string Text(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var value))
        {
            return "";
        }

        Assert.Equal(JsonValueKind.String, value.ValueKind);
        return value.GetString()!;
    }
}
