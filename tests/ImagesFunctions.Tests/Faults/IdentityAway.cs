using System.Net;
using Azure.Core;
using Azure.Identity;
using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace ImagesFunctions.Tests.Faults;

/// <summary>Nobody vouches for us: the identity service of the machine, or Entra, is away. Storage is not even asked.</summary>
public sealed class IdentityAway : IAsyncLifetime
{
    private const string Why = "ManagedIdentityCredential authentication unavailable.";

    private readonly FakeLoggerProvider _log = new();
    private Node _node = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([
                new($"{StorageAccount.Section}:blobServiceUri", "https://account.blob.example"),
                new($"{StorageAccount.Section}:tableServiceUri", "https://account.table.example"),
            ])
            .Build();
        _node = new Node(StorageAccount.From(configuration, [], new Away(), new Unreached()));
        _node.Services.GetRequiredService<ILoggerFactory>().AddProvider(_log);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        _log.Dispose();
    }

    [Theory]
    [InlineData("GET", "/v2/")]
    [InlineData("GET", "/v2/alice/web/manifests/v1")]
    [InlineData("PUT", "/v2/alice/web/manifests/v1")]
    [InlineData("GET", "/v1/images/list")]
    public async Task Is_503_and_no_failed_login(string method, string path)
    {
        var credentials = Credentials.New("alice");
        var registry = new NodeRegistry(_node, "alice", credentials.Text);

        var reply = path.StartsWith("/v1/", StringComparison.Ordinal)
            ? await registry.SendAsync(method, path, headers: ("Authorization", $"Bearer {credentials.Text}"))
            : await registry.SendAsync(method, path);

        Assert.True(reply.Status == HttpStatusCode.ServiceUnavailable, $"{reply.Status} {reply.Text}");
        Assert.NotNull(reply["Retry-After"]);
        // The reason is not for callers.
        Assert.DoesNotContain("Credential", reply.Text, StringComparison.Ordinal);
        Assert.Contains(
            _log.Collector.GetSnapshot(),
            line => line.Level == LogLevel.Error && line.Message.Contains(Why, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Is_not_ready_and_no_blob_is_given_up()
    {
        Assert.False(await _node.Services.GetRequiredService<Readiness>().IsReadyAsync(Stop));
        await Assert.ThrowsAsync<CredentialUnavailableException>(() => _node.LandAsync(["alice/web/index.json"]));
        Assert.True(StorageErrors.MayPass(new CredentialUnavailableException(Why)));
    }

    private sealed class Away : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            throw new CredentialUnavailableException(Why);

        public override ValueTask<AccessToken> GetTokenAsync(
            TokenRequestContext requestContext,
            CancellationToken cancellationToken
        ) => throw new CredentialUnavailableException(Why);
    }

    private sealed class Unreached : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        ) => throw new InvalidOperationException("Storage was asked without an identity.");
    }
}
