using System.Net;
using System.Text;

namespace ImagesFunctions.Tests.Registry;

/// <summary>What the OCI Distribution API promises, sentence by sentence, on whatever host it runs.</summary>
public sealed class RegistryContract(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private const string Unknown = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b800";

    private static readonly byte[] Two = [.. Enumerable.Range(0, 2048).Select(i => (byte)(i % 251))];

    private static string Repository => $"{Drop.Fresh("alice")}/app";

    [Theory]
    [InlineData("GET", "/v2/")]
    [InlineData("GET", "/v2")]
    [InlineData("GET", "/v2/_catalog")]
    [InlineData("GET", "/v2/alice/app/tags/list")]
    [InlineData("GET", $"/v2/alice/app/blobs/{Unknown}")]
    [InlineData("POST", "/v2/alice/app/blobs/uploads/")]
    [InlineData("PUT", "/v2/alice/app/manifests/latest")]
    [InlineData("DELETE", "/v2/alice/app/manifests/latest")]
    [InlineData("GET", "/v2/NOT/a/route")]
    public async Task Without_credentials_every_request_is_challenged_for_basic_ones(string method, string path)
    {
        var reply = await new RegistryClient(Host.Http, null).SendAsync(method, path);

        Is(HttpStatusCode.Unauthorized, "UNAUTHORIZED", reply);
        Assert.StartsWith("Basic realm=\"", reply["WWW-Authenticate"], StringComparison.Ordinal);
        Assert.DoesNotContain("bearer", reply["WWW-Authenticate"], StringComparison.OrdinalIgnoreCase);
        Assert.Equal("registry/2.0", reply["Docker-Distribution-API-Version"]);
    }

    [Fact]
    public async Task The_base_is_200_in_every_form_of_the_credentials_and_401_with_a_wrong_password()
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var secret = Encoding.UTF8.GetString(Convert.FromBase64String(token)).Split(':')[1];
        string[] good =
        [
            RegistryClient.Basic(account, secret),
            RegistryClient.Basic($"robot${account}.users.kraftcloud", secret),
            RegistryClient.Basic(account, token),
            RegistryClient.Basic($"robot${account}.users.kraftcloud", token),
            $"Bearer {token}",
        ];
        string[] bad =
        [
            RegistryClient.Basic(account, secret[..^1]),
            RegistryClient.Basic(account, ""),
            RegistryClient.Basic("", token),
            RegistryClient.Basic(account + "x", secret),
            RegistryClient.Basic(account + "x", token),
            "Basic",
            "Basic %%%",
            "Basic " + new string('A', 20_000),
        ];

        foreach (var header in good)
        {
            var reply = await new RegistryClient(Host.Http, header).GetAsync("/v2/");
            Assert.Equal(HttpStatusCode.OK, reply.Status);
            Assert.Equal("registry/2.0", reply["Docker-Distribution-API-Version"]);
        }

        foreach (var header in bad)
        {
            Is(
                HttpStatusCode.Unauthorized,
                "UNAUTHORIZED",
                await new RegistryClient(Host.Http, header).GetAsync("/v2/")
            );
        }
    }

    [Fact]
    public async Task A_blob_is_pulled_with_its_digest_and_length()
    {
        var repository = Repository;
        var client = await ClientAsync(repository);
        foreach (var (bytes, algorithm) in new[] { (Two, "sha256"), (Two, "sha512"), ([], "sha256") })
        {
            var digest = await client.PushBlobAsync(repository, bytes, algorithm);

            foreach (var method in new[] { "GET", "HEAD" })
            {
                var reply = await client.SendAsync(method, $"/v2/{repository}/blobs/{digest}");

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
        var repository = Repository;
        var client = await ClientAsync(repository);
        var digest = await client.PushBlobAsync(repository, Two);

        var reply = await client.GetAsync($"/v2/{repository}/blobs/{digest}", ("Range", range));

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
        var repository = Repository;
        var client = await ClientAsync(repository);
        var digest = await client.PushBlobAsync(repository, Two);

        var reply = await client.GetAsync($"/v2/{repository}/blobs/{digest}", ("Range", range));

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
        var repository = Repository;
        var client = await ClientAsync(repository);
        var digest = await client.PushBlobAsync(repository, []);

        foreach (var method in new[] { "GET", "HEAD" })
        {
            var reply = await client.SendAsync(method, $"/v2/{repository}/blobs/{digest}", headers: ("Range", range));

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
        var repository = Repository;
        var client = await ClientAsync(repository);
        var digest = await client.PushBlobAsync(repository, Two);

        var reply = await client.GetAsync($"/v2/{repository}/blobs/{digest}", ("Range", range));

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.Equal(Two, reply.Bytes);
    }

    [Fact]
    public async Task An_absent_blob_is_404_also_of_an_unknown_algorithm_and_a_malformed_digest_is_400()
    {
        var repository = Repository;
        var client = await ClientAsync(repository);
        await client.PushBlobAsync(repository, Two);

        foreach (var absent in new[] { Unknown, "blake3:abc", "sha512:" + new string('0', 128) })
        {
            Is(HttpStatusCode.NotFound, "BLOB_UNKNOWN", await client.GetAsync($"/v2/{repository}/blobs/{absent}"));
        }

        foreach (var malformed in new[] { "sha256:abc", "sha256:" + new string('A', 64), "latest", ":", "SHA256:x" })
        {
            Is(
                HttpStatusCode.BadRequest,
                "DIGEST_INVALID",
                await client.GetAsync($"/v2/{repository}/blobs/{malformed}")
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
        var repository = Repository;
        var client = await ClientAsync(repository);
        var layout = Layout.Small("text", "v1");
        await client.PushAsync(repository, layout);
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
                    $"/v2/{repository}/{target}",
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

        var unknown = await client.GetAsync($"/v2/{repository}/manifests/v2", ("If-None-Match", "*"));
        Is(HttpStatusCode.NotFound, "MANIFEST_UNKNOWN", unknown);
    }

    [Fact]
    public async Task A_manifest_is_pulled_as_the_bytes_that_were_pushed_under_the_type_that_they_were_pushed_as()
    {
        var repository = Repository;
        var client = await ClientAsync(repository);
        var config = await client.PushBlobAsync(repository, "{}"u8.ToArray());
        // With fields that nobody knows, spaces, and no media type of its own.
        var bytes = Encoding.UTF8.GetBytes(
            $$"""{ "schemaVersion":2, "x":{"y":[1,2]}, "config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{{config}}","size":2,"data":"e30="},"layers":null }  """
        );
        var digest = Layout.DigestOf(bytes);
        var put = await client.PutManifestAsync(repository, "v1", bytes, Layout.DockerManifest + "; charset=utf-8");
        Assert.Equal(HttpStatusCode.Created, put.Status);
        Assert.Equal($"/v2/{repository}/manifests/{digest}", put["Location"]);
        Assert.Equal(digest, put["Docker-Content-Digest"]);
        Assert.Null(put["OCI-Subject"]);

        foreach (var reference in new[] { "v1", digest })
        {
            foreach (var method in new[] { "GET", "HEAD" })
            {
                var reply = await client.SendAsync(
                    method,
                    $"/v2/{repository}/manifests/{reference}",
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
        var repository = Repository;
        var client = await ClientAsync(repository);

        Is(status, code, await client.GetAsync($"/v2/{repository}/manifests/{reference}"));
        Assert.Equal(status, (await client.SendAsync("HEAD", $"/v2/{repository}/manifests/{reference}")).Status);
        Is(status, code, await client.SendAsync("DELETE", $"/v2/{repository}/manifests/{reference}"));
    }

    [Theory]
    [InlineData("/v2/Alice/app/tags/list")]
    [InlineData("/v2/alice/-app/tags/list")]
    [InlineData("/v2/alice//app/tags/list")]
    [InlineData("/v2/official/a/b/tags/list")]
    [InlineData("/v2/alice/a%20b/tags/list")]
    [InlineData("/v2/alice/a%252Fb/tags/list")]
    public async Task A_malformed_name_is_400(string path)
    {
        Is(HttpStatusCode.BadRequest, "NAME_INVALID", await (await ClientAsync("alice/app")).GetAsync(path));
    }

    [Fact]
    public async Task A_name_that_with_the_host_is_longer_than_255_characters_is_400()
    {
        var client = await ClientAsync("alice/app");
        var host = Host.Http.BaseAddress!.Authority.Length;
        var longest = "alice/" + new string('a', 255 - host - 1 - 6);

        Is(HttpStatusCode.NotFound, "NAME_UNKNOWN", await client.GetAsync($"/v2/{longest}/tags/list"));
        Is(HttpStatusCode.BadRequest, "NAME_INVALID", await client.GetAsync($"/v2/{longest}a/tags/list"));
    }

    [Fact]
    public async Task Names_may_hold_the_words_of_the_routes_and_come_percent_encoded()
    {
        var account = Drop.Fresh("alice");
        foreach (
            var app in new[] { "blobs", "manifests", "tags/list", "blobs/uploads", "a/referrers/b", "uploads/blobs" }
        )
        {
            var repository = $"{account}/{app}";
            var client = await ClientAsync(repository);
            var layout = Layout.Small(app, "list");
            await client.PushAsync(repository, layout);

            var tags = await client.GetAsync(
                $"/v2/{repository.Replace("/", "%2F", StringComparison.Ordinal)}/tags/list"
            );

            Assert.Equal("list", tags.Json["tags"]![0]!.GetValue<string>());
            Assert.Equal(
                HttpStatusCode.OK,
                (
                    await client.GetAsync(
                        $"/v2/{repository}/manifests/{layout.FirstImage.Replace(":", "%3A", StringComparison.Ordinal)}"
                    )
                ).Status
            );
        }
    }

    [Fact]
    public async Task What_is_no_route_is_404_and_a_method_that_a_route_lacks_405_with_those_that_it_has()
    {
        var client = await ClientAsync("alice/app");
        foreach (var path in new[] { "/v2/x", "/v2/alice/app/tags", "/v2/alice/app/tags/list/", "/v2/_catalog/x" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(path)).Status);
        }

        var reply = await client.SendAsync("PUT", "/v2/alice/app/tags/list", []);
        Is(HttpStatusCode.MethodNotAllowed, "UNSUPPORTED", reply);
        Assert.Equal("GET, HEAD", reply["Allow"]);
    }

    [Fact]
    public async Task A_name_of_one_part_is_an_official_repository_which_everybody_reads_and_only_official_writes()
    {
        var app = Drop.Fresh("nginx");
        var official = await RegistryClient.ForAsync(Host, "official");
        var alice = await ClientAsync("alice/app");
        var layout = Layout.Small(app, "v1");
        await official.PushAsync(app, layout);

        foreach (var name in new[] { app, $"official/{app}" })
        {
            Assert.Equal(HttpStatusCode.OK, (await alice.GetAsync($"/v2/{name}/manifests/v1")).Status);
            Assert.Equal(
                HttpStatusCode.OK,
                (await alice.GetAsync($"/v2/{name}/blobs/{DigestOfPath(layout.FirstLayer)}")).Status
            );
            Is(HttpStatusCode.Forbidden, "DENIED", await alice.SendAsync("POST", $"/v2/{name}/blobs/uploads/"));
            Is(HttpStatusCode.Forbidden, "DENIED", await alice.SendAsync("DELETE", $"/v2/{name}/manifests/v1"));
            Is(HttpStatusCode.Forbidden, "DENIED", await alice.PutManifestAsync(name, "v2", "{}"u8.ToArray()));
        }
    }

    [Fact]
    public async Task What_is_anothers_answers_in_every_byte_like_what_is_not_there()
    {
        var (bob, nobody) = (Drop.Fresh("bob"), Drop.Fresh("bob"));
        var layout = Layout.Small("secret", "latest");
        await (await RegistryClient.ForAsync(Host, bob)).PushAsync($"{bob}/app", layout);
        var session = await (await RegistryClient.ForAsync(Host, bob)).BeginAsync($"{bob}/app");
        var alice = await RegistryClient.ForAsync(Host, Drop.Fresh("alice"));
        string[] paths =
        [
            "/manifests/latest",
            $"/manifests/{layout.FirstImage}",
            $"/blobs/{DigestOfPath(layout.FirstLayer)}",
            "/tags/list",
            "/tags/list?n=x",
            $"/referrers/{layout.FirstImage}",
            "/blobs/sha256:x",
            "/blobs/uploads/" + session.Split('/')[^1],
        ];
        foreach (var path in paths)
        {
            foreach (var method in new[] { "GET", "HEAD", "PUT", "DELETE", "PATCH", "POST" })
            {
                var theirs = await alice.SendAsync(method, $"/v2/{bob}/app{path}", method[0] == 'P' ? Two : null);
                var none = await alice.SendAsync(method, $"/v2/{nobody}/app{path}", method[0] == 'P' ? Two : null);

                Assert.Equal(none.Whole.Replace(nobody, bob, StringComparison.Ordinal), theirs.Whole);
                // Referrers of what is not known are an empty list.
                Assert.True(
                    (int)theirs.Status >= 400
                        || theirs.Text.Contains("\"manifests\":[]", StringComparison.Ordinal)
                        || (method == "HEAD" && path.StartsWith("/referrers", StringComparison.Ordinal)),
                    theirs.Whole
                );
            }
        }
    }

    [Fact]
    public async Task A_token_that_may_only_read_pulls_and_a_push_with_it_is_denied()
    {
        var account = Drop.Fresh("alice");
        var layout = Layout.Small("read", "v1");
        await (await RegistryClient.ForAsync(Host, account)).PushAsync($"{account}/app", layout);
        var (_, token) = await Host.Tokens.CreateAsync(
            account,
            null,
            TestContext.Current.CancellationToken,
            readOnly: true
        );
        var client = new RegistryClient(Host.Http, RegistryClient.Basic(account, token));

        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"/v2/{account}/app/manifests/v1")).Status);
        Is(HttpStatusCode.Forbidden, "DENIED", await client.SendAsync("POST", $"/v2/{account}/app/blobs/uploads/"));
        Is(
            HttpStatusCode.Forbidden,
            "DENIED",
            await client.PutManifestAsync($"{account}/app", "v2", layout.Files[Layout.PathOf(layout.FirstImage)])
        );
        Is(HttpStatusCode.Forbidden, "DENIED", await client.SendAsync("DELETE", $"/v2/{account}/app/manifests/v1"));
    }

    internal static void Is(HttpStatusCode status, string code, Reply reply)
    {
        Assert.True(reply.Status == status, $"{(int)reply.Status}, not {(int)status}: {reply.Text}");
        Assert.Equal("application/json", reply["Content-Type"]);
        Assert.Equal(code, reply.Code);
        Assert.NotEmpty(reply.Json["errors"]![0]!["message"]!.GetValue<string>());
    }

    private static string DigestOfPath(string path) => path["blobs/".Length..].Replace('/', ':');

    private Task<RegistryClient> ClientAsync(string repository) =>
        RegistryClient.ForAsync(Host, repository.Split('/')[0]);
}
