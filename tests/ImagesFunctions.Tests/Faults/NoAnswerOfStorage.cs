using System.Net;
using System.Text.Json.Nodes;
using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// What a proxy, a gateway or another server answers in storage's place says nothing of what is stored, whatever its status: it
/// is 503 for clients, an error in the log and not ready, and when it is over everything is as it was.
/// </summary>
[TakesLong(seconds: 60)]
public sealed class NoAnswerOfStorage : IAsyncLifetime
{
    private const string Repo = "alice/web";

    private readonly Layout _image = new();
    private readonly FakeLoggerProvider _log = new();
    private Node _outside = null!;
    private Node _node = null!;
    private FrontEnd _front = null!;
    private NodeRegistry _registry = null!;
    private string _token = "";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Layer => _image.FirstLayer["blobs/".Length..].Replace('/', ':');

    private string Listed => $"web@{_image.FirstImage} v1";

    /// <summary>Status, body, media type.</summary>
    public static TheoryData<int, string, string?> Pages =>
        new()
        {
            {
                200,
                """<html xmlns="http://www.w3.org/1999/xhtml"><body>Please log in</body></html>""",
                "application/xml"
            },
            { 200, """{"value":[]}""", "application/json" },
            { 200, "", null },
            { 302, "", null },
            { 304, "", null },
            { 404, "<html>Not Found</html>", "text/html" },
            { 404, """{"odata.error":{"code":"ResourceNotFound"}}""", "application/json" },
            { 409, "", null },
            { 412, "", null },
            { 429, "", null },
            { 502, "<html>Bad Gateway</html>", "text/html" },
        };

    public async ValueTask InitializeAsync()
    {
        _outside = new Node(await Storages.NewWithTablesAsync());
        _front = new FrontEnd(_outside.Connection);
        _node = new Node(AzureLimits.AccountOver(_outside.Connection, _front), (Limits.FailuresSetting, "3"));
        _node.Services.GetRequiredService<ILoggerFactory>().AddProvider(_log);
        _token = await NodeRegistry.TokenAsync(_outside, "alice");
        _registry = new NodeRegistry(_node, "alice", _token);
        _image.Index(
            Layout.Tagged(
                _image.AddManifest(
                    _image.Add(Layout.OciConfig, new JsonObject { ["author"] = "somebody" }),
                    _image.Add(Layout.OciTar, [1, 2, 3])
                ),
                "v1"
            )
        );
        await _outside.PutAsync(Repo, _image);
        await _outside.StartAsync();
        Assert.Equal([Listed], await _outside.ListedAsync("alice"));
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _outside.DisposeAsync();
        _front.Dispose();
        _log.Dispose();
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task In_place_of_tokens_no_login_has_failed(int status, string body, string? type)
    {
        _front.Answer = request =>
            IsAboutTokens(request) && _front.IsTable(request) ? FrontEnd.Page(status, body, type) : null;
        // More than may fail.
        foreach (var path in Enumerable.Repeat("/v2/", 4).Append("/v1/images/list"))
        {
            IsUnavailable(path, await SendAsync("GET", path));
        }

        _front.Answer = _ => null;
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", "/v2/")).Status);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task In_place_of_rows(int status, string body, string? type)
    {
        // The login passes.
        _front.Answer = request =>
            _front.IsTable(request) && !IsAboutTokens(request) ? FrontEnd.Page(status, body, type) : null;

        await AllAreUnavailableAsync([
            ("GET", "/v1/images/list"),
            ("GET", $"/v2/{Repo}/manifests/v1"),
            ("HEAD", $"/v2/{Repo}/blobs/{Layer}"),
            ("GET", $"/v2/{Repo}/tags/list"),
            ("GET", "/v2/_catalog"),
            ("DELETE", $"/v2/{Repo}/manifests/v1"),
            ("POST", $"/v2/{Repo}/blobs/uploads/"),
        ]);
        await NothingIsLostAsync();
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task In_place_of_blobs(int status, string body, string? type)
    {
        _front.Answer = request => _front.IsBlob(request) ? FrontEnd.Page(status, body, type) : null;

        await AllAreUnavailableAsync([
            ("GET", $"/v2/{Repo}/manifests/v1"),
            ("HEAD", $"/v2/{Repo}/manifests/v1"),
            ("GET", $"/v2/{Repo}/blobs/{Layer}"),
            ("HEAD", $"/v2/{Repo}/blobs/{Layer}"),
            ("DELETE", $"/v2/{Repo}/manifests/{_image.FirstImage}"),
            ("PUT", $"/v2/{Repo}/manifests/v2"),
            ("POST", $"/v2/{Repo}/blobs/uploads/?digest={Layer}"),
            ("POST", $"/v2/alice/other/blobs/uploads/?mount={Layer}&from={Repo}"),
        ]);
        await NothingIsLostAsync();
    }

    [Fact]
    public async Task A_sweep_waits_until_it_is_storage_that_answers()
    {
        var pages = 6;
        _front.Answer = request =>
            _front.IsBlob(request) && Interlocked.Decrement(ref pages) >= 0
                ? FrontEnd.Page(200, "<html xmlns=\"http://www.w3.org/1999/xhtml\"/>", "application/xml")
                : null;

        await _node.SweepYoungAsync();

        Assert.True(pages < 0, "It has not asked for blobs.");
        await NothingIsLostAsync();
    }

    // No request of these lasts long, but each waits for several tries.
    private async Task AllAreUnavailableAsync((string Method, string Path)[] requests)
    {
        var readiness = _node.Services.GetRequiredService<Readiness>().IsReadyAsync(Stop);
        var landed = Task.WhenAll(
            // The file oci-layout says nothing, and is not looked at.
            _image
                .Files.Keys.Where(path => path != "oci-layout")
                .Select(path => Assert.ThrowsAnyAsync<Exception>(() => _node.LandAsync([$"{Repo}/{path}"])))
        );
        var replies = await Task.WhenAll(
            requests.Select(async request => (request, reply: await SendAsync(request.Method, request.Path)))
        );
        Assert.All(replies, one => IsUnavailable(one.request.ToString(), one.reply));
        Assert.True(
            (_node.Storage.Clock.UtcNow - _outside.Storage.Clock.UtcNow).Duration() < TimeSpan.FromHours(1),
            "It has taken the time from somebody who is not storage."
        );
        Assert.False(await readiness);
        await landed;
        Assert.Contains(_log.Collector.GetSnapshot(), line => line.Level == LogLevel.Error);
    }

    private static bool IsAboutTokens(HttpRequestMessage request) =>
        request.RequestUri!.AbsolutePath.Contains("/accounts", StringComparison.Ordinal);

    private static void IsUnavailable(string request, Reply reply) =>
        Assert.True(
            reply.Status == HttpStatusCode.ServiceUnavailable && reply["Retry-After"] is not null,
            $"{request}: {(int)reply.Status} {reply.Text}"
        );

    private Task<Reply> SendAsync(string method, string path) =>
        path.StartsWith("/v1/", StringComparison.Ordinal)
            ? _registry.SendAsync(method, path, headers: ("Authorization", $"Bearer {_token}"))
            : _registry.SendAsync(
                method,
                path,
                method == "PUT" ? _image.Files[Layout.PathOf(_image.FirstImage)]
                    : method == "POST" ? [1, 2, 3]
                    : null,
                method == "PUT" ? Layout.OciManifest : null
            );

    private async Task NothingIsLostAsync()
    {
        _front.Answer = _ => null;
        Assert.Equal([Listed], await _outside.ListedAsync("alice"));
        Assert.Equal([Listed], await _node.ListedAsync("alice"));
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", $"/v2/{Repo}/manifests/v1")).Status);
        Assert.Equal([1, 2, 3], (await SendAsync("GET", $"/v2/{Repo}/blobs/{Layer}")).Bytes);
        Assert.Equal(_image.Files.Count, (await _outside.PathsAsync()).Count);
        // Nor is it remembered as bad.
        Assert.DoesNotContain(await _outside.RowsAsync("alice"), row => row.StartsWith("x!", StringComparison.Ordinal));
        await Invariants.HoldAsync(_outside, "alice");
    }
}
