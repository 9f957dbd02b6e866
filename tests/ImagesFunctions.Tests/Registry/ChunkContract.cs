using System.Net;

namespace ImagesFunctions.Tests.Registry;

/// <summary>What a push of a blob in chunks promises, sentence by sentence.</summary>
[TakesLong(seconds: 25)]
public sealed class ChunkContract(KestrelFixture fixture) : AgainstUploads(fixture)
{
    [Theory]
    [InlineData("sha256", "", true)]
    [InlineData("sha512", "", true)]
    [InlineData("sha512", "?digest-algorithm=sha512", true)]
    [InlineData("sha256", "?digest-algorithm=sha512", true)]
    [InlineData("sha256", "?digest-algorithm=sha256&other=1", false)]
    public async Task Unequal_chunks_make_one_blob_whatever_algorithm_was_hinted_at(
        string algorithm,
        string hint,
        bool lastInPut
    )
    {
        var client = await ClientAsync();
        var bytes = Some(9 * MiB);
        var digest = Layout.DigestOf(bytes, algorithm);
        var location = (await client.SendAsync("POST", $"/v2/{Repository}/blobs/uploads/{hint}"))["Location"]!;
        int[] ends = [1, 1_000, 5 * MiB, (5 * MiB) + 3, 9 * MiB];
        var at = 0;
        foreach (var end in lastInPut ? ends[..^1] : ends)
        {
            var patch = await client.PatchAsync(location, bytes[at..end], at);
            Assert.Equal(HttpStatusCode.Accepted, patch.Status);
            Assert.Equal($"0-{end - 1}", patch["Range"]);
            at = end;
        }

        var put = lastInPut
            ? await client.SendAsync(
                "PUT",
                $"{location}?digest={digest}",
                bytes[at..],
                headers: RegistryClient.Range(at, bytes.Length - at)
            )
            : await client.SendAsync("PUT", $"{location}?digest={digest}", []);

        IsCreated(put, digest);
        await IsThereAsync(client, digest, bytes);
        await LeavesNothingAsync();
    }

    [Theory]
    [InlineData("0-4")]
    [InlineData("4-8")]
    [InlineData("6-10")]
    [InlineData("bytes 6-10/*")]
    [InlineData("9223372036854775806-9223372036854775807")]
    public async Task A_chunk_that_does_not_begin_where_the_last_one_ended_is_416_and_the_session_lives_on(string range)
    {
        var client = await ClientAsync();
        var bytes = "0123456789"u8.ToArray();
        var digest = Layout.DigestOf(bytes);
        var location = await client.BeginAsync(Repository);
        await client.PatchAsync(location, bytes[..5], 0);

        foreach (var (method, query) in new[] { ("PATCH", ""), ("PUT", $"?digest={digest}") })
        {
            var reply = await client.SendAsync(method, location + query, bytes[5..], headers: ("Content-Range", range));
            if (range.StartsWith("92", StringComparison.Ordinal))
            {
                Is(HttpStatusCode.BadRequest, "BLOB_UPLOAD_INVALID", reply);
                continue;
            }

            Is(HttpStatusCode.RequestedRangeNotSatisfiable, "BLOB_UPLOAD_INVALID", reply);
            Assert.Equal("0-4", reply["Range"]);
            Assert.Equal(location, reply["Location"]);
        }

        await IsAtAsync(client, location, "0-4");
        Assert.Equal(
            HttpStatusCode.Accepted,
            (await client.SendAsync("PATCH", location, bytes[5..], headers: ("Content-Range", "bytes 5-9/10"))).Status
        );
        IsCreated(await client.SendAsync("PUT", $"{location}?digest={digest}"), digest);
    }

    [Theory]
    [InlineData("0-5", false, "SIZE_INVALID")]
    [InlineData("0-3", false, "SIZE_INVALID")]
    [InlineData("0-5", true, "SIZE_INVALID")]
    [InlineData("0-3", true, "SIZE_INVALID")]
    [InlineData("3-1", false, "BLOB_UPLOAD_INVALID")]
    [InlineData("-4", false, "BLOB_UPLOAD_INVALID")]
    [InlineData("zero-four", false, "BLOB_UPLOAD_INVALID")]
    public async Task A_chunk_that_is_not_as_long_as_its_range_is_400_and_counts_for_nothing(
        string range,
        bool chunked,
        string code
    )
    {
        var client = await ClientAsync();
        var location = await client.BeginAsync(Repository);
        foreach (
            var (method, query) in new[] { ("PATCH", ""), ("PUT", $"?digest={Layout.DigestOf("01234"u8.ToArray())}") }
        )
        {
            Is(
                HttpStatusCode.BadRequest,
                code,
                await client.SendAsync(method, location + query, "01234"u8.ToArray(), chunked, ("Content-Range", range))
            );
        }

        await IsAtAsync(client, location, "0-0");
        await LeavesNothingAsync();
    }

    [Fact]
    public async Task Of_two_chunks_for_the_same_place_one_counts_and_the_blob_is_what_was_accepted()
    {
        var client = await ClientAsync();
        var location = await client.BeginAsync(Repository);
        var chunks = Enumerable.Range(0, 6).Select(_ => Some(1_000)).ToList();

        var replies = await Task.WhenAll(chunks.Select(chunk => client.PatchAsync(location, chunk, 0)));

        var accepted = Assert.Single(replies.Zip(chunks), r => r.First.Status == HttpStatusCode.Accepted);
        Assert.All(
            replies.Where(r => r != accepted.First),
            r => Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, r.Status)
        );
        var digest = Layout.DigestOf(accepted.Second);
        IsCreated(await client.SendAsync("PUT", $"{location}?digest={digest}"), digest);
        await IsThereAsync(client, digest, accepted.Second);
        await LeavesNothingAsync();
    }

    [Fact]
    public async Task Many_small_chunks_are_never_refused()
    {
        var client = await ClientAsync();
        var bytes = Some(620);
        var location = await client.BeginAsync(Repository);
        for (var i = 0; i < bytes.Length; i++)
        {
            Assert.Equal(HttpStatusCode.Accepted, (await client.PatchAsync(location, [bytes[i]], i)).Status);
        }

        var digest = Layout.DigestOf(bytes);
        IsCreated(await client.SendAsync("PUT", $"{location}?digest={digest}"), digest);
        await IsThereAsync(client, digest, bytes);
        await LeavesNothingAsync();
    }
}
