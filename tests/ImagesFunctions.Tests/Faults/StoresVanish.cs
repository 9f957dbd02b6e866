using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using Azure.Data.Tables;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Registry;
using ImagesFunctions.Tests.Worker;

namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// Tables and containers are deleted under hosts that are at work: whatever is under way is done or 503, and never an empty list,
/// a 404 or a failed login; not ready meanwhile; and when storage has them again, all is there by itself.
/// </summary>
[TakesLong(seconds: 60)]
public sealed class StoresVanish
{
    private const string Repo = "alice/web";

    // So many answers of each kind while it is away.
    private const int Enough = 4;

    private readonly Layout _image = Layout.Small("vanishing", "v1");
    private readonly ConcurrentQueue<string> _untrue = [];
    private readonly ConcurrentDictionary<string, int> _unavailable = new(StringComparer.Ordinal);
    private RunningHost _host = null!;
    private RegistryClient _registry = null!;
    private string _token = "";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Layer => _image.FirstLayer["blobs/".Length..].Replace('/', ':');

    [Fact]
    public async Task Under_the_local_host()
    {
        await using var fixture = new KestrelFixture();
        await RunAsync(await fixture.Started, () => Task.CompletedTask);
    }

    [Fact]
    public async Task Under_the_worker()
    {
        await using var worker = await OwnWorker.StartAsync();
        await RunAsync(
            worker.Running,
            async () =>
            {
                foreach (var path in _image.Files.Keys)
                {
                    var result = await worker.Host.BlobLandedAsync($"{Repo}/{path}", Stop);
                    Assert.True(result.Succeeded, result.Error);
                }
            }
        );
    }

    private async Task RunAsync(RunningHost host, Func<Task> landed)
    {
        _host = host;
        _token = await host.TokenForAsync("alice");
        _registry = new RegistryClient(host.Http, RegistryClient.Basic("alice", _token));
        await host.LayoutAsync(Repo, _image);
        await landed();
        await IsAllThereAsync("before");

        await VanishAsync(
            host.Storage.ImageTable,
            "list|list of the platform|tags|catalog|GET manifest|GET blob|HEAD blob|push|session|delete"
        );
        await IsAllThereAsync("after the table of images");
        await VanishAsync(host.Storage.Accounts, "login|list|GET manifest|push");
        await IsAllThereAsync("after the table of tokens");

        await UnderLoadAsync(
            () => host.Storage.Uploads.DeleteAsync(cancellationToken: Stop),
            "chunk",
            // What needs none of it goes on.
            "list|GET manifest|GET blob"
        );
        await host.Storage.Uploads.CreateAsync(cancellationToken: Stop);
        await IsAllThereAsync("after the container of uploads");

        await UnderLoadAsync(
            () => host.Storage.Images.DeleteAsync(cancellationToken: Stop),
            "GET manifest|GET blob|HEAD blob|push|delete",
            "list|tags|login"
        );
        await host.Storage.Images.CreateAsync(cancellationToken: Stop);
        await host.LayoutAsync(Repo, _image);
        await landed();
        await IsAllThereAsync("after the container of images");
    }

    // Deletes a table under load, and brings it back with its rows.
    private async Task VanishAsync(TableClient table, string unavailable)
    {
        var rows = await table.QueryAsync<TableEntity>(cancellationToken: Stop).ToListAsync(Stop);
        await UnderLoadAsync(() => table.DeleteAsync(Stop), unavailable, "");
        await table.CreateAsync(Stop);
        foreach (var row in rows)
        {
            // The host may have left a note of what is due as soon as there is a table.
            await table.UpsertEntityAsync(row, TableUpdateMode.Replace, Stop);
        }
    }

    private async Task UnderLoadAsync(Func<Task> delete, string unavailable, string served)
    {
        _unavailable.Clear();
        var done = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var load = Requests().Select(request => RepeatAsync(request.Name, request.Send, done, end.Token)).ToList();
        await Until.TrueAsync(() => done.Count == Requests().Count, "an answer of each kind");
        await delete();
        _unavailable.Clear();
        done.Clear();
        await Until.TrueAsync(
            () =>
                unavailable.Split('|').All(name => _unavailable.GetValueOrDefault(name) >= Enough)
                && (served.Length == 0 || served.Split('|').All(name => done.GetValueOrDefault(name) >= Enough)),
            $"{Enough} answers 503 of each of {unavailable}, and {Enough} others of each of {served}",
            TimeSpan.FromSeconds(120)
        );
        var ready = await _registry.SendAsync("GET", "/readyz");
        await end.CancelAsync();
        await Task.WhenAll(load);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.Status);
        Assert.Empty(_untrue);
    }

    private async Task RepeatAsync(
        string name,
        Func<Task<Reply>> send,
        ConcurrentDictionary<string, int> done,
        CancellationToken end
    )
    {
        while (!end.IsCancellationRequested)
        {
            Reply reply;
            try
            {
                reply = await send();
            }
            catch (HttpRequestException)
            {
                // An answer that had begun: that it broke off is all that can be said.
                continue;
            }

            if (reply.Status == HttpStatusCode.ServiceUnavailable)
            {
                if (reply["Retry-After"] is null)
                {
                    _untrue.Enqueue($"{name}: 503 without Retry-After");
                }

                _unavailable.AddOrUpdate(name, 1, (_, count) => count + 1);
            }
            else if (
                (int)reply.Status >= 300
                || (name.StartsWith("list", StringComparison.Ordinal) && !Shows(reply, _image.FirstImage))
                || (name == "tags" && !Shows(reply, "\"v1\""))
                || (name == "catalog" && !Shows(reply, Repo))
                || (name == "GET blob" && !reply.Bytes.AsSpan().SequenceEqual(_image.Files[_image.FirstLayer]))
            )
            {
                _untrue.Enqueue($"{name}: {(int)reply.Status} {reply.Text}");
            }
            else
            {
                done.AddOrUpdate(name, 1, (_, count) => count + 1);
            }

            await Task.Delay(100, CancellationToken.None);
        }
    }

    private static bool Shows(Reply reply, string what) => reply.Text.Contains(what, StringComparison.Ordinal);

    private List<(string Name, Func<Task<Reply>> Send)> Requests() =>
        [
            ("login", () => _registry.SendAsync("GET", "/v2/")),
            ("list", () => SendV1Async("/v1/images/list")),
            ("list of the platform", () => SendV1Async("/v1/images")),
            ("tags", () => _registry.SendAsync("GET", $"/v2/{Repo}/tags/list")),
            ("catalog", () => _registry.SendAsync("GET", "/v2/_catalog")),
            ("GET manifest", () => _registry.SendAsync("GET", $"/v2/{Repo}/manifests/v1")),
            ("GET blob", () => _registry.SendAsync("GET", $"/v2/{Repo}/blobs/{Layer}")),
            ("HEAD blob", () => _registry.SendAsync("HEAD", $"/v2/{Repo}/blobs/{Layer}")),
            ("push", PushAsync),
            ("session", () => _registry.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/")),
            ("chunk", ChunkAsync),
            ("delete", DeleteAsync),
        ];

    private Task<Reply> PushAsync()
    {
        var bytes = RandomNumberGenerator.GetBytes(100);
        return _registry.SendAsync("POST", $"/v2/alice/more/blobs/uploads/?digest={Layout.DigestOf(bytes)}", bytes);
    }

    // Longer than what stands in a row.
    private async Task<Reply> ChunkAsync()
    {
        var session = await _registry.SendAsync("POST", $"/v2/alice/more/blobs/uploads/");
        return session.Status == HttpStatusCode.Accepted
            ? await _registry.SendAsync("PATCH", session["Location"]!, new byte[40_000])
            : session;
    }

    // Of a blob that was pushed before.
    private async Task<Reply> DeleteAsync()
    {
        var bytes = RandomNumberGenerator.GetBytes(100);
        var digest = Layout.DigestOf(bytes);
        var push = await _registry.SendAsync("POST", $"/v2/alice/less/blobs/uploads/?digest={digest}", bytes);
        return push.Status == HttpStatusCode.Created
            ? await _registry.SendAsync("DELETE", $"/v2/alice/less/blobs/{digest}")
            : push;
    }

    private Task<Reply> SendV1Async(string path) =>
        new RegistryClient(_host.Http, $"Bearer {_token}").SendAsync("GET", path);

    private async Task IsAllThereAsync(string when)
    {
        await Until.TrueAsync(
            async () =>
                Shows(await SendV1Async("/v1/images/list"), _image.FirstImage)
                && (await _registry.SendAsync("GET", $"/v2/{Repo}/manifests/v1")).Status == HttpStatusCode.OK
                && (await _registry.SendAsync("GET", $"/v2/{Repo}/blobs/{Layer}")).Status == HttpStatusCode.OK
                && (await PushAsync()).Status == HttpStatusCode.Created
                && (await _registry.SendAsync("GET", "/readyz")).Status == HttpStatusCode.OK,
            async () => $"Not all is there {when}: {(await SendV1Async("/v1/images/list")).Text}"
        );
    }
}
