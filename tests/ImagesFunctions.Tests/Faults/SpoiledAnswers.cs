using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Faults;

/// <summary>Answers of storage that come cut off, byte by byte, or with advice to wait for an hour: nothing is concluded from them, and nobody waits for long.</summary>
[TakesLong(seconds: 60)]
public sealed class SpoiledAnswers : IAsyncLifetime
{
    private const string Repo = "alice/web";

    private static readonly StorageTimes s_times = new()
    {
        Progress = TimeSpan.FromSeconds(4),
        Answer = TimeSpan.FromSeconds(5),
        Request = TimeSpan.FromSeconds(8),
    };

    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(30);

    private readonly Layout _image = new();
    private Node _outside = null!;
    private Node _node = null!;
    private FrontEnd _front = null!;
    private NodeRegistry _registry = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Layer => _image.FirstLayer["blobs/".Length..].Replace('/', ':');

    private string Listed => $"web@{_image.FirstImage} v1";

    public async ValueTask InitializeAsync()
    {
        _outside = new Node(await Storages.NewWithTablesAsync());
        _front = new FrontEnd(_outside.Connection);
        _node = new Node(AzureLimits.AccountOver(_outside.Connection, _front, s_times));
        _registry = new NodeRegistry(_node, "alice", await NodeRegistry.TokenAsync(_outside, "alice"));
        _image.Index(
            Layout.Tagged(
                _image.AddManifest(
                    _image.Add(Layout.OciConfig, new JsonObject { ["author"] = "somebody" }),
                    _image.Add(Layout.OciTar, new byte[2_000])
                ),
                "v1"
            )
        );
        await _outside.PutAsync(Repo, _image);
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _outside.DisposeAsync();
        _front.Dispose();
    }

    [Theory]
    [InlineData("half", true)]
    [InlineData("half without a length", true)]
    [InlineData("nothing", true)]
    [InlineData("half", false)]
    [InlineData("half without a length", false)]
    [InlineData("nothing", false)]
    public async Task Half_an_answer_is_none(string what, bool ofTables)
    {
        await _outside.StartAsync();
        _front.Spoil = (request, answer) =>
            _front.IsTable(request) == ofTables && request.Method == HttpMethod.Get
                ? FrontEnd.ReplaceAsync(answer, bytes => Cut(bytes, what))
                : Task.CompletedTask;

        string[] gets = ofTables
            ? [$"/v2/{Repo}/tags/list", "/v2/_catalog", $"/v2/{Repo}/manifests/v1", $"/v2/{Repo}/blobs/{Layer}"]
            : [$"/v2/{Repo}/manifests/v1", $"/v2/{Repo}/blobs/{Layer}"];
        foreach (var reply in await Task.WhenAll(gets.Select(get => _registry.SendAsync("GET", get))))
        {
            IsUnavailable(reply);
        }

        _front.Spoil = (_, _) => Task.CompletedTask;
        await AllIsThereAsync();
    }

    [Theory]
    [InlineData("half")]
    [InlineData("half without a length")]
    [InlineData("nothing")]
    public async Task Of_a_layer_that_came_cut_off_nothing_is_remembered(string what)
    {
        _front.Spoil = (request, answer) =>
            _front.IsBlob(request) && request.Method == HttpMethod.Get
                ? FrontEnd.ReplaceAsync(answer, bytes => Cut(bytes, what))
                : Task.CompletedTask;
        foreach (var path in _image.Files.Keys.Where(path => path.StartsWith("blobs/", StringComparison.Ordinal)))
        {
            await Assert.ThrowsAnyAsync<Exception>(() => _node.LandAsync([$"{Repo}/{path}"]));
        }

        Assert.DoesNotContain(await _outside.RowsAsync("alice"), row => row.StartsWith("x!", StringComparison.Ordinal));
        _front.Spoil = (_, _) => Task.CompletedTask;
        await _node.StartAsync();
        await AllIsThereAsync();
    }

    [Theory]
    [InlineData("half")]
    [InlineData("half without a length")]
    [InlineData("nothing")]
    public async Task A_commit_whose_answer_came_cut_off_is_asked_for(string what)
    {
        await _outside.StartAsync();
        var left = 1;
        _front.Spoil = (request, answer) =>
            request.RequestUri!.AbsolutePath.EndsWith("$batch", StringComparison.Ordinal)
            && Interlocked.Decrement(ref left) >= 0
                ? FrontEnd.ReplaceAsync(answer, bytes => Cut(bytes, what))
                : Task.CompletedTask;

        var reply = await _registry.SendAsync("DELETE", $"/v2/{Repo}/manifests/v1");

        Assert.True(reply.Status == HttpStatusCode.Accepted, $"{reply.Status} {reply.Text}");
        Assert.Equal([$"web@{_image.FirstImage}"], await _outside.ListedAsync("alice"));
    }

    [Fact]
    public async Task A_row_that_drips_holds_nobody_up_for_long()
    {
        await _outside.StartAsync();
        _front.Spoil = (request, answer) =>
            _front.IsTable(request)
            && request.Method == HttpMethod.Get
            && !request.RequestUri!.AbsolutePath.Contains("/accounts", StringComparison.Ordinal)
                ? FrontEnd.ReplaceAsync(answer, bytes => new Dripping(bytes, TimeSpan.FromMilliseconds(500)))
                : Task.CompletedTask;

        // One that transfers bytes has no deadline of its own.
        await IsUnavailableSoonAsync("GET", $"/v2/{Repo}/blobs/{Layer}");
        await IsUnavailableSoonAsync("DELETE", $"/v2/{Repo}/manifests/v1");
        await IsUnavailableSoonAsync("PUT", $"/v2/{Repo}/blobs/uploads/{new string('0', 32)}?digest={Layer}");

        _front.Spoil = (_, _) => Task.CompletedTask;
        // Nor does what was begun meanwhile.
        var deleted = _registry.SendAsync("DELETE", $"/v2/{Repo}/manifests/v1");
        await Deadline.OfAsync(deleted, "a commit after storage has dripped", s_soon);
        Assert.Equal(HttpStatusCode.Accepted, (await deleted).Status);
    }

    [Fact]
    public async Task An_error_that_drips_holds_nobody_up_for_long()
    {
        await _outside.StartAsync();
        _front.Answer = request =>
        {
            if (!_front.IsBlob(request))
            {
                return null;
            }

            var page = FrontEnd.Page(503, "");
            page.Headers.Add("x-ms-request-id", "0");
            page.Content = new Dripping(new byte[10_000], TimeSpan.FromMilliseconds(500));
            return page;
        };

        await IsUnavailableSoonAsync("GET", $"/v2/{Repo}/blobs/{Layer}");
        _front.Answer = _ => null;
        await AllIsThereAsync();
    }

    [Theory]
    [InlineData("Retry-After", "3600")]
    [InlineData("Retry-After", "a date")]
    [InlineData("retry-after-ms", "3600000")]
    [InlineData("x-ms-retry-after-ms", "3600000")]
    public async Task Storage_that_asks_for_an_hour_is_not_waited_for(string header, string value)
    {
        await _outside.StartAsync();
        var busy = true;
        _front.Answer = request =>
        {
            if (!_front.IsBlob(request) || !busy)
            {
                return null;
            }

            var page = FrontEnd.Page(503, "");
            page.Headers.Add("x-ms-request-id", "0");
            page.Headers.Add("x-ms-error-code", "ServerBusy");
            page.Headers.TryAddWithoutValidation(
                header,
                value == "a date"
                    ? DateTimeOffset.UtcNow.AddHours(1).ToString("R", CultureInfo.InvariantCulture)
                    : value
            );
            return page;
        };

        // Twice four pauses of five seconds: it is asked for what it is, and then whether it is there.
        await IsUnavailableSoonAsync("GET", $"/v2/{Repo}/blobs/{Layer}", TimeSpan.FromSeconds(60));
        busy = false;
        await AllIsThereAsync();
    }

    [Theory]
    [InlineData(412)]
    [InlineData(304)]
    public async Task A_condition_that_nobody_has_set_does_not_say_that_a_layout_is_gone(int status)
    {
        await _outside.StartAsync();
        _front.Answer = request =>
        {
            if (!_front.IsBlob(request) || request.Headers.IfMatch.Count > 0)
            {
                return null;
            }

            var page = FrontEnd.Page(status, "");
            page.Headers.Add("x-ms-request-id", "0");
            page.Headers.Add("x-ms-error-code", "ConditionNotMet");
            return page;
        };

        await Assert.ThrowsAnyAsync<Exception>(() => _node.LandAsync([$"{Repo}/index.json"]));
        IsUnavailable(await _registry.SendAsync("HEAD", $"/v2/{Repo}/blobs/{Layer}"));

        _front.Answer = _ => null;
        await AllIsThereAsync();
    }

    private static HttpContent Cut(byte[] bytes, string what) =>
        what switch
        {
            "half" => new ByteArrayContent(bytes[..(bytes.Length / 2)]),
            "nothing" => new ByteArrayContent([]),
            _ => new WithoutLength(bytes[..(bytes.Length / 2)]),
        };

    private static void IsUnavailable(Reply reply)
    {
        Assert.True(reply.Status == HttpStatusCode.ServiceUnavailable, $"{reply.Status} {reply.Text}");
        Assert.NotNull(reply["Retry-After"]);
    }

    private async Task IsUnavailableSoonAsync(string method, string path, TimeSpan? soon = null)
    {
        var answer = _registry.SendAsync(method, path);
        await Deadline.OfAsync(answer, $"an answer to {method} {path}", soon ?? s_soon);
        IsUnavailable(await answer);
    }

    private async Task AllIsThereAsync()
    {
        Assert.Equal([Listed], await _outside.ListedAsync("alice"));
        Assert.Equal([Listed], await _node.ListedAsync("alice"));
        Assert.Equal(HttpStatusCode.OK, (await _registry.SendAsync("GET", $"/v2/{Repo}/manifests/v1")).Status);
        Assert.Equal(new byte[2_000], (await _registry.SendAsync("GET", $"/v2/{Repo}/blobs/{Layer}")).Bytes);
        await Invariants.HoldAsync(_outside, "alice");
    }
}
