using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using Azure;
using ImagesFunctions.Local;
using ImagesFunctions.Storage;
using ImagesFunctions.Telemetry;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Worker;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>
/// Events that Event Grid gave up are looked at by the next sweep. A blob that has just come is left to its event otherwise, so
/// whatever is listed here is so because of the file.
/// </summary>
public sealed class DeadLettersAreSwept
{
    private const string Repo = "alice/web";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_the_events_were_about_is_listed_and_their_files_go()
    {
        await using var node = await NewAsync();
        var layout = Layout.Small("lost", "v1");
        await node.PutAsync(Repo, layout);
        Assert.Empty((await node.SweepAsync(TimeSpan.Zero)).Counts);
        await LeaveAsync(node.Storage, "images-landed/2026/a.json", [.. layout.Files.Keys.Skip(1)]);
        await LeaveAsync(node.Storage, "images-landed/2026/b.json", layout.Files.Keys.First());

        Assert.Equal(2, (await node.SweepAsync(TimeSpan.Zero, dryRun: true))[SweepKind.DeadLetters]);
        Assert.Equal(2, (await FilesAsync(node.Storage)).Count);
        var result = await node.SweepAsync(TimeSpan.Zero);

        Assert.Equal(new Dictionary<SweepKind, long> { [SweepKind.DeadLetters] = 2 }, result.Counts);
        Assert.Empty(await FilesAsync(node.Storage));
        Assert.Equal([$"web@{layout.FirstImage} v1"], await node.ListedAsync("alice"));
        Assert.Empty((await node.SweepAsync(TimeSpan.Zero)).Counts);
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_is_left_counted_and_holds_up_no_other()
    {
        await using var node = await NewAsync();
        var layout = Layout.Small("lost", "v1");
        await node.PutAsync(Repo, layout);
        await node.Storage.DeadLetters.UploadBlobAsync("a/broken.json", BinaryData.FromString("[{"), Stop);
        await LeaveAsync(node.Storage, "b/good.json", [.. layout.Files.Keys]);
        using var told = new Told();

        var result = await node.SweepAsync(TimeSpan.Zero);

        Assert.Equal((1, 1), (result[SweepKind.DeadLetters], result[SweepKind.DeadLettersLeft]));
        Assert.Equal(["a/broken.json"], await FilesAsync(node.Storage));
        Assert.Equal([$"web@{layout.FirstImage} v1"], await node.ListedAsync("alice"));
        // The kinds that the alerts ask for, each once.
        Assert.Equal((1, 1, 1), (told["deadletters"], told["deadlettersleft"], told["sweeps"]));
    }

    [Fact]
    public async Task Events_of_what_storage_does_not_give_now_are_left_for_the_next_sweep()
    {
        await using var node = await NewAsync();
        var layout = Layout.Small("lost", "v1");
        await node.PutAsync(Repo, layout);
        await LeaveAsync(node.Storage, "a.json", [.. layout.Files.Keys]);
        node.Calls.Before = (_, message) =>
            message.Request.Uri.Path.Contains($"/images/{Repo}/", StringComparison.Ordinal)
                ? throw new RequestFailedException(403, "No.", "AuthorizationPermissionMismatch", null)
                : ValueTask.CompletedTask;

        var result = await node.SweepAsync(TimeSpan.Zero);

        Assert.Equal((0, 1), (result[SweepKind.DeadLetters], result[SweepKind.DeadLettersLeft]));
        Assert.Equal(["a.json"], await FilesAsync(node.Storage));
        node.Calls.Before = (_, _) => ValueTask.CompletedTask;
        Assert.Equal(1, (await node.SweepAsync(TimeSpan.Zero))[SweepKind.DeadLetters]);
        Assert.Equal([$"web@{layout.FirstImage} v1"], await node.ListedAsync("alice"));
    }

    [Fact]
    public async Task Where_there_is_no_such_container_nothing_is_missing()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());

        Assert.Empty((await node.SweepAsync(TimeSpan.Zero)).Counts);
        Assert.False(await node.Storage.DeadLetters.ExistsAsync(Stop));
    }

    [Fact]
    public async Task The_command_takes_them_in()
    {
        await using var node = await NewAsync();
        var layout = Layout.Small("lost", "v1");
        await node.PutAsync(Repo, layout);
        await LeaveAsync(node.Storage, "a.json", [.. layout.Files.Keys]);

        var result = await CliWrap.Buffered.BufferedCommandExtensions.ExecuteBufferedAsync(
            CliWrap
                .Cli.Wrap("dotnet")
                .WithArguments([typeof(Commands).Assembly.Location, "gc"])
                .WithEnvironmentVariables(e => e.Set(StorageAccount.Section, node.Connection)),
            Stop
        );

        Assert.Equal("files of undelivered events taken in: 1\n", result.StandardOutput.ReplaceLineEndings("\n"));
        Assert.Equal([$"web@{layout.FirstImage} v1"], await node.ListedAsync("alice"));
    }

    [Fact]
    public async Task The_timer_of_the_function_app_takes_them_in()
    {
        await using var worker = await OwnWorker.StartAsync();
        var storage = worker.Running.Storage;
        await storage.DeadLetters.CreateIfNotExistsAsync(cancellationToken: Stop);
        var account = Drop.Fresh("alice");
        var layout = Layout.Small("lost", "v1");
        await worker.Running.LayoutAsync($"{account}/web", layout);
        await LeaveAsync(storage, "a.json", account, [.. layout.Files.Keys]);

        var result = await worker.Host.TickAsync(Stop);

        Assert.True(result.Succeeded, result.Error);
        Assert.Empty(await FilesAsync(storage));
        var token = await worker.Running.TokenForAsync(account);
        Assert.Single((await worker.Running.ListAsync(token, $"namespace={account}")).Images);
    }

    private static async Task<Node> NewAsync()
    {
        var node = new Node(await Storages.NewWithTablesAsync());
        await node.Storage.DeadLetters.CreateIfNotExistsAsync(cancellationToken: Stop);
        return node;
    }

    private static Task LeaveAsync(StorageAccount storage, string name, params string[] files) =>
        LeaveAsync(storage, name, "alice", files);

    // As Event Grid writes it: "Event Grid message delivery and retry" in its documents.
    private static async Task LeaveAsync(StorageAccount storage, string name, string account, string[] files) =>
        await storage.DeadLetters.UploadBlobAsync(
            name,
            BinaryData.FromString(
                new JsonArray([
                    .. files.Select(file => new JsonObject
                    {
                        ["id"] = "93902694-901e-008f-6f95-7153a806873c",
                        ["eventType"] = "Microsoft.Storage.BlobCreated",
                        ["subject"] = $"/blobServices/default/containers/images/blobs/{account}/web/{file}",
                        ["data"] = new JsonObject { ["api"] = "PutBlob" },
                        ["deadLetterReason"] = "UndeliverableDueToHttpUnauthorized",
                        ["deliveryAttempts"] = 1,
                        ["lastDeliveryOutcome"] = "Unauthorized",
                    }),
                ]).ToJsonString()
            ),
            Stop
        );

    private static async Task<List<string>> FilesAsync(StorageAccount storage)
    {
        var names = new List<string>();
        await foreach (var blob in storage.DeadLetters.GetBlobsAsync(cancellationToken: Stop))
        {
            names.Add(blob.Name);
        }

        return names;
    }

    // What the sweeper's counter is told by this test: others run at the same time.
    private sealed class Told : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);
        private readonly AsyncLocal<bool> _isMine = new() { Value = true };

        public Told()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == TelemetryExport.Name && instrument.Name == "images.sweep.items")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>(
                (_, count, tags, _) =>
                {
                    if (!_isMine.Value)
                    {
                        return;
                    }

                    foreach (var (name, value) in tags)
                    {
                        if (name == "kind")
                        {
                            lock (_counts)
                            {
                                _counts[(string)value!] = _counts.GetValueOrDefault((string)value!) + count;
                            }
                        }
                    }
                }
            );
            _listener.Start();
        }

        public long this[string kind]
        {
            get
            {
                lock (_counts)
                {
                    return _counts.GetValueOrDefault(kind);
                }
            }
        }

        public void Dispose() => _listener.Dispose();
    }
}
