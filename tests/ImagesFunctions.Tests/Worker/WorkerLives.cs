using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using ImagesFunctions.FunctionsHost;
using ImagesFunctions.Ingest;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.RealImages;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Worker;

/// <summary>What happens to a worker besides requests: blobs, the timer, a stop, a kill.</summary>
[TakesLong(seconds: 30)]
public sealed class WorkerLives(WorkerFixture fixture)
{
    private static readonly string s_blob = $"alice/web/{Layout.PathOf(Layout.DigestOf("blob"u8.ToArray()))}";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_dropped_is_listed_after_the_blob_trigger_was_called()
    {
        var worker = await fixture.Started;
        var account = Drop.Fresh("alice");
        var layout = Layout.Small("dropped", "v1");

        await worker.DropAsync($"{account}/team/web", layout);

        var token = await worker.Running.TokenForAsync(account);
        var image = Assert.Single((await worker.Running.ListAsync(token, $"namespace={account}")).Images);
        Assert.Equal($"{account}/team/web@{layout.FirstImage}", image["digest"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_blob_whose_storage_stays_away_is_a_failed_invocation_so_that_the_host_tries_again()
    {
        using var storage = new Unanswering();
        await using var worker = await OwnWorker.StartAsync(
            (StorageAccount.Section, storage.Connection),
            (PatientIngest.WaitSetting, "0s")
        );

        var result = await worker.Host.BlobLandedAsync(s_blob, Stop);

        Assert.False(result.Succeeded);
        Assert.NotEmpty(result.Error);
    }

    [Fact]
    public async Task A_blob_that_waits_for_storage_gives_up_at_once_when_the_host_cancels_it()
    {
        using var storage = new Unanswering();
        await using var worker = await OwnWorker.StartAsync(
            (StorageAccount.Section, storage.Connection),
            (PatientIngest.WaitSetting, "1h")
        );
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);

        var landed = worker.Host.BlobLandedAsync(s_blob, cancel.Token);
        await storage.Asked.WaitAsync(Stop);
        await cancel.CancelAsync();

        Assert.False((await landed).Succeeded);
    }

    [Fact]
    public async Task The_timer_collects_what_nothing_needs()
    {
        await using var worker = await OwnWorker.StartAsync((SweepOptions.AfterDropSetting, "0m"));
        var path = $"alice/web/{Layout.PathOf(Layout.DigestOf("stray"u8.ToArray()))}";
        await worker.Running.FileAsync(path, "stray"u8.ToArray());
        Assert.True((await worker.Host.BlobLandedAsync(path, Stop)).Succeeded);

        var result = await worker.Host.TickAsync(Stop);

        Assert.True(result.Succeeded, result.Error);
        Assert.False(await worker.Running.Storage.Images.GetBlobClient(path).ExistsAsync(Stop));
    }

    [Fact]
    public async Task Skopeo_pushes_and_pulls_an_image()
    {
        var worker = await fixture.Started;
        var account = Drop.Fresh("alice");
        var credentials = $"{account}:{await worker.Running.TokenForAsync(account)}";
        var folder = Directory.CreateTempSubdirectory("worker").FullName;
        try
        {
            var layout = Layout.Small("skopeo", "v1");
            layout.WriteTo(Path.Combine(folder, "layout"));
            var remote = $"docker://{worker.Host.Address.Authority}/{account}/app:v1";

            await Tool.RunAsync(
                "skopeo",
                "copy",
                "--preserve-digests",
                "--dest-tls-verify=false",
                "--dest-creds",
                credentials,
                $"oci:{folder}/layout:v1",
                remote
            );
            await Tool.RunAsync(
                "skopeo",
                "copy",
                "--preserve-digests",
                "--src-tls-verify=false",
                "--src-creds",
                credentials,
                remote,
                $"oci:{folder}/back:v1"
            );

            var pulled = Layout.FromFolder(Path.Combine(folder, "back"));
            Assert.Equal(layout.FirstImage, pulled.FirstImage);
            Assert.All(layout.Needs(layout.FirstImage), path => Assert.Equal(layout.Files[path], pulled.Files[path]));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_push_under_way_is_finished_when_the_host_ends_the_worker()
    {
        await using var worker = await OwnWorker.StartAsync();
        var token = await worker.Running.TokenForAsync("alice");
        var authorization = RegistryClient.Basic("alice", token);
        var location = await new RegistryClient(worker.Running.Http, authorization).BeginAsync("alice/app");
        // A write ends when the client has taken it, and the client takes no more than the worker does, but for some buffers.
        const int chunk = 16 * 1024 * 1024;
        var body = new Pipe(new PipeOptions(pauseWriterThreshold: 2, resumeWriterThreshold: 1));
        using var request = new HttpRequestMessage(HttpMethod.Patch, location)
        {
            Content = new StreamContent(body.Reader.AsStream()),
        };
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        request.Headers.TransferEncodingChunked = true;
        using var http = new HttpClient { BaseAddress = worker.Host.Address };
        var answer = http.SendAsync(request, Stop);
        await body.Writer.WriteAsync(new byte[chunk], Stop);

        var ended = worker.Host.TerminateAsync(TimeSpan.FromMinutes(1), Stop);
        await body.Writer.WriteAsync(new byte[10], Stop);
        await body.Writer.CompleteAsync();

        using var reply = await answer;
        Assert.Equal(HttpStatusCode.Accepted, reply.StatusCode);
        Assert.Equal($"0-{chunk + 9}", reply.Headers.GetValues("Range").Single());
        Assert.Equal(0, await ended);
    }

    [Fact]
    public async Task A_worker_that_is_killed_is_replaced_and_what_it_answered_is_there()
    {
        await using var worker = await OwnWorker.StartAsync();
        var client = await RegistryClient.ForAsync(worker.Running, "alice");
        var layout = Layout.Small("killed", "v1");
        await client.PushAsync("alice/app", layout);
        var token = await worker.Running.TokenForAsync("alice");
        Assert.Single((await worker.Running.ListAsync(token)).Images);
        var first = await worker.Host.ProcessIdAsync();

        await worker.Host.KillWorkerAsync();

        // What comes before the host has noticed gets a bare 500 of the host.
        using var http = new HttpClient { BaseAddress = worker.Host.Address };
        http.DefaultRequestHeaders.Authorization = new("Bearer", token);
        await Until.TrueAsync(
            async () => (await http.GetAsync(ImagesList.Route, Stop)).StatusCode == HttpStatusCode.OK,
            () => Task.FromResult($"No list. The worker says: {worker.Host.Log}")
        );
        var image = Assert.Single((await worker.Running.ListAsync(token)).Images);
        Assert.Equal($"alice/app@{layout.FirstImage}", image["digest"]!.GetValue<string>());
        Assert.NotEqual(first, await worker.Host.ProcessIdAsync());
    }

    /// <summary>A storage account that closes every connection.</summary>
    private sealed class Unanswering : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Unanswering()
        {
            _listener.Start();
            _ = CloseAllAsync();
        }

        public string Connection
        {
            get
            {
                var address = $"http://{_listener.LocalEndpoint}/a";
                return $"DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint={address};TableEndpoint={address};";
            }
        }

        /// <summary>Completes with the first connection.</summary>
        public Task Asked => _asked.Task;

        public void Dispose() => _listener.Dispose();

        private async Task CloseAllAsync()
        {
            while (true)
            {
                using var connection = await _listener.AcceptTcpClientAsync(Stop);
                _asked.TrySetResult();
            }
        }
    }
}
