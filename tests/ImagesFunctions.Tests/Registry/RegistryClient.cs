using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace ImagesFunctions.Tests.Registry;

/// <summary>An answer of the registry, with its headers and bytes as they came.</summary>
public sealed record Reply(HttpStatusCode Status, IReadOnlyDictionary<string, string> Headers, byte[] Bytes)
{
    // Different in each answer.
    private static readonly string[] Each = ["Date", "X-Request-Id"];

    public string Text => Encoding.UTF8.GetString(Bytes);

    public JsonObject Json => JsonNode.Parse(Bytes)!.AsObject();

    public string? this[string header] => Headers.GetValueOrDefault(header);

    /// <summary>The code of the first error.</summary>
    public string Code => Json["errors"]![0]!["code"]!.GetValue<string>();

    /// <summary>Everything that a caller can tell two answers by: not the time, nor the id of the request.</summary>
    public string Whole =>
        $"{(int)Status} {string.Join(", ", Headers.Where(h => !Each.Contains(h.Key, StringComparer.OrdinalIgnoreCase)).OrderBy(h => h.Key, StringComparer.Ordinal).Select(h => $"{h.Key}={h.Value}"))} {Text}";
}

/// <summary>A client of the OCI Distribution API that can say everything, wrong things too.</summary>
public sealed class RegistryClient(HttpClient http, string? authorization)
{
    private static readonly string[] Manifests =
    [
        Layout.OciManifest,
        Layout.OciIndex,
        Layout.DockerManifest,
        Layout.DockerList,
    ];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>A client that shows the account and its token as user and password.</summary>
    public static async Task<RegistryClient> ForAsync(RunningHost host, string account) =>
        new(host.Http, Basic(account, await host.TokenForAsync(account)));

    public static string Basic(string user, string password) =>
        $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))}";

    public async Task<Reply> SendAsync(
        string method,
        string path,
        byte[]? body = null,
        bool chunked = false,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (authorization is not null)
        {
            Assert.True(request.Headers.TryAddWithoutValidation("Authorization", authorization));
        }

        if (body is not null)
        {
            request.Content = chunked ? new StreamContent(new Unsized(body)) : new ByteArrayContent(body);
            request.Headers.TransferEncodingChunked = chunked;
        }

        foreach (var (name, value) in headers)
        {
            // Not looked at by the client: some of what is sent is malformed on purpose.
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content ??= new ByteArrayContent([]);
                Assert.True(request.Content.Headers.TryAddWithoutValidation(name, value));
            }
        }

        using var response = await http.SendAsync(request, Stop);
        var all = ((IEnumerable<KeyValuePair<string, IEnumerable<string>>>)response.Headers)
            .Concat(response.Content.Headers)
            .ToDictionary(h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase);
        return new Reply(response.StatusCode, all, await response.Content.ReadAsByteArrayAsync(Stop));
    }

    public Task<Reply> GetAsync(string path, params (string Name, string Value)[] headers) =>
        SendAsync("GET", path, headers: headers);

    /// <summary>Pushes a blob in one request and returns its digest.</summary>
    public async Task<string> PushBlobAsync(string repository, byte[] bytes, string algorithm = "sha256")
    {
        var digest = Layout.DigestOf(bytes, algorithm);
        var reply = await SendAsync("POST", $"/v2/{repository}/blobs/uploads/?digest={digest}", bytes);
        Assert.True(reply.Status == HttpStatusCode.Created, reply.Text);
        return digest;
    }

    /// <summary>Begins a session and returns its location.</summary>
    public async Task<string> BeginAsync(string repository)
    {
        var reply = await SendAsync("POST", $"/v2/{repository}/blobs/uploads/");
        Assert.True(reply.Status == HttpStatusCode.Accepted, reply.Text);
        return reply["Location"]!;
    }

    public Task<Reply> PatchAsync(string location, byte[] chunk, long? first = null, bool chunked = false) =>
        SendAsync("PATCH", location, chunk, chunked, first is { } at ? [Range(at, chunk.Length)] : []);

    public Task<Reply> PutManifestAsync(
        string repository,
        string reference,
        byte[] bytes,
        string? mediaType = Layout.OciManifest
    ) =>
        SendAsync(
            "PUT",
            $"/v2/{repository}/manifests/{reference}",
            bytes,
            headers: mediaType is null ? [] : [("Content-Type", mediaType)]
        );

    /// <summary>Pushes everything of a layout but its index.json, manifests last, and tags what that names.</summary>
    public async Task PushAsync(string repository, Layout layout)
    {
        var manifests = new List<JsonObject>();
        foreach (var descriptor in layout.Manifests)
        {
            Collect(layout, descriptor, manifests);
        }

        var digests = manifests.Select(Layout.Digest).ToHashSet(StringComparer.Ordinal);
        foreach (var (path, bytes) in layout.Files.Where(f => f.Key.StartsWith("blobs/", StringComparison.Ordinal)))
        {
            var parts = path.Split('/');
            if (!digests.Contains($"{parts[1]}:{parts[2]}"))
            {
                await PushBlobAsync(repository, bytes, parts[1]);
            }
        }

        foreach (var manifest in manifests)
        {
            var tag = manifest["annotations"]?["org.opencontainers.image.ref.name"]?.GetValue<string>();
            var digest = Layout.Digest(manifest);
            var reply = await PutManifestAsync(
                repository,
                tag ?? digest,
                layout.Files[Layout.PathOf(digest)],
                manifest["mediaType"]?.GetValue<string>()
            );
            Assert.True(reply.Status == HttpStatusCode.Created, reply.Text);
        }
    }

    public static (string, string) Range(long first, long length) =>
        ("Content-Range", string.Create(CultureInfo.InvariantCulture, $"{first}-{first + length - 1}"));

    // Children before what names them.
    private static void Collect(Layout layout, JsonObject descriptor, List<JsonObject> manifests)
    {
        foreach (var child in layout.Read(descriptor)["manifests"]?.AsArray() ?? [])
        {
            // Old caches of BuildKit name layers there.
            var type = child!["mediaType"]?.GetValue<string>();
            if (type is null || Manifests.Contains(type, StringComparer.OrdinalIgnoreCase))
            {
                Collect(layout, child.AsObject(), manifests);
            }
        }

        manifests.Add(descriptor);
    }

    // A stream whose length nobody knows is sent in chunks.
    private sealed class Unsized(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
