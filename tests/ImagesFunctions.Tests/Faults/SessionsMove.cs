using System.Net;
using System.Security.Cryptography;
using Azure.Core;

namespace ImagesFunctions.Tests.Faults;

/// <summary>Push sessions that go on elsewhere: each process knows the hash of what it has taken itself, and nothing else.</summary>
public sealed class SessionsMove
{
    private const string Repo = "alice/web";

    [Theory]
    [InlineData("ab", "a")]
    [InlineData("ab", "b")]
    [InlineData("aba", "a")]
    [InlineData("aab", "a")]
    [InlineData("abab", "b")]
    [InlineData("ba", "c")]
    public async Task Chunks_may_come_to_one_process_after_another_and_the_end_to_any(string chunks, string end)
    {
        var connection = await Storages.NewWithTablesAsync();
        var nodes = "abc".ToDictionary(name => name, _ => new Node(connection));
        try
        {
            var token = await NodeRegistry.TokenAsync(nodes['a'], "alice");
            var clients = nodes.ToDictionary(n => n.Key, n => new NodeRegistry(n.Value, "alice", token));
            var location = (await clients['a'].SendAsync("POST", $"/v2/{Repo}/blobs/uploads/"))["Location"]!;
            var all = new List<byte>();
            foreach (var node in chunks)
            {
                var chunk = RandomNumberGenerator.GetBytes(1_000);
                all.AddRange(chunk);
                var patch = await clients[node].SendAsync("PATCH", location, chunk);
                Assert.Equal(HttpStatusCode.Accepted, patch.Status);
                Assert.Equal($"0-{all.Count - 1}", patch["Range"]);
            }

            var digest = Layout.DigestOf([.. all]);
            var put = await clients[end[0]].SendAsync("PUT", $"{location}?digest={digest}");

            Assert.True(put.Status == HttpStatusCode.Created, put.Text);
            Assert.Equal(all, (await clients['c'].SendAsync("GET", $"/v2/{Repo}/blobs/{digest}")).Bytes);
        }
        finally
        {
            foreach (var node in nodes.Values)
            {
                await node.DisposeAsync();
            }
        }
    }

    /// <summary>The session names the chunk: to take the lost answer for a refusal would be to remove its bytes.</summary>
    [Fact]
    public async Task A_chunk_whose_answer_was_lost_stays_where_others_have_moved_the_session_on()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var one = new Node(connection);
        await using var two = new Node(connection);
        var token = await NodeRegistry.TokenAsync(one, "alice");
        var (first, second) = (new NodeRegistry(one, "alice", token), new NodeRegistry(two, "alice", token));
        var location = (await first.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/"))["Location"]!;
        byte[][] chunks = [.. Enumerable.Range(0, 4).Select(_ => RandomNumberGenerator.GetBytes(1_000))];
        await first.SendAsync("PATCH", location, chunks[0]);
        await second.SendAsync("PATCH", location, chunks[1]);
        var isLost = false;
        one.Calls.After = async (_, message) =>
        {
            // What it knew was old; this one is written on what it has read since.
            if (
                !isLost
                && message.Request.Method == RequestMethod.Put
                && IsSession(message)
                && message.Response.Status == 204
            )
            {
                isLost = true;
                await second.SendAsync("PATCH", location, chunks[3]);
                throw new IOException("The connection was cut.");
            }
        };

        var patch = await first.SendAsync("PATCH", location, chunks[2]);

        Assert.True(isLost);
        Assert.Equal(HttpStatusCode.Accepted, patch.Status);
        byte[] all = [.. chunks.SelectMany(c => c)];
        var put = await second.SendAsync("PUT", $"{location}?digest={Layout.DigestOf(all)}");
        Assert.True(put.Status == HttpStatusCode.Created, put.Text);

        static bool IsSession(HttpMessage message) =>
            message.Request.Uri.Path.Contains("RowKey='u", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_process_that_missed_a_chunk_does_not_take_part_of_a_blob_for_the_whole()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var one = new Node(connection);
        await using var two = new Node(connection);
        var token = await NodeRegistry.TokenAsync(one, "alice");
        var (first, second) = (new NodeRegistry(one, "alice", token), new NodeRegistry(two, "alice", token));
        var location = (await first.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/"))["Location"]!;
        var chunk = RandomNumberGenerator.GetBytes(1_000);
        await first.SendAsync("PATCH", location, chunk);
        await second.SendAsync("PATCH", location, RandomNumberGenerator.GetBytes(1_000));

        // What the first process alone has seen.
        var put = await first.SendAsync("PUT", $"{location}?digest={Layout.DigestOf(chunk)}");

        Assert.Equal(HttpStatusCode.BadRequest, put.Status);
        Assert.Equal("DIGEST_INVALID", put.Code);
    }
}
