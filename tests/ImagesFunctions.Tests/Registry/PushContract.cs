using System.Net;
using System.Security.Cryptography;

namespace ImagesFunctions.Tests.Registry;

/// <summary>What a push of blobs promises, sentence by sentence, on whatever host it runs.</summary>
[TakesLong(seconds: 35)]
public sealed class PushContract(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private const int MiB = 1024 * 1024;
    private static readonly byte[] Empty = [];

    private readonly string repository = $"{Drop.Fresh("alice")}/app";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

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

        var reply = await client.SendAsync("POST", $"/v2/{repository}/blobs/uploads/?digest={digest}", bytes, chunked);

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
        var location = await client.BeginAsync(repository);

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
        var (whole, chunks) = (await client.BeginAsync(repository), await client.BeginAsync(repository));
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
            RegistryContract.Is(HttpStatusCode.NotFound, "BLOB_UPLOAD_UNKNOWN", reply);
        }
    }

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_blob_of_any_length_is_pushed_by_one_patch_and_a_put(int length, string algorithm, bool chunked)
    {
        var client = await ClientAsync();
        var bytes = Some(length);
        var digest = Layout.DigestOf(bytes, algorithm);
        var location = await client.BeginAsync(repository);

        var patch = await client.PatchAsync(location, bytes, chunked: chunked);
        Assert.Equal(HttpStatusCode.Accepted, patch.Status);
        Assert.Equal($"0-{Math.Max(0, length - 1)}", patch["Range"]);
        IsCreated(await client.SendAsync("PUT", $"{patch["Location"]}?digest={digest}"), digest);

        await IsThereAsync(client, digest, bytes);
        await IsOverAsync(client, location);
        await LeavesNothingAsync();
    }

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
        var location = (await client.SendAsync("POST", $"/v2/{repository}/blobs/uploads/{hint}"))["Location"]!;
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
            : await client.SendAsync("PUT", $"{location}?digest={digest}", Empty);

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
        var location = await client.BeginAsync(repository);
        await client.PatchAsync(location, bytes[..5], 0);

        foreach (var (method, query) in new[] { ("PATCH", ""), ("PUT", $"?digest={digest}") })
        {
            var reply = await client.SendAsync(method, location + query, bytes[5..], headers: ("Content-Range", range));
            if (range.StartsWith("92", StringComparison.Ordinal))
            {
                RegistryContract.Is(HttpStatusCode.BadRequest, "BLOB_UPLOAD_INVALID", reply);
                continue;
            }

            RegistryContract.Is(HttpStatusCode.RequestedRangeNotSatisfiable, "BLOB_UPLOAD_INVALID", reply);
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
        var location = await client.BeginAsync(repository);
        foreach (
            var (method, query) in new[] { ("PATCH", ""), ("PUT", $"?digest={Layout.DigestOf("01234"u8.ToArray())}") }
        )
        {
            RegistryContract.Is(
                HttpStatusCode.BadRequest,
                code,
                await client.SendAsync(method, location + query, "01234"u8.ToArray(), chunked, ("Content-Range", range))
            );
        }

        await IsAtAsync(client, location, "0-0");
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

        RegistryContract.Is(
            HttpStatusCode.BadRequest,
            "DIGEST_INVALID",
            await client.SendAsync("POST", $"/v2/{repository}/blobs/uploads/?digest={wrong}", bytes, chunked)
        );
        var first = await client.BeginAsync(repository);
        RegistryContract.Is(
            HttpStatusCode.BadRequest,
            "DIGEST_INVALID",
            await client.SendAsync("PUT", $"{first}?digest={wrong}", bytes, chunked)
        );
        var second = await client.BeginAsync(repository);
        await client.PatchAsync(second, bytes[..5]);
        RegistryContract.Is(
            HttpStatusCode.BadRequest,
            "DIGEST_INVALID",
            await client.SendAsync("PUT", $"{second}?digest={wrong}", bytes[5..], chunked)
        );

        RegistryContract.Is(
            HttpStatusCode.NotFound,
            "BLOB_UNKNOWN",
            await client.GetAsync($"/v2/{repository}/blobs/{wrong}")
        );
        await LeavesNothingAsync();
        Assert.Empty(await BlobsAsync(Host.Storage.Images, repository));
    }

    [Theory]
    [InlineData("")]
    [InlineData("?digest=")]
    [InlineData("?digest=sha256:abc")]
    [InlineData("?digest=md5:abc")]
    public async Task A_missing_or_malformed_digest_is_400_and_the_session_lives_on(string query)
    {
        var client = await ClientAsync();
        var location = await client.BeginAsync(repository);

        RegistryContract.Is(
            HttpStatusCode.BadRequest,
            "DIGEST_INVALID",
            await client.SendAsync("PUT", location + query, "01234"u8.ToArray())
        );

        await IsAtAsync(client, location, "0-0");
    }

    [Fact]
    public async Task A_session_is_ended_by_delete_and_unknown_afterwards()
    {
        var client = await ClientAsync();
        var location = await client.BeginAsync(repository);
        await client.PatchAsync(location, Some(100));

        Assert.Equal(HttpStatusCode.NoContent, (await client.SendAsync("DELETE", location)).Status);

        await IsOverAsync(client, location);
        await LeavesNothingAsync();
    }

    [Fact]
    public async Task A_location_is_a_path_that_works_for_its_repository_and_account_only()
    {
        var client = await ClientAsync();
        var location = await client.BeginAsync(repository);
        var other = $"{repository}2";
        Assert.StartsWith($"/v2/{repository}/blobs/uploads/", location, StringComparison.Ordinal);
        Assert.DoesNotContain('?', location);

        await IsOverAsync(client, location.Replace(repository, other, StringComparison.Ordinal));

        var stranger = await RegistryClient.ForAsync(Host, Drop.Fresh("bob"));
        RegistryContract.Is(HttpStatusCode.Forbidden, "DENIED", await stranger.PatchAsync(location, Some(10)));
        RegistryContract.Is(HttpStatusCode.Forbidden, "DENIED", await stranger.SendAsync("DELETE", location));
        RegistryContract.Is(HttpStatusCode.NotFound, "BLOB_UPLOAD_UNKNOWN", await stranger.GetAsync(location));
        await IsAtAsync(client, location + "?what=ever", "0-0");
    }

    [Fact]
    public async Task An_unsupported_algorithm_is_400()
    {
        var client = await ClientAsync();

        RegistryContract.Is(
            HttpStatusCode.BadRequest,
            "DIGEST_INVALID",
            await client.SendAsync("POST", $"/v2/{repository}/blobs/uploads/?digest-algorithm=md5")
        );
    }

    [Fact]
    public async Task A_blob_is_mounted_from_a_repository_that_the_account_may_read_or_from_any_of_its_own()
    {
        var client = await ClientAsync();
        var account = repository.Split('/')[0];
        var official = Drop.Fresh("base");
        var bytes = Some(5 * MiB);
        var digest = await client.PushBlobAsync(repository, bytes);
        var other = Some(10);
        var officials = await (await RegistryClient.ForAsync(Host, "official")).PushBlobAsync(official, other);

        foreach (
            var (to, query, wanted) in new[]
            {
                ("named", $"mount={digest}&from={repository}", digest),
                ("unnamed", $"mount={digest}", digest),
                ("official", $"mount={officials}&from={official}", officials),
                ("same", $"mount={digest}&from={account}/same", digest),
            }
        )
        {
            if (to == "same")
            {
                await client.PushBlobAsync($"{account}/same", bytes);
            }

            var reply = await client.SendAsync("POST", $"/v2/{account}/{to}/blobs/uploads/?{query}");

            Assert.Equal(HttpStatusCode.Created, reply.Status);
            Assert.Equal($"/v2/{account}/{to}/blobs/{wanted}", reply["Location"]);
            var pulled = await client.GetAsync($"/v2/{account}/{to}/blobs/{wanted}");
            Assert.Equal(wanted == digest ? bytes : other, pulled.Bytes);
        }
    }

    [Fact]
    public async Task A_mount_of_what_is_not_there_is_a_fresh_session_also_from_a_foreign_or_malformed_repository()
    {
        var client = await ClientAsync();
        var bob = $"{Drop.Fresh("bob")}/app";
        var theirs = await (await RegistryClient.ForAsync(Host, bob.Split('/')[0])).PushBlobAsync(bob, Some(10));
        foreach (
            var query in new[]
            {
                $"mount={theirs}&from={bob}",
                $"mount={theirs}",
                $"mount={theirs}&from={repository}",
                $"mount={theirs}&from=No%20Name",
                "mount=sha256:x&from=official/x",
                "mount=md5:x",
            }
        )
        {
            var reply = await client.SendAsync("POST", $"/v2/{repository}/blobs/uploads/?{query}");

            Assert.Equal(HttpStatusCode.Accepted, reply.Status);
            await IsAtAsync(client, reply["Location"]!, "0-0");
        }
    }

    [Fact]
    public async Task A_blob_that_is_there_can_be_pushed_again_in_each_way_and_a_wrong_body_is_refused_all_the_same()
    {
        var client = await ClientAsync();
        var bytes = Some(5 * MiB);
        var digest = await client.PushBlobAsync(repository, bytes);
        foreach (var chunked in new[] { false, true })
        {
            IsCreated(
                await client.SendAsync("POST", $"/v2/{repository}/blobs/uploads/?digest={digest}", bytes, chunked),
                digest
            );
            RegistryContract.Is(
                HttpStatusCode.BadRequest,
                "DIGEST_INVALID",
                await client.SendAsync(
                    "POST",
                    $"/v2/{repository}/blobs/uploads/?digest={digest}",
                    Some(5 * MiB),
                    chunked
                )
            );
            var location = await client.BeginAsync(repository);
            await client.PatchAsync(location, bytes, chunked: chunked);
            IsCreated(await client.SendAsync("PUT", $"{location}?digest={digest}"), digest);
        }

        await IsThereAsync(client, digest, bytes);
        await LeavesNothingAsync();
    }

    [Fact]
    public async Task Of_two_chunks_for_the_same_place_one_counts_and_the_blob_is_what_was_accepted()
    {
        var client = await ClientAsync();
        var location = await client.BeginAsync(repository);
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
        var location = await client.BeginAsync(repository);
        for (var i = 0; i < bytes.Length; i++)
        {
            Assert.Equal(HttpStatusCode.Accepted, (await client.PatchAsync(location, [bytes[i]], i)).Status);
        }

        var digest = Layout.DigestOf(bytes);
        IsCreated(await client.SendAsync("PUT", $"{location}?digest={digest}"), digest);
        await IsThereAsync(client, digest, bytes);
        await LeavesNothingAsync();
    }

    private static byte[] Some(int length) => RandomNumberGenerator.GetBytes(length);

    private Task<RegistryClient> ClientAsync() => RegistryClient.ForAsync(Host, repository.Split('/')[0]);

    private void IsCreated(Reply reply, string digest)
    {
        Assert.True(reply.Status == HttpStatusCode.Created, $"{(int)reply.Status} {reply.Text}");
        Assert.Equal($"/v2/{repository}/blobs/{digest}", reply["Location"]);
        Assert.Equal(digest, reply["Docker-Content-Digest"]);
        Assert.Equal("0", reply["Content-Length"]);
    }

    private async Task IsThereAsync(RegistryClient client, string digest, byte[] bytes)
    {
        var pulled = await client.GetAsync($"/v2/{repository}/blobs/{digest}");
        Assert.Equal(HttpStatusCode.OK, pulled.Status);
        Assert.Equal(bytes, pulled.Bytes);
        // At its place in the layout, and nowhere else.
        Assert.Equal([$"{repository}/{Layout.PathOf(digest)}"], await BlobsAsync(Host.Storage.Images, repository));
    }

    private static async Task IsAtAsync(RegistryClient client, string location, string range)
    {
        var reply = await client.GetAsync(location);
        Assert.Equal(HttpStatusCode.NoContent, reply.Status);
        Assert.Equal(range, reply["Range"]);
        Assert.Equal(location.Split('?')[0], reply["Location"]);
    }

    private static async Task IsOverAsync(RegistryClient client, string location)
    {
        foreach (var method in new[] { "GET", "PATCH", "PUT", "DELETE" })
        {
            var path = method == "PUT" ? $"{location}?digest={Layout.DigestOf([1, 2, 3])}" : location;
            RegistryContract.Is(HttpStatusCode.NotFound, "BLOB_UPLOAD_UNKNOWN", await client.SendAsync(method, path));
        }
    }

    private async Task LeavesNothingAsync() =>
        Assert.Empty(await BlobsAsync(Host.Storage.Uploads, repository.Split('/')[0]));

    private static async Task<List<string>> BlobsAsync(Azure.Storage.Blobs.BlobContainerClient container, string prefix)
    {
        var names = new List<string>();
        await foreach (
            var blob in container.GetBlobsAsync(
                Azure.Storage.Blobs.Models.BlobTraits.None,
                Azure.Storage.Blobs.Models.BlobStates.None,
                prefix + "/",
                Stop
            )
        )
        {
            names.Add(blob.Name);
        }

        return names;
    }
}
