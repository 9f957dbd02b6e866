using System.Net;
using CliWrap;
using CliWrap.Buffered;
using ImagesFunctions.Accounts;
using ImagesFunctions.Local;
using ImagesFunctions.Tests.Local;
using ImagesFunctions.Tests.Operation;

namespace ImagesFunctions.Tests.Registry;

/// <summary>Pulls of official images without a login, where a setting allows them.</summary>
public sealed class AnonymousPulls : IAsyncLifetime
{
    private const string Address = "X-Test-Address";
    private const string NoUser = "Basic Og==";

    private readonly Layout _layout = Layout.Small("official", "v1");
    private OwnHost? _host;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private OwnHost Host => _host!;

    private RegistryClient Nobody => new(Host.Running.Http, null);

    public async ValueTask InitializeAsync()
    {
        _host = await OwnHost.StartAsync(
            null,
            (Limits.AnonymousSetting, "40"),
            (Limits.FailuresSetting, "3"),
            (Logins.AddressSetting, Address)
        );
        await (await RegistryClient.ForAsync(Host.Running, "official")).PushAsync("official/hello", _layout);
        await (await RegistryClient.ForAsync(Host.Running, "alice")).PushAsync("alice/web", _layout);
    }

    public ValueTask DisposeAsync() => Host.DisposeAsync();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(NoUser)]
    public async Task An_official_image_is_pulled_without_a_login_or_with_an_empty_one(string? header)
    {
        var client = new RegistryClient(Host.Running.Http, header);
        foreach (var name in new[] { "hello", "official/hello" })
        {
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"/v2/{name}/manifests/v1")).Status);
            Assert.Equal(HttpStatusCode.OK, (await client.SendAsync("HEAD", $"/v2/{name}/manifests/v1")).Status);
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"/v2/{name}/tags/list")).Status);
            Assert.Equal(
                HttpStatusCode.OK,
                (await client.GetAsync($"/v2/{name}/referrers/{_layout.FirstImage}")).Status
            );
            var layer = _layout.FirstLayer["blobs/".Length..].Replace('/', ':');
            Assert.Equal(_layout.Files[_layout.FirstLayer], (await client.GetAsync($"/v2/{name}/blobs/{layer}")).Bytes);
        }

        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/v2/nothing/manifests/v1")).Status);
    }

    [Fact]
    public async Task Nothing_but_reads_of_official_names_goes_without_a_login()
    {
        foreach (
            var (method, path) in new[]
            {
                ("GET", "/v2/"),
                ("GET", "/v2/_catalog"),
                ("GET", "/v2/alice/web/manifests/v1"),
                ("GET", "/v2/alice/nothing/manifests/v1"),
                ("GET", "/v2/alice/web/tags/list"),
                ("POST", "/v2/hello/blobs/uploads/"),
                ("GET", "/v2/hello/blobs/uploads/x"),
                ("PUT", "/v2/hello/manifests/v2"),
                ("DELETE", "/v2/hello/manifests/v1"),
                ("GET", "/v1/images/list"),
                ("GET", "/v1/images/list?namespace=official"),
                ("GET", "/boot/alice/web/v1"),
            }
        )
        {
            foreach (var client in new[] { Nobody, new RegistryClient(Host.Running.Http, NoUser) })
            {
                var reply = await client.SendAsync(method, path);
                Assert.True(reply.Status == HttpStatusCode.Unauthorized, $"{method} {path}: {reply.Text}");
            }
        }

        // None of these was a login that failed.
        Assert.Equal(
            HttpStatusCode.OK,
            (await (await RegistryClient.ForAsync(Host.Running, "bob")).GetAsync("/v2/")).Status
        );
    }

    [Fact]
    public async Task Wrong_credentials_are_not_none()
    {
        foreach (var header in new[] { RegistryClient.Basic("alice", "x"), RegistryClient.Basic("", "x"), "Bearer x" })
        {
            var reply = await new RegistryClient(Host.Running.Http, header).GetAsync(
                "/v2/hello/manifests/v1",
                (Address, "192.0.2.7")
            );
            Assert.Equal((HttpStatusCode.Unauthorized, "UNAUTHORIZED"), (reply.Status, reply.Code));
        }
    }

    [Fact]
    public async Task An_address_has_its_limit()
    {
        var from = (Address, "192.0.2.1");
        for (var i = 0; i < 40; i++)
        {
            Assert.Equal(HttpStatusCode.NotFound, (await Nobody.GetAsync("/v2/nothing/manifests/v1", from)).Status);
        }

        var refused = HttpStatusCode.NotFound;
        for (var i = 0; i < 100 && refused == HttpStatusCode.NotFound; i++)
        {
            refused = (await Nobody.GetAsync("/v2/hello/manifests/nothing", from)).Status;
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, refused);
        Assert.Equal(
            HttpStatusCode.OK,
            (await Nobody.GetAsync("/v2/hello/manifests/v1", (Address, "192.0.2.2"))).Status
        );
        var alice = await RegistryClient.ForAsync(Host.Running, "alice");
        Assert.Equal(HttpStatusCode.OK, (await alice.GetAsync("/v2/hello/manifests/v1", from)).Status);
    }

    [Fact]
    public async Task Unless_a_setting_allows_it_a_login_is_needed()
    {
        await using var host = await OwnHost.StartAsync();
        await (await RegistryClient.ForAsync(host.Running, "official")).PushAsync("official/hello", _layout);

        foreach (var header in new[] { null, NoUser })
        {
            var reply = await new RegistryClient(host.Running.Http, header).GetAsync("/v2/hello/manifests/v1");
            Assert.Equal((HttpStatusCode.Unauthorized, "UNAUTHORIZED"), (reply.Status, reply.Code));
        }
    }

    [Theory]
    [InlineData("skopeo")]
    [InlineData("curl")]
    public async Task Clients_pull_it_without_a_login(string client)
    {
        Assert.SkipWhen(Places.Program(client) is null, $"{client} is not there");
        using var folder = new TemporaryFolder();
        var registry = Host.Running.Http.BaseAddress!.Authority;
        string[] arguments =
            client == "skopeo"
                ?
                [
                    "copy",
                    "--src-tls-verify=false",
                    "--src-no-creds",
                    $"docker://{registry}/official/hello:v1",
                    $"dir:{folder.Path}/out",
                ]
                : ["-fsS", $"http://{registry}/v2/hello/manifests/v1"];

        var result = await Cli.Wrap(Places.Program(client)!).WithArguments(arguments).ExecuteBufferedAsync(Stop);

        if (client == "skopeo")
        {
            var manifest = await File.ReadAllBytesAsync(Path.Combine(folder.Path, "out", "manifest.json"), Stop);
            Assert.Equal(_layout.FirstImage, Layout.DigestOf(manifest));
        }
        else
        {
            Assert.Contains("layers", result.StandardOutput, StringComparison.Ordinal);
        }
    }
}
