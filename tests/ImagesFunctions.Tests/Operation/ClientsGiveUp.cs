using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using ImagesFunctions.Accounts;
using ImagesFunctions.Local;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace ImagesFunctions.Tests.Operation;

/// <summary>A client that leaves before its answer is whole: the log says 499, whatever the answer has begun to say.</summary>
public sealed class ClientsGiveUp : IAsyncLifetime
{
    private const int Length = 6 * 1024 * 1024;

    private readonly FakeLoggerProvider _log = new();
    private readonly byte[] _layer = RandomNumberGenerator.GetBytes(Length);
    private StorageSays _says = null!;
    private WebApplication _app = null!;
    private HttpClient _http = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var connection = await Storages.NewWithTablesAsync();
        _says = new StorageSays(connection);
        var account = AzureLimits.AccountOver(connection, _says);
        _app = LocalHost.Build(
            connection,
            "http://127.0.0.1:0",
            services => services.Replace(ServiceDescriptor.Singleton(account))
        );
        await _app.StartAsync(Stop);
        _app.Services.GetRequiredService<ILoggerFactory>().AddProvider(_log);
        _http = new HttpClient { BaseAddress = _app.Address() };
        var token = (await _app.Services.GetRequiredService<Tokens>().CreateAsync("alice", null, Stop)).Text;
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        _says.Dispose();
        _log.Dispose();
    }

    [Theory]
    [InlineData("GET", "/v1/images/list")]
    [InlineData("GET", "/v2/alice/web/tags/list")]
    [InlineData("POST", "/v2/alice/web/blobs/uploads/")]
    public async Task Before_the_answer_begins(string method, string path)
    {
        _says.Hold = request => _says.IsTable(request, "images");
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        var before = _says.Held;
        var answer = _http.SendAsync(request, leaving.Token);
        await Until.TrueAsync(() => Task.FromResult(_says.Held > before), () => Task.FromResult("not asked"));

        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
        await IsLoggedAsync(method, path);
        _says.Hold = _ => false;
    }

    [Fact]
    public async Task In_the_middle_of_a_pull()
    {
        var registry = new RegistryClient(_http, null);
        var digest = await registry.PushBlobAsync("alice/web", _layer);
        var path = $"/v2/alice/web/blobs/{digest}";
        _says.StallAfter = request =>
            request.Method == HttpMethod.Get && _says.IsBlob(request, "images") ? 1024 * 1024 : null;

        using (var pull = await _http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, Stop))
        {
            Assert.Equal(HttpStatusCode.OK, pull.StatusCode);
        }

        await IsLoggedAsync("GET", path);
    }

    private Task IsLoggedAsync(string method, string path) =>
        Until.TrueAsync(
            () =>
                Task.FromResult(
                    _log.Collector.GetSnapshot()
                        .Any(l => l.Message.Contains($" {method} {path} 499 ", StringComparison.Ordinal))
                ),
            () => Task.FromResult(string.Join('\n', _log.Collector.GetSnapshot().Select(l => l.Message)))
        );
}
