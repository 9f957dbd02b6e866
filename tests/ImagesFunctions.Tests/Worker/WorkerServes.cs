using System.Net;
using System.Security.Cryptography;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Worker;

/// <summary>
/// Each route once through the real worker: what is behind the route is the pipeline that Kestrel serves too, and tested there.
/// </summary>
public sealed class WorkerServes(WorkerFixture fixture)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/healthz", 200, "text/plain")]
    [InlineData("/readyz", 200, "text/plain")]
    [InlineData("/openapi.json", 200, "application/json")]
    [InlineData("/docs", 200, "text/html")]
    [InlineData("/browse/sign-in", 200, "text/html")]
    [InlineData("/browse", 200, "text/html")]
    [InlineData("/", 401, "application/json")]
    [InlineData("/v1/images/list", 401, "application/json")]
    [InlineData("/v1/no/such/route", 401, "application/json")]
    [InlineData("/no/such/route", 401, "application/json")]
    [InlineData("/v2/", 401, "application/json")]
    [InlineData("/v2", 401, "application/json")]
    public async Task Without_a_token(string path, int status, string contentType)
    {
        var worker = await fixture.Started;
        using var answer = await worker.Running.Http.GetAsync(path, Stop);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(contentType, answer.Content.Headers.ContentType?.MediaType);
        Assert.NotEmpty(await answer.Content.ReadAsByteArrayAsync(Stop));
    }

    [Fact]
    public async Task Every_route_of_the_Images_API_answers_for_an_image()
    {
        var worker = await fixture.Started;
        var account = Drop.Fresh("alice");
        var layout = Layout.Small("routes", "v1");
        var client = await RegistryClient.ForAsync(worker.Running, account);
        await client.PushAsync($"{account}/app", layout);
        var token = await worker.Running.TokenForAsync(account);

        foreach (
            var (path, body) in new (string, string?)[]
            {
                ("v1/images/list", null),
                ("v1/images/list?namespace\\=" + account + "\\&tagged", null),
                ("v1/images/list", $$"""{"tag":"{{account}}/app:v1"}"""),
                ("v1/images/list", $$"""[{"digest":"{{account}}/app@{{layout.FirstImage}}"}]"""),
                ("v1/images", null),
                ("v1/image-store", null),
                ($"v1/images/digest/{account}/app@{layout.FirstImage}", null),
                ($"v1/images/tag/{account}%2Fapp:v1", null),
            }
        )
        {
            var answer = await worker.Running.GetAsync(path, $"Bearer {token}", body);
            Assert.True(answer.Status == HttpStatusCode.OK, $"{path}: {answer.Body}");
            Assert.Contains(layout.FirstImage, answer.Body, StringComparison.Ordinal);
        }

        Assert.Equal(
            HttpStatusCode.OK,
            (await worker.Running.GetAsync("v1/images/problems", $"Bearer {token}")).Status
        );
        using var delete = new HttpRequestMessage(HttpMethod.Delete, $"v1/images/tag/{account}/app:v1");
        delete.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        using var deleted = await worker.Running.Http.SendAsync(delete, Stop);
        Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
        Assert.Empty((await worker.Running.ListAsync(token, "tagged")).Images);
    }

    [Fact]
    public async Task An_unchanged_list_is_304_and_has_no_body()
    {
        var worker = await fixture.Started;
        var token = await worker.Running.TokenForAsync(Drop.Fresh("alice"));
        using var first = await SendAsync(null);
        using var second = await SendAsync(first.Headers.ETag!.ToString());

        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Empty(await second.Content.ReadAsByteArrayAsync(Stop));

        async Task<HttpResponseMessage> SendAsync(string? etag)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, ImagesList.Route);
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
            request.Headers.TryAddWithoutValidation("If-None-Match", etag);
            return await worker.Running.Http.SendAsync(request, Stop);
        }
    }

    [Fact]
    public async Task Every_route_of_the_registry_answers()
    {
        var worker = await fixture.Started;
        var account = Drop.Fresh("alice");
        var name = $"{account}/app";
        var client = await RegistryClient.ForAsync(worker.Running, account);
        var layout = Layout.Small("registry", "v1");

        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v2/")).Status);
        await client.PushAsync(name, layout);
        var config = Layout.Digest(layout.Read(layout.Manifests[0])["config"]!.AsObject());
        var bytes = layout.Files[Layout.PathOf(config)];
        var blob = await client.GetAsync($"/v2/{name}/blobs/{config}");
        Assert.Equal((HttpStatusCode.OK, $"{bytes.Length}"), (blob.Status, blob["Content-Length"]));
        Assert.Equal(bytes, blob.Bytes);
        var head = await client.SendAsync("HEAD", $"/v2/{name}/blobs/{config}");
        Assert.Equal((HttpStatusCode.OK, $"{bytes.Length}"), (head.Status, head["Content-Length"]));
        var part = await client.GetAsync($"/v2/{name}/blobs/{config}", ("Range", "bytes=2-5"));
        Assert.Equal(HttpStatusCode.PartialContent, part.Status);
        Assert.Equal(bytes[2..6], part.Bytes);
        Assert.Equal(
            HttpStatusCode.Created,
            (await client.SendAsync("POST", $"/v2/{account}/other/blobs/uploads/?mount={config}&from={name}")).Status
        );

        var manifest = await client.GetAsync($"/v2/{name}/manifests/v1");
        Assert.Equal((HttpStatusCode.OK, Layout.OciManifest), (manifest.Status, manifest["Content-Type"]));
        Assert.Equal(layout.Files[Layout.PathOf(layout.FirstImage)], manifest.Bytes);
        Assert.Equal("""["v1"]""", (await client.GetAsync($"/v2/{name}/tags/list")).Json["tags"]!.ToJsonString());
        Assert.Contains(name, (await client.GetAsync("/v2/_catalog")).Text, StringComparison.Ordinal);
        var referrers = await client.GetAsync($"/v2/{name}/referrers/{layout.FirstImage}");
        Assert.Equal((HttpStatusCode.OK, Layout.OciIndex), (referrers.Status, referrers["Content-Type"]));

        var location = await client.BeginAsync(name);
        Assert.StartsWith($"/v2/{name}/blobs/uploads/", location, StringComparison.Ordinal);
        Assert.Equal("0-2", (await client.PatchAsync(location, "abc"u8.ToArray(), chunked: true))["Range"]);
        Assert.Equal("0-2", (await client.GetAsync(location))["Range"]);
        Assert.Equal(HttpStatusCode.NoContent, (await client.SendAsync("DELETE", location)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(location)).Status);
        Assert.Equal(
            HttpStatusCode.Accepted,
            (await client.SendAsync("DELETE", $"/v2/{name}/manifests/{layout.FirstImage}")).Status
        );
        Assert.Equal("MANIFEST_UNKNOWN", (await client.GetAsync($"/v2/{name}/manifests/v1")).Code);
    }

    [Fact]
    public async Task A_method_that_no_trigger_lists_ends_at_the_host()
    {
        var worker = await fixture.Started;
        using var http = new HttpClient { BaseAddress = worker.Host.Address };
        using var request = new HttpRequestMessage(new HttpMethod("PROPFIND"), "/v1/images/list");
        using var answer = await http.SendAsync(request, Stop);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync(Stop));
    }

    [Fact]
    public async Task A_chunked_PATCH_of_256_MiB_streams_through()
    {
        const int length = 256 * 1024 * 1024;
        await using var worker = await OwnWorker.StartAsync();
        var account = Drop.Fresh("alice");
        var client = await RegistryClient.ForAsync(worker.Running, account);
        var location = await client.BeginAsync($"{account}/app");
        var before = await PeakMemoryAsync();

        var token = await worker.Running.TokenForAsync(account);
        using var request = new HttpRequestMessage(HttpMethod.Patch, location);
        request.Headers.TryAddWithoutValidation("Authorization", RegistryClient.Basic(account, token));
        var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        request.Content = new StreamContent(new Generated(length, hash));
        request.Headers.TransferEncodingChunked = true;
        using var http = new HttpClient { BaseAddress = worker.Host.Address, Timeout = Timeout.InfiniteTimeSpan };
        using var answer = await http.SendAsync(request, Stop);

        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync(Stop));
        Assert.Equal($"0-{length - 1}", answer.Headers.GetValues("Range").Single());
        var digest = $"sha256:{Convert.ToHexStringLower(hash.GetHashAndReset())}";
        Assert.Equal(HttpStatusCode.Created, (await client.SendAsync("PUT", $"{location}?digest={digest}")).Status);
        // Not a quarter of the blob: it is never held.
        Assert.InRange(await PeakMemoryAsync() - before, long.MinValue, length / 4);

        async Task<long> PeakMemoryAsync()
        {
            var status = await File.ReadAllLinesAsync($"/proc/{await worker.Host.ProcessIdAsync()}/status", Stop);
            var peak = status.Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return long.Parse(peak.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;
        }
    }

    // Bytes that nobody holds: a counter's, hashed as they are read.
    private sealed class Generated(long length, IncrementalHash hash) : Stream
    {
        private long _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => _position;
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            var some = buffer[..(int)Math.Min(buffer.Length, length - _position)];
            some.Fill((byte)(_position >> 13));
            hash.AppendData(some);
            _position += some.Length;
            return some.Length;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
