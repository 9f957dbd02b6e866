using System.Net;
using System.Text;

namespace ImagesFunctions.Tests.Registry;

/// <summary>What a pull of blobs and manifests promises, sentence by sentence.</summary>
public sealed class PullContract(KestrelFixture fixture) : AgainstARegistry(fixture)
{
    private static readonly byte[] Two = [.. Enumerable.Range(0, 2048).Select(i => (byte)(i % 251))];

    [Fact]
    public async Task A_blob_is_pulled_with_its_digest_and_length()
    {
        var client = await ClientAsync();
        foreach (var (bytes, algorithm) in new[] { (Two, "sha256"), (Two, "sha512"), ([], "sha256") })
        {
            var digest = await client.PushBlobAsync(Repository, bytes, algorithm);

            foreach (var method in new[] { "GET", "HEAD" })
            {
                var reply = await client.SendAsync(method, $"/v2/{Repository}/blobs/{digest}");

                Assert.Equal(HttpStatusCode.OK, reply.Status);
                Assert.Equal(digest, reply["Docker-Content-Digest"]);
                Assert.Equal("bytes", reply["Accept-Ranges"]);
                Assert.Equal($"{bytes.Length}", reply["Content-Length"]);
                Assert.Null(reply["Transfer-Encoding"]);
                Assert.Equal(method == "GET" ? bytes : [], reply.Bytes);
            }
        }
    }

    [Theory]
    [InlineData("bytes=500-1499", 500, 1499)]
    [InlineData("bytes=500-", 500, 2047)]
    [InlineData("bytes=-500", 1548, 2047)]
    [InlineData("bytes=-5000", 0, 2047)]
    [InlineData("bytes=2000-5000", 2000, 2047)]
    [InlineData("bytes=0-0", 0, 0)]
    [InlineData("Bytes = 0-1", 0, 1)]
    [InlineData("bytes=0-99999999999999999999999999", 0, 2047)]
    public async Task A_range_is_206_and_clipped_at_the_end(string range, int first, int last)
    {
        var client = await ClientAsync();
        var digest = await client.PushBlobAsync(Repository, Two);

        var reply = await client.GetAsync($"/v2/{Repository}/blobs/{digest}", ("Range", range));

        Assert.Equal(HttpStatusCode.PartialContent, reply.Status);
        Assert.Equal($"bytes {first}-{last}/2048", reply["Content-Range"]);
        Assert.Equal($"{last - first + 1}", reply["Content-Length"]);
        Assert.Equal(digest, reply["Docker-Content-Digest"]);
        Assert.Equal(Two[first..(last + 1)], reply.Bytes);
    }

    [Theory]
    [InlineData("bytes=500-0")]
    [InlineData("bytes=2048-")]
    [InlineData("bytes=5000-10000")]
    [InlineData("bytes=-0")]
    [InlineData("bytes=99999999999999999999999999-")]
    public async Task A_range_that_holds_nothing_of_the_blob_is_416(string range)
    {
        var client = await ClientAsync();
        var digest = await client.PushBlobAsync(Repository, Two);

        var reply = await client.GetAsync($"/v2/{Repository}/blobs/{digest}", ("Range", range));

        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, reply.Status);
        Assert.Equal("bytes */2048", reply["Content-Range"]);
        Assert.NotEmpty(reply.Code);
    }

    [Theory]
    [InlineData("bytes=0-")]
    [InlineData("bytes=0-99")]
    [InlineData("bytes=-5")]
    [InlineData("bytes=-0")]
    public async Task A_range_of_a_blob_without_bytes_counts_for_nothing(string range)
    {
        var client = await ClientAsync();
        var digest = await client.PushBlobAsync(Repository, []);

        foreach (var method in new[] { "GET", "HEAD" })
        {
            var reply = await client.SendAsync(method, $"/v2/{Repository}/blobs/{digest}", headers: ("Range", range));

            Assert.Equal(HttpStatusCode.OK, reply.Status);
            Assert.Equal("0", reply["Content-Length"]);
            Assert.Null(reply["Content-Range"]);
        }
    }

    [Theory]
    [InlineData("bytes=0-1,5-6")]
    [InlineData("lines=0-1")]
    [InlineData("bytes")]
    [InlineData("bytes=")]
    [InlineData("bytes=-")]
    [InlineData("bytes=a-b")]
    [InlineData("bytes=+1-2")]
    public async Task A_range_in_another_form_counts_for_nothing(string range)
    {
        var client = await ClientAsync();
        var digest = await client.PushBlobAsync(Repository, Two);

        var reply = await client.GetAsync($"/v2/{Repository}/blobs/{digest}", ("Range", range));

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.Equal(Two, reply.Bytes);
    }

    [Fact]
    public async Task An_absent_blob_is_404_also_of_an_unknown_algorithm_and_a_malformed_digest_is_400()
    {
        var client = await ClientAsync();
        await client.PushBlobAsync(Repository, Two);

        foreach (var absent in new[] { Unknown, "blake3:abc", "sha512:" + new string('0', 128) })
        {
            Is(HttpStatusCode.NotFound, "BLOB_UNKNOWN", await client.GetAsync($"/v2/{Repository}/blobs/{absent}"));
        }

        foreach (var malformed in new[] { "sha256:abc", "sha256:" + new string('A', 64), "latest", ":", "SHA256:x" })
        {
            Is(
                HttpStatusCode.BadRequest,
                "DIGEST_INVALID",
                await client.GetAsync($"/v2/{Repository}/blobs/{malformed}")
            );
        }
    }

    [Theory]
    [InlineData("\"{0}\"", HttpStatusCode.NotModified)]
    [InlineData("W/\"{0}\"", HttpStatusCode.NotModified)]
    [InlineData("\"other\", \"{0}\"", HttpStatusCode.NotModified)]
    [InlineData("*", HttpStatusCode.NotModified)]
    [InlineData("\"other\"", HttpStatusCode.OK)]
    [InlineData("{0}", HttpStatusCode.OK)]
    [InlineData("\"", HttpStatusCode.OK)]
    public async Task What_the_client_has_already_is_not_sent_again(string condition, HttpStatusCode expected)
    {
        var client = await ClientAsync();
        var layout = Layout.Small("text", "v1");
        await client.PushAsync(Repository, layout);
        var (image, layer) = (layout.FirstImage, layout.FirstLayer["blobs/".Length..].Replace('/', ':'));
        (string, string)[] targets =
        [
            ("manifests/v1", image),
            ($"manifests/{image}", image),
            ($"blobs/{layer}", layer),
        ];

        foreach (var (target, digest) in targets)
        {
            var header = condition.Replace("{0}", digest, StringComparison.Ordinal);
            foreach (var method in new[] { "GET", "HEAD" })
            {
                var reply = await client.SendAsync(
                    method,
                    $"/v2/{Repository}/{target}",
                    headers: [("If-None-Match", header), ("Range", "bytes=100000-")]
                );

                var there =
                    target == $"blobs/{layer}" ? HttpStatusCode.RequestedRangeNotSatisfiable : HttpStatusCode.OK;
                Assert.Equal(expected == HttpStatusCode.OK ? there : expected, reply.Status);
                if (expected == HttpStatusCode.NotModified)
                {
                    Assert.Equal($"\"{digest}\"", reply["ETag"]);
                    Assert.Equal(digest, reply["Docker-Content-Digest"]);
                    Assert.Empty(reply.Bytes);
                }
            }
        }

        var unknown = await client.GetAsync($"/v2/{Repository}/manifests/v2", ("If-None-Match", "*"));
        Is(HttpStatusCode.NotFound, "MANIFEST_UNKNOWN", unknown);
    }

    [Fact]
    public async Task A_manifest_is_pulled_as_the_bytes_that_were_pushed_under_the_type_that_they_were_pushed_as()
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(Repository, "{}"u8.ToArray());
        // With fields that nobody knows, spaces, and no media type of its own.
        var bytes = Encoding.UTF8.GetBytes(
            $$"""{ "schemaVersion":2, "x":{"y":[1,2]}, "config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{{config}}","size":2,"data":"e30="},"layers":null }  """
        );
        var digest = Layout.DigestOf(bytes);
        var put = await client.PutManifestAsync(Repository, "v1", bytes, Layout.DockerManifest + "; charset=utf-8");
        Assert.Equal(HttpStatusCode.Created, put.Status);
        Assert.Equal($"/v2/{Repository}/manifests/{digest}", put["Location"]);
        Assert.Equal(digest, put["Docker-Content-Digest"]);
        Assert.Null(put["OCI-Subject"]);

        foreach (var reference in new[] { "v1", digest })
        {
            foreach (var method in new[] { "GET", "HEAD" })
            {
                var reply = await client.SendAsync(
                    method,
                    $"/v2/{Repository}/manifests/{reference}",
                    headers: ("Accept", "text/html")
                );

                Assert.Equal(HttpStatusCode.OK, reply.Status);
                Assert.Equal(Layout.DockerManifest, reply["Content-Type"]);
                Assert.Equal($"{bytes.Length}", reply["Content-Length"]);
                Assert.Equal(digest, reply["Docker-Content-Digest"]);
                Assert.Equal(method == "GET" ? bytes : [], reply.Bytes);
            }
        }
    }

    [Theory]
    [InlineData("latest", HttpStatusCode.NotFound, "MANIFEST_UNKNOWN")]
    [InlineData(Unknown, HttpStatusCode.NotFound, "MANIFEST_UNKNOWN")]
    [InlineData("blake3:abc", HttpStatusCode.NotFound, "MANIFEST_UNKNOWN")]
    [InlineData("-no-tag", HttpStatusCode.NotFound, "MANIFEST_UNKNOWN")]
    [InlineData("sha256:baddigeststring", HttpStatusCode.BadRequest, "DIGEST_INVALID")]
    public async Task An_absent_manifest_is_404(string reference, HttpStatusCode status, string code)
    {
        var client = await ClientAsync();

        Is(status, code, await client.GetAsync($"/v2/{Repository}/manifests/{reference}"));
        Assert.Equal(status, (await client.SendAsync("HEAD", $"/v2/{Repository}/manifests/{reference}")).Status);
        Is(status, code, await client.SendAsync("DELETE", $"/v2/{Repository}/manifests/{reference}"));
    }
}
