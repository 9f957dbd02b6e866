using System.Net;

namespace ImagesFunctions.Tests.Registry;

/// <summary>What a push of a whole blob promises, sentence by sentence. Chunks are in <see cref="ChunkContract"/>.</summary>
[TakesLong(seconds: 30)]
public sealed class PushContract(KestrelFixture fixture) : AgainstUploads(fixture)
{
    /// <summary>Lengths around the block size, and algorithms, and whether the length is said.</summary>
    public static TheoryData<int, string, bool> Bodies =>
        [
            .. from length in new[] { 0, 1, 4 * MiB - 1, 4 * MiB, 4 * MiB + 1, 13 * MiB + 7 }
            from algorithm in new[] { "sha256", "sha512" }
            from chunked in new[] { false, true }
            select (length, algorithm, chunked),
        ];

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_blob_of_any_length_is_pushed_by_one_post(int length, string algorithm, bool chunked)
    {
        var client = await ClientAsync();
        var bytes = Some(length);
        var digest = Layout.DigestOf(bytes, algorithm);

        var reply = await client.SendAsync("POST", $"/v2/{Repository}/blobs/uploads/?digest={digest}", bytes, chunked);

        IsCreated(reply, digest);
        await IsThereAsync(client, digest, bytes);
    }

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_blob_of_any_length_is_pushed_by_post_and_put(int length, string algorithm, bool chunked)
    {
        var client = await ClientAsync();
        var bytes = Some(length);
        var digest = Layout.DigestOf(bytes, algorithm);
        var location = await client.BeginAsync(Repository);

        IsCreated(await client.SendAsync("PUT", $"{location}?digest={digest}", bytes, chunked), digest);

        await IsThereAsync(client, digest, bytes);
        await IsOverAsync(client, location);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1_000)]
    [InlineData((4 * MiB) + 1)]
    public async Task The_put_that_ended_a_session_is_answered_the_same_when_it_is_sent_again(int length)
    {
        var client = await ClientAsync();
        var bytes = Some(length);
        var digest = Layout.DigestOf(bytes);
        var (whole, chunks) = (await client.BeginAsync(Repository), await client.BeginAsync(Repository));
        await client.PatchAsync(chunks, bytes);
        for (var i = 0; i < 3; i++)
        {
            IsCreated(await client.SendAsync("PUT", $"{whole}?digest={digest}", bytes, chunked: i == 1), digest);
            IsCreated(await client.SendAsync("PUT", $"{chunks}?digest={digest}"), digest);
        }

        await IsThereAsync(client, digest, bytes);
        await IsOverAsync(client, whole);
        // With other bytes, or for what is not there, it is none that was ever answered.
        var (other, location) = (Some(5), $"{whole}?digest=");
        foreach (var (named, body) in new[] { (digest, other), (Layout.DigestOf(other), other) })
        {
            var reply = await client.SendAsync("PUT", location + named, body);
            Is(HttpStatusCode.NotFound, "BLOB_UPLOAD_UNKNOWN", reply);
        }
    }

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_blob_of_any_length_is_pushed_by_one_patch_and_a_put(int length, string algorithm, bool chunked)
    {
        var client = await ClientAsync();
        var bytes = Some(length);
        var digest = Layout.DigestOf(bytes, algorithm);
        var location = await client.BeginAsync(Repository);

        var patch = await client.PatchAsync(location, bytes, chunked: chunked);
        Assert.Equal(HttpStatusCode.Accepted, patch.Status);
        Assert.Equal($"0-{Math.Max(0, length - 1)}", patch["Range"]);
        IsCreated(await client.SendAsync("PUT", $"{patch["Location"]}?digest={digest}"), digest);

        await IsThereAsync(client, digest, bytes);
        await IsOverAsync(client, location);
        await LeavesNothingAsync();
    }

    [Theory]
    [InlineData(10, false)]
    [InlineData(10, true)]
    [InlineData(9 * MiB, false)]
    [InlineData(9 * MiB, true)]
    public async Task A_wrong_digest_is_400_and_leaves_nothing(int length, bool chunked)
    {
        var client = await ClientAsync();
        var bytes = Some(length);
        var wrong = Layout.DigestOf(Some(length));

        Is(
            HttpStatusCode.BadRequest,
            "DIGEST_INVALID",
            await client.SendAsync("POST", $"/v2/{Repository}/blobs/uploads/?digest={wrong}", bytes, chunked)
        );
        var first = await client.BeginAsync(Repository);
        Is(
            HttpStatusCode.BadRequest,
            "DIGEST_INVALID",
            await client.SendAsync("PUT", $"{first}?digest={wrong}", bytes, chunked)
        );
        var second = await client.BeginAsync(Repository);
        await client.PatchAsync(second, bytes[..5]);
        Is(
            HttpStatusCode.BadRequest,
            "DIGEST_INVALID",
            await client.SendAsync("PUT", $"{second}?digest={wrong}", bytes[5..], chunked)
        );

        Is(HttpStatusCode.NotFound, "BLOB_UNKNOWN", await client.GetAsync($"/v2/{Repository}/blobs/{wrong}"));
        await LeavesNothingAsync();
        Assert.Empty(await BlobsAsync(Host.Storage.Images, Repository));
    }

    [Fact]
    public async Task An_unsupported_algorithm_is_400()
    {
        var client = await ClientAsync();

        Is(
            HttpStatusCode.BadRequest,
            "DIGEST_INVALID",
            await client.SendAsync("POST", $"/v2/{Repository}/blobs/uploads/?digest-algorithm=md5")
        );
    }

    [Fact]
    public async Task A_blob_that_is_there_can_be_pushed_again_in_each_way_and_a_wrong_body_is_refused_all_the_same()
    {
        var client = await ClientAsync();
        var bytes = Some(5 * MiB);
        var digest = await client.PushBlobAsync(Repository, bytes);
        foreach (var chunked in new[] { false, true })
        {
            IsCreated(
                await client.SendAsync("POST", $"/v2/{Repository}/blobs/uploads/?digest={digest}", bytes, chunked),
                digest
            );
            Is(
                HttpStatusCode.BadRequest,
                "DIGEST_INVALID",
                await client.SendAsync(
                    "POST",
                    $"/v2/{Repository}/blobs/uploads/?digest={digest}",
                    Some(5 * MiB),
                    chunked
                )
            );
            var location = await client.BeginAsync(Repository);
            await client.PatchAsync(location, bytes, chunked: chunked);
            IsCreated(await client.SendAsync("PUT", $"{location}?digest={digest}"), digest);
        }

        await IsThereAsync(client, digest, bytes);
        await LeavesNothingAsync();
    }
}
