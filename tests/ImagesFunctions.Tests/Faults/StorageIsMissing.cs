using System.Net;
using System.Text.Json.Nodes;
using ImagesFunctions.Accounts;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace ImagesFunctions.Tests.Faults;

/// <summary>A table or container that is missing is trouble with storage, and never "nothing there".</summary>
public sealed class StorageIsMissing : IAsyncLifetime
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
        _node = new Node(AzureLimits.AccountOver(_outside.Connection, _says), (Limits.FailuresSetting, "3"));
        _node.Services.GetRequiredService<ILoggerFactory>().AddProvider(_log);
        _token = await NodeRegistry.TokenAsync(_outside, "alice");
        _registry = new NodeRegistry(_node, "alice", _token);
        _image.Index(
            _image.AddManifest(
                _image.Add(Layout.OciConfig, new JsonObject { ["author"] = "somebody" }),
                _image.Add(Layout.OciTar, [1, 2, 3])
            )
        );
        Assert.Equal(HttpStatusCode.Created, (await _registry.PushAsync(Repo, _image, "v1")).Status);
        Assert.Equal(["web@" + _image.FirstImage + " v1"], await _outside.ListedAsync("alice"));
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _outside.DisposeAsync();
        _says.Dispose();
        _log.Dispose();
    }

    [Fact]
    public async Task Without_the_table_of_images_every_request_is_503()
    {
        await _outside.Storage.ImageTable.DeleteAsync(Stop);

        await AllAreUnavailableAsync("TableNotFound");
        await Assert.ThrowsAnyAsync<Exception>(() => _node.LandAsync([$"{Repo}/{_image.FirstLayer}"]));
        await Assert.ThrowsAnyAsync<Exception>(_node.SweepYoungAsync);
        Assert.Equal(3, (await _outside.PathsAsync()).Count);
    }

    [Theory]
    [InlineData("TableNotFound", 404)]
    [InlineData("TableBeingDeleted", 409)]
    [InlineData("AccountIsDisabled", 403)]
    public async Task While_storage_says_that_the_table_of_images_is_gone_every_request_is_503(string code, int status)
    {
        _says.Say = request => _says.IsTable(request, "images") ? new((HttpStatusCode)status, code) : null;
        await AllAreUnavailableAsync(code);

        _says.Say = _ => null;
        await NothingIsLostAsync();
    }

    [Theory]
    [InlineData("TableNotFound", 404)]
    [InlineData("TableBeingDeleted", 409)]
    public async Task While_the_table_of_tokens_is_missing_no_login_has_failed(string code, int status)
    {
        _says.Say = request => _says.IsTable(request, "accounts") ? new((HttpStatusCode)status, code) : null;
        // More than may fail.
        for (var i = 0; i < 6; i++)
        {
            IsUnavailable(await _registry.SendAsync("GET", "/v2/"), code);
        }

        _says.Say = _ => null;
        var fresh = new NodeRegistry(_node, "alice", await NodeRegistry.TokenAsync(_outside, "alice"));
        Assert.Equal(HttpStatusCode.OK, (await fresh.SendAsync("GET", "/v2/")).Status);

        await _outside.Storage.Accounts.DeleteAsync(Stop);
        IsUnavailable(await _registry.SendAsync("GET", "/v2/"), "TableNotFound");
    }

    [Theory]
    [InlineData("ContainerNotFound", 404)]
    [InlineData("ContainerBeingDeleted", 409)]
    [InlineData("ContainerDisabled", 409)]
    [InlineData("AccountIsDisabled", 403)]
    [InlineData("AuthorizationPermissionMismatch", 403)]
    [InlineData("SomethingNotFound", 404)]
    public async Task While_the_container_of_images_is_missing_nothing_leaves_the_list(string code, int status)
    {
        _says.Say = request => _says.IsBlob(request, "images") ? new((HttpStatusCode)status, code) : null;
        IsUnavailable(await _registry.SendAsync("GET", $"/v2/{Repo}/blobs/{Layer}"), code);
        IsUnavailable(await _registry.SendAsync("GET", $"/v2/{Repo}/manifests/v1"), code);
        IsUnavailable(await _registry.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/?digest={Layer}", [1, 2, 3]), code);
        await Assert.ThrowsAnyAsync<Exception>(() => _node.LandAsync([$"{Repo}/{_image.FirstLayer}"]));
        await Assert.ThrowsAnyAsync<Exception>(_node.SweepYoungAsync);

        _says.Say = _ => null;
        await NothingIsLostAsync();
    }

    [Fact]
    public async Task Without_the_container_of_images_nothing_leaves_the_list()
    {
        await _outside.Storage.Images.DeleteAsync(cancellationToken: Stop);

        IsUnavailable(await _registry.SendAsync("GET", $"/v2/{Repo}/blobs/{Layer}"), "ContainerNotFound");
        IsUnavailable(await _registry.SendAsync("GET", $"/v2/{Repo}/manifests/v1"), "ContainerNotFound");
        IsUnavailable(
            await _registry.SendAsync("DELETE", $"/v2/{Repo}/manifests/{_image.FirstImage}"),
            "ContainerNotFound"
        );
    }

    [Theory]
    [InlineData("BlobNotFound", 404)]
    [InlineData("ConditionNotMet", 412)]
    public async Task Only_a_blob_that_is_gone_or_another_takes_its_image_out_of_the_list(string code, int status)
    {
        await _outside.Storage.Images.DeleteBlobAsync($"{Repo}/{_image.FirstLayer}", cancellationToken: Stop);
        _says.Say = request =>
            _says.IsBlob(request, "images") && request.Method == HttpMethod.Get
                ? new((HttpStatusCode)status, code)
                : null;

        var pull = await _registry.SendAsync("GET", $"/v2/{Repo}/blobs/{Layer}");

        Assert.Equal(HttpStatusCode.NotFound, pull.Status);
        Assert.Empty(await _outside.ListedAsync("alice"));
    }

    [Fact]
    public async Task A_list_needs_no_container()
    {
        _says.Say = request =>
            _says.IsTable(request, "images") || _says.IsTable(request, "accounts")
                ? null
                : new(HttpStatusCode.ServiceUnavailable, "ServerBusy");

        var list = await ListAsync();

        Assert.Equal(HttpStatusCode.OK, list.Status);
        Assert.Contains(_image.FirstImage, list.Text, StringComparison.Ordinal);
    }

    private async Task AllAreUnavailableAsync(string code)
    {
        IsUnavailable(await ListAsync(), code);
        string[] gets =
        [
            $"/v2/{Repo}/manifests/v1",
            $"/v2/{Repo}/manifests/{_image.FirstImage}",
            $"/v2/{Repo}/blobs/{Layer}",
            $"/v2/{Repo}/tags/list",
            $"/v2/{Repo}/referrers/{_image.FirstImage}",
            "/v2/_catalog",
        ];
        foreach (var get in gets)
        {
            IsUnavailable(await _registry.SendAsync("GET", get), code);
            IsUnavailable(await _registry.SendAsync("HEAD", get), code);
        }

        var manifest = _image.Files[Layout.PathOf(_image.FirstImage)];
        IsUnavailable(await _registry.SendAsync("PUT", $"/v2/{Repo}/manifests/v2", manifest, Layout.OciManifest), code);
        IsUnavailable(await _registry.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/"), code);
        IsUnavailable(await _registry.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/?digest={Layer}", [1, 2, 3]), code);
        IsUnavailable(
            await _registry.SendAsync("POST", $"/v2/alice/other/blobs/uploads/?mount={Layer}&from={Repo}"),
            code
        );
        IsUnavailable(await _registry.SendAsync("DELETE", $"/v2/{Repo}/manifests/v1"), code);
        IsUnavailable(await _registry.SendAsync("DELETE", $"/v2/{Repo}/manifests/{_image.FirstImage}"), code);
        IsUnavailable(await _registry.SendAsync("DELETE", $"/v2/{Repo}/blobs/{Layer}"), code);
    }

    // What came before counts again, and no process has to forget anything.
    private async Task NothingIsLostAsync()
    {
        Assert.Equal(["web@" + _image.FirstImage + " v1"], await _outside.ListedAsync("alice"));
        Assert.Equal(["web@" + _image.FirstImage + " v1"], await _node.ListedAsync("alice"));
        Assert.Equal(HttpStatusCode.OK, (await _registry.SendAsync("GET", $"/v2/{Repo}/manifests/v1")).Status);
        Assert.Equal([1, 2, 3], (await _registry.SendAsync("GET", $"/v2/{Repo}/blobs/{Layer}")).Bytes);
        await Invariants.HoldAsync(_outside, "alice");
    }

    private Task<Reply> ListAsync() =>
        _registry.SendAsync("GET", "/v1/images/list", headers: ("Authorization", $"Bearer {_token}"));

    private void IsUnavailable(Reply reply, string code)
    {
        Assert.True(reply.Status == HttpStatusCode.ServiceUnavailable, $"{reply.Status} {reply.Text}");
        Assert.InRange(int.Parse(reply["Retry-After"]!), 1, 60);
        Assert.Contains(
            _log.Collector.GetSnapshot(),
            line => line.Level == LogLevel.Error && line.Message.Contains($"{code} (", StringComparison.Ordinal)
        );
        _log.Collector.Clear();
    }
}
