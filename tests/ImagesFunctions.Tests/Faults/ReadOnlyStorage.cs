using System.Net;
using System.Text.Json.Nodes;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace ImagesFunctions.Tests.Faults;

/// <summary>An account that may only be read: all that reads works, all that writes says why it does not, and nothing is lost.</summary>
public sealed class ReadOnlyStorage : IAsyncLifetime
{
    private const string Repo = "alice/web";

    private readonly Layout _image = new();
    private readonly FakeLoggerProvider _log = new();
    private Node _outside = null!;
    private Node _node = null!;
    private StorageSays _says = null!;
    private NodeRegistry _registry = null!;
    private string _token = "";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Layer => _image.FirstLayer["blobs/".Length..].Replace('/', ':');

    public async ValueTask InitializeAsync()
    {
        _outside = new Node(await Storages.NewWithTablesAsync());
        _says = new StorageSays(_outside.Connection);
        // Whatever is there is soon to be renewed, where a push asks for it.
        _node = new Node(
            AzureLimits.AccountOver(_outside.Connection, _says),
            (SweepOptions.AfterPushSetting, "1s"),
            (SweepOptions.AfterDropSetting, "1s")
        );
        _node.Services.GetRequiredService<ILoggerFactory>().AddProvider(_log);
        _token = await NodeRegistry.TokenAsync(_outside, "alice");
        _registry = new NodeRegistry(_node, "alice", _token);
        _image.Index(
            _image.AddManifest(
                _image.Add(Layout.OciConfig, new JsonObject { ["author"] = "somebody" }),
                _image.Add(Layout.OciTar, [1, 2, 3])
            )
        );
        var outside = new NodeRegistry(_outside, "alice", _token);
        Assert.Equal(HttpStatusCode.Created, (await outside.PushAsync(Repo, _image, "v1")).Status);
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _outside.DisposeAsync();
        _says.Dispose();
        _log.Dispose();
    }

    [Theory]
    [InlineData("InsufficientAccountPermissions")]
    [InlineData("AuthorizationPermissionMismatch")]
    public async Task Reads_work_and_writes_say_why_not(string code)
    {
        _says.Say = request =>
            request.Method != HttpMethod.Get && request.Method != HttpMethod.Head
                ? new(HttpStatusCode.Forbidden, code)
                : null;

        await AllIsReadAsync();
        await NothingIsWrittenAsync(code);
        // An event that has something to write is delivered again.
        await _outside.PutAsync("alice/web/some/file", [1]);
        await Assert.ThrowsAnyAsync<Exception>(() => _node.LandAsync(["alice/web/some/file"]));
        await _outside.Storage.Images.DeleteBlobAsync("alice/web/some/file", cancellationToken: Stop);
        await _node.SweepYoungAsync();

        _says.Say = _ => null;
        await AllIsReadAsync();
        await Invariants.HoldAsync(_outside, "alice");
        Assert.Equal(3, (await _outside.PathsAsync()).Count);
        var manifest = _image.Files[Layout.PathOf(_image.FirstImage)];
        var push = await _registry.SendAsync("PUT", $"/v2/{Repo}/manifests/v2", manifest, Layout.OciManifest);
        Assert.Equal(HttpStatusCode.Created, push.Status);
    }

    private async Task AllIsReadAsync()
    {
        foreach (var path in (string[])["/v1/images/list", "/v1/images", "/v1/images/problems", "/readyz"])
        {
            var reply = await _registry.SendAsync("GET", path, headers: ("Authorization", $"Bearer {_token}"));
            Assert.True(reply.Status == HttpStatusCode.OK, $"{path}: {reply.Status} {reply.Text}");
        }

        Assert.Equal(["web@" + _image.FirstImage + " v1"], await _node.ListedAsync("alice"));
        string[] gets =
        [
            "/v2/",
            $"/v2/{Repo}/manifests/v1",
            $"/v2/{Repo}/manifests/{_image.FirstImage}",
            $"/v2/{Repo}/blobs/{Layer}",
            $"/v2/{Repo}/tags/list",
            $"/v2/{Repo}/referrers/{_image.FirstImage}",
            "/v2/_catalog",
        ];
        foreach (var get in gets)
        {
            foreach (var method in (string[])["GET", "HEAD"])
            {
                var reply = await _registry.SendAsync(method, get);
                Assert.True(reply.Status == HttpStatusCode.OK, $"{method} {get}: {reply.Status} {reply.Text}");
            }
        }
    }

    private async Task NothingIsWrittenAsync(string code)
    {
        var manifest = _image.Files[Layout.PathOf(_image.FirstImage)];
        var uploads = $"/v2/{Repo}/blobs/uploads/";
        var more = Layout.DigestOf([4, 5]);
        Func<Task<Reply>>[] writes =
        [
            () => _registry.SendAsync("PUT", $"/v2/{Repo}/manifests/v2", manifest, Layout.OciManifest),
            () => _registry.SendAsync("POST", uploads),
            () => _registry.SendAsync("POST", $"{uploads}?digest={more}", [4, 5]),
            () => _registry.SendAsync("POST", $"/v2/alice/other/blobs/uploads/?mount={Layer}&from={Repo}"),
            () => _registry.SendAsync("DELETE", $"/v2/{Repo}/manifests/v1"),
            () => _registry.SendAsync("DELETE", $"/v2/{Repo}/manifests/{_image.FirstImage}"),
            () =>
                _registry.SendAsync(
                    "DELETE",
                    $"/v1/images/digest/{Repo}@{_image.FirstImage}",
                    headers: ("Authorization", $"Bearer {_token}")
                ),
        ];
        foreach (var write in writes)
        {
            var reply = await write();
            Assert.True(reply.Status == HttpStatusCode.ServiceUnavailable, $"{reply.Status} {reply.Text}");
            Assert.NotNull(reply["Retry-After"]);
            Assert.Contains($"({code})", reply.Text, StringComparison.Ordinal);
            Assert.Contains(
                _log.Collector.GetSnapshot(),
                line => line.Level == LogLevel.Error && line.Message.Contains($"{code} (", StringComparison.Ordinal)
            );
            _log.Collector.Clear();
        }
    }
}
