using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace ImagesFunctions.Tests.Faults;

/// <summary>Storage that takes a connection and then does nothing, or little: who waits for it is told so soon, and who moves is left alone.</summary>
[TakesLong(seconds: 85)]
public sealed class StorageStalls : IAsyncLifetime
{
    private const string Repo = "alice/web";
    private const int LayerLength = 6 * 1024 * 1024;

    private static readonly StorageTimes s_times = new()
    {
        Progress = TimeSpan.FromSeconds(4),
        Copy = TimeSpan.FromSeconds(5),
        Request = TimeSpan.FromSeconds(6),
        Optional = TimeSpan.FromMilliseconds(200),
    };

    // Far less than a few tries one after the other would take at their longest, on a busy machine too.
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(20);

    private readonly Layout _image = new();
    private readonly byte[] _layer = RandomNumberGenerator.GetBytes(LayerLength);
    private Node _outside = null!;
    private Node _node = null!;
    private StorageSays _says = null!;
    private NodeRegistry _registry = null!;
    private readonly FakeLoggerProvider _log = new();

    private string Said => string.Join('\n', _log.Collector.GetSnapshot().Select(l => l.Message));

    private string Layer => Layout.DigestOf(_layer);

    public async ValueTask InitializeAsync()
    {
        _outside = new Node(await Storages.NewWithTablesAsync());
        _says = new StorageSays(_outside.Connection);
        _node = new Node(AzureLimits.AccountOver(_outside.Connection, _says, s_times));
        _node.Services.GetRequiredService<ILoggerFactory>().AddProvider(_log);
        var token = await NodeRegistry.TokenAsync(_outside, "alice");
        _image.Index(
            _image.AddManifest(
                _image.Add(Layout.OciConfig, new JsonObject { ["author"] = "somebody" }),
                _image.Add(Layout.OciTar, _layer)
            )
        );
        var outside = new NodeRegistry(_outside, "alice", token);
        Assert.Equal(HttpStatusCode.Created, (await outside.PushAsync(Repo, _image, "v1")).Status);
        _registry = new NodeRegistry(_node, "alice", token);
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _outside.DisposeAsync();
        _says.Dispose();
        _log.Dispose();
    }

    [Fact]
    public async Task While_blobs_stall_transfers_end_and_lists_are_answered()
    {
        var session = (await _registry.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/"))["Location"]!;
        _says.Hold = request => !_says.IsTable(request, "images") && !_says.IsTable(request, "accounts");
        var more = RandomNumberGenerator.GetBytes(LayerLength);
        var digest = Layout.DigestOf(more);

        await IsUnavailableSoonAsync(() => _registry.SendAsync("GET", $"/v2/{Repo}/blobs/{Layer}"));
        await IsUnavailableSoonAsync(() => _registry.SendAsync("GET", $"/v2/{Repo}/manifests/v1"));
        await IsUnavailableSoonAsync(() => _registry.SendAsync("PATCH", session, more, chunked: true));
        await IsUnavailableSoonAsync(() => _registry.SendAsync("PATCH", session, new byte[20_000]));
        await IsUnavailableSoonAsync(() => _registry.SendAsync("PUT", $"{session}?digest={digest}", more));
        await IsUnavailableSoonAsync(() =>
            _registry.SendAsync("POST", $"/v2/alice/other/blobs/uploads/?mount={Layer}&from={Repo}")
        );
        var listed = _node.ListedAsync("alice");
        await Deadline.OfAsync(listed, "a list, which needs no blob", s_soon);
        Assert.Equal(["web@" + _image.FirstImage + " v1"], await listed);

        _says.Hold = _ => false;
        Assert.Equal(
            HttpStatusCode.Created,
            (await _registry.SendAsync("PUT", $"{session}?digest={digest}", more)).Status
        );
        Assert.Equal(_layer, (await _registry.SendAsync("GET", $"/v2/{Repo}/blobs/{Layer}")).Bytes);
        await Invariants.HoldAsync(_outside, "alice");
    }

    [Fact]
    public async Task While_tables_stall_every_request_ends()
    {
        _says.Hold = request => _says.IsTable(request, "images");

        await IsUnavailableSoonAsync(() => _registry.SendAsync("GET", $"/v2/{Repo}/manifests/v1"));
        await IsUnavailableSoonAsync(() => _registry.SendAsync("GET", $"/v2/{Repo}/tags/list"));
        await IsUnavailableSoonAsync(() => _registry.SendAsync("DELETE", $"/v2/{Repo}/manifests/v1"));
        await IsUnavailableSoonAsync(() => _registry.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/"));
    }

    [Fact]
    public async Task A_commit_whose_transaction_stalls_ends_with_its_request()
    {
        _says.Hold = request => request.RequestUri!.AbsolutePath.EndsWith("$batch", StringComparison.Ordinal);

        await IsUnavailableSoonAsync(() => _registry.SendAsync("DELETE", $"/v2/{Repo}/manifests/v1"));
    }

    [Fact]
    public async Task A_pull_that_stalls_on_its_way_breaks_off()
    {
        _says.StallAfter = request =>
            request.Method == HttpMethod.Get && _says.IsBlob(request, "images") ? 1024 * 1024 : null;

        var pulling = _registry.SendAsync("GET", $"/v2/{Repo}/blobs/{Layer}");
        await Deadline.OfAsync(pulling, "the end of a pull that stalls", s_soon);
        var pull = await pulling;

        // Nothing but the server itself can cut an answer off: here the error follows what has come.
        Assert.InRange(pull.Bytes.Length, 1024 * 1024, (1024 * 1024) + 1_000);
        Assert.Equal(_layer[..(1024 * 1024)], pull.Bytes[..(1024 * 1024)]);
        Assert.Contains(
            _log.Collector.GetSnapshot(),
            l => l.Message.Contains("made no progress", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Storage_that_is_slow_and_moves_is_waited_for()
    {
        // Each way takes several times what storage may stall, and longer than a request may take that is none.
        _says.Pause = request =>
            _says.IsBlob(request, "images") || _says.IsBlob(request, "uploads") ? TimeSpan.FromMilliseconds(80) : null;
        var more = RandomNumberGenerator.GetBytes(LayerLength);

        var clock = Stopwatch.StartNew();
        var pull = await _registry.SendAsync("GET", $"/v2/{Repo}/blobs/{Layer}");
        Assert.True(clock.Elapsed > s_times.Request, $"too fast to show anything: {clock.Elapsed}");
        Assert.Equal(_layer, pull.Bytes);

        var push = await _registry.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/?digest={Layout.DigestOf(more)}", more);
        Assert.True(push.Status == HttpStatusCode.Created, $"{push.Status} {Said}");
    }

    [Fact]
    public async Task A_client_may_pause_for_longer_than_storage_may_stall()
    {
        var more = RandomNumberGenerator.GetBytes(LayerLength);
        var pause = s_times.Progress * 2;

        var push = await _registry.SendAsync(
            "POST",
            $"/v2/{Repo}/blobs/uploads/?digest={Layout.DigestOf(more)}",
            more,
            sent: body => new PausingOnce(body, after: 5 * 1024 * 1024, pause)
        );

        Assert.True(push.Status == HttpStatusCode.Created, $"{push.Status} {push.Text}");
    }

    private static async Task IsUnavailableSoonAsync(Func<Task<Reply>> send)
    {
        var answer = send();
        await Deadline.OfAsync(answer, "an answer while storage stalls", s_soon);
        var reply = await answer;
        Assert.True(reply.Status == HttpStatusCode.ServiceUnavailable, $"{reply.Status} {reply.Text}");
        Assert.NotNull(reply["Retry-After"]);
    }

    // A client's body that stops once for a while.
    private sealed class PausingOnce(Stream inner, int after, TimeSpan pause) : Stream
    {
        private int _passed;
        private bool _paused;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => inner.Length;

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer,
            CancellationToken cancellationToken = default
        )
        {
            if (_passed >= after && !_paused)
            {
                _paused = true;
                await Task.Delay(pause, cancellationToken);
            }

            var read = await inner.ReadAsync(buffer[..Math.Min(buffer.Length, 64 * 1024)], cancellationToken);
            _passed += read;
            return read;
        }

        public override Task<int> ReadAsync(
            byte[] buffer,
            int offset,
            int count,
            CancellationToken cancellationToken
        ) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Flush() { }
    }
}
