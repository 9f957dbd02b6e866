using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace ImagesFunctions.Tests.Faults;

/// <summary>Push sessions that two requests end at the same time, once for every storage call of the first, or for a sample of them.</summary>
[TakesLong(seconds: 30)]
public sealed class SessionsEnd
{
    private const string Repo = "alice/web";

    // The first chunk stands in the session's row, or in a blob.
    private const int InRow = 1_000;
    private const int InBlob = 20_000;

    [ScheduleTheory]
    [InlineData("DELETE", "", InRow)]
    [InlineData("DELETE", "the last chunk", InBlob)]
    [InlineData("PUT", "", InBlob)]
    [InlineData("PUT", "the last chunk", InRow)]
    public Task The_end_against_another_one_is_done_or_finds_no_session_any_more(
        string method,
        string chunk,
        int length
    ) => EndsAsync(method, chunk, length, every: 3);

    [LongFact]
    public async Task The_end_against_another_one_at_every_call()
    {
        foreach (var chunk in new[] { "", "the last chunk" })
        {
            foreach (var length in new[] { InRow, InBlob })
            {
                await EndsAsync("DELETE", chunk, length, every: 1);
                await EndsAsync("PUT", chunk, length, every: 1);
            }
        }
    }

    private static async Task EndsAsync(string method, string chunk, int length, int every)
    {
        var (bytes, last) = (RandomNumberGenerator.GetBytes(length), Encoding.UTF8.GetBytes(chunk));
        var digest = Layout.DigestOf([.. bytes, .. last]);
        for (var call = 1 + Random.Shared.Next(every); ; call += every)
        {
            var connection = await Storages.NewWithTablesAsync();
            await using var one = new Node(connection);
            await using var two = new Node(connection);
            var token = await NodeRegistry.TokenAsync(two, "alice");
            var (first, second) = (new NodeRegistry(one, "alice", token), new NodeRegistry(two, "alice", token));
            var location = (await second.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/"))["Location"]!;
            Assert.Equal(HttpStatusCode.Accepted, (await second.SendAsync("PATCH", location, bytes)).Status);
            HttpStatusCode? other = null;
            one.Calls.RunBefore(
                call,
                async () => other = (await second.SendAsync(method, $"{location}?digest={digest}", last)).Status
            );

            var put = await first.SendAsync("PUT", $"{location}?digest={digest}", last);

            if (other is null && put.Status == HttpStatusCode.Created)
            {
                // All of its calls were looked at.
                Assert.True(call > 7, $"The end makes only {call - 1} calls.");
                break;
            }

            var told = $"before call {call}: {put.Status} {put.Text}, {method} {other}";
            Assert.True(put.Status is HttpStatusCode.Created or HttpStatusCode.NotFound, told);
            var there = (await second.SendAsync("GET", $"/v2/{Repo}/blobs/{digest}")).Status == HttpStatusCode.OK;
            Assert.True(there == (HttpStatusCode.Created == put.Status || other == HttpStatusCode.Created), told);
            Assert.Equal(HttpStatusCode.NotFound, (await second.SendAsync("GET", location)).Status);
        }
    }
}
