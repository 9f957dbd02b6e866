using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// What storage keeps as it is (archive tier, leases, policies, holds) is neither absent nor an outage: nothing is answered that did
/// not happen, and the answer names the cause. Archive tier and leases are the emulator's own; the rest is said for it.
/// </summary>
public abstract class HeldBlobs : IAsyncLifetime
{
    protected const string Repo = "alice/web";

    protected static readonly byte[] Bytes = [1, 2, 3];

    private readonly FakeLoggerProvider _log = new();

    protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    protected Layout Image { get; } = new();

    protected Node Outside { get; private set; } = null!;

    protected Node Node { get; private set; } = null!;

    private protected StorageSays Says { get; private set; } = null!;

    protected NodeRegistry Registry { get; private set; } = null!;

    protected string Token { get; private set; } = "";

    protected static string Layer { get; } = Layout.DigestOf(Bytes);

    protected string LayerPath => $"{Repo}/{Image.FirstLayer}";

    protected string ManifestPath => $"{Repo}/{Layout.PathOf(Image.FirstImage)}";

    protected byte[] Manifest => Image.Files[Layout.PathOf(Image.FirstImage)];

    protected string Listed => $"web@{Image.FirstImage} v1";

    public async ValueTask InitializeAsync()
    {
        Outside = new Node(await Storages.NewWithTablesAsync());
        Says = new StorageSays(Outside.Connection);
        Node = new Node(AzureLimits.AccountOver(Outside.Connection, Says));
        Node.Services.GetRequiredService<ILoggerFactory>().AddProvider(_log);
        Token = await NodeRegistry.TokenAsync(Outside, "alice");
        Registry = new NodeRegistry(Node, "alice", Token);
        Image.Index(
            Image.AddManifest(
                Image.Add(Layout.OciConfig, new JsonObject { ["author"] = "somebody" }),
                Image.Add(Layout.OciTar, Bytes)
            )
        );
        Assert.Equal(HttpStatusCode.Created, (await Registry.PushAsync(Repo, Image, "v1")).Status);
        Assert.Equal([Listed], await Node.ListedAsync("alice"));
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Node.DisposeAsync();
        await Outside.DisposeAsync();
        Says.Dispose();
        _log.Dispose();
    }

    protected BlobClient Blob(string path) => Outside.Storage.Images.GetBlobClient(path);

    protected Task ArchiveAsync(string path) =>
        Blob(path).SetAccessTierAsync(AccessTier.Archive, cancellationToken: Stop);

    protected Task RehydrateAsync(string path) =>
        Blob(path).SetAccessTierAsync(AccessTier.Hot, cancellationToken: Stop);

    /// <summary>Leases a blob for ever, and says how to give it back.</summary>
    protected async Task<Func<Task>> LeaseAsync(string path)
    {
        var lease = Blob(path).GetBlobLeaseClient();
        await lease.AcquireAsync(BlobLeaseClient.InfiniteLeaseDuration, cancellationToken: Stop);
        return () => lease.ReleaseAsync(cancellationToken: Stop);
    }

    protected Task<Reply> SendV1Async(string method, string path) =>
        Registry.SendAsync(method, path, headers: ("Authorization", $"Bearer {Token}"));

    /// <summary>409 in the form of either API, with storage's code and the blob in it, and in the log.</summary>
    protected void IsHeld(Reply reply, string code, string path)
    {
        Assert.True(reply.Status == HttpStatusCode.Conflict, $"{reply.Status} {reply.Text}");
        if (reply.Bytes.Length > 0)
        {
            Assert.NotEmpty(reply.Json["errors"]!.AsArray());
            Assert.Contains($"Storage keeps {path} as it is: ", reply.Text, StringComparison.Ordinal);
            Assert.Contains($"({code})", reply.Text, StringComparison.Ordinal);
        }

        Assert.Contains(
            _log.Collector.GetSnapshot(),
            line => line.Level == LogLevel.Warning && line.Message.Contains(code, StringComparison.Ordinal)
        );
        _log.Collector.Clear();
    }

    protected async Task IsPulledAsync()
    {
        Assert.Equal(Bytes, (await Registry.SendAsync("GET", $"/v2/{Repo}/blobs/{Layer}")).Bytes);
        Assert.Equal(Manifest, (await Registry.SendAsync("GET", $"/v2/{Repo}/manifests/v1")).Bytes);
        Assert.Equal([Listed], await Node.ListedAsync("alice"));
        Assert.Equal([Listed], await Outside.ListedAsync("alice"));
        await Invariants.HoldAsync(Outside, "alice");
    }
}
