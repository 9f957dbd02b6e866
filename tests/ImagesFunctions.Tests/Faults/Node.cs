using Azure.Data.Tables;
using ImagesFunctions.Images;
using ImagesFunctions.Ingest;
using ImagesFunctions.Oci;
using ImagesFunctions.Pages;
using ImagesFunctions.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Faults;

/// <summary>One process of the service, as far as storage can tell: its own clients, queues and memory.</summary>
public sealed class Node : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public Node(string connection)
        : this(connection, storage: null, []) { }

    /// <summary>One on an account of the caller's making, with settings.</summary>
    public Node(StorageAccount storage, params (string Name, string Value)[] settings)
        : this("", storage, settings) { }

    private Node(string connection, StorageAccount? storage, (string Name, string Value)[] settings)
    {
        Connection = connection;
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([
                new(StorageAccount.Section, connection),
                .. settings.Select(s => new KeyValuePair<string, string?>(s.Name, s.Value)),
            ])
            .Build();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddSingleton(new System.Diagnostics.DiagnosticListener("Tests"));
        storage ??= StorageAccount.From(configuration, [Calls]);
        services.AddSingleton(storage);
        services.AddSingleton(storage.Times);
        services.AddImages(configuration).AddPages();
        _services = services.BuildServiceProvider();
    }

    public string Connection { get; }

    public IServiceProvider Services => _services;

    public StorageCalls Calls { get; } = new();

    public StorageAccount Storage => Get<StorageAccount>();

    internal RowStore RowStore => Get<RowStore>();

    internal ImageRows ImageRows => Get<ImageRows>();

    internal Removal Removal => Get<Removal>();

    internal Tagging Tagging => new(RowStore);

    internal NamespaceLists Lists => Get<NamespaceLists>();

    internal ImageLists ImageLists => Get<ImageLists>();

    internal BlobIngest Ingest => Get<BlobIngest>();

    internal PatientIngest Patient => Get<PatientIngest>();

    internal Visits Visits => Get<Visits>();

    internal Sweeper Sweeper => Get<Sweeper>();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Puts files into the container, without telling anybody.</summary>
    public async Task PutAsync(string repository, Layout layout, params string[] paths)
    {
        foreach (var path in paths.Length == 0 ? layout.Files.Keys : paths)
        {
            await PutAsync($"{repository}/{path}", layout.Files[path]);
        }
    }

    public Task PutAsync(string path, byte[] bytes) =>
        Storage.Images.GetBlobClient(path).UploadAsync(BinaryData.FromBytes(bytes), overwrite: true, Stop);

    /// <summary>Delivers the events of these blobs, one after the other.</summary>
    public async Task LandAsync(IEnumerable<string> paths)
    {
        foreach (var path in paths)
        {
            await Ingest.LandedAsync(path, Stop);
        }
    }

    /// <summary>What a start does: every blob that is there counts as landed once.</summary>
    public async Task StartAsync() => await LandAsync(await PathsAsync());

    /// <summary>Sweeps as if it were so much later.</summary>
    public Task<SweepResult> SweepAsync(TimeSpan later, bool dryRun = false) =>
        Sweeper.RunAsync(new SweepOptions { Later = later }, dryRun, Stop);

    /// <summary>What a host's timer does, as if it were so much later: what is due by notes, and the walk by so many requests.</summary>
    public Task<SweepResult> PassAsync(TimeSpan later, int walk = 0, SweepOptions? options = null) =>
        Sweeper.PassAsync((options ?? new SweepOptions()) with { Later = later, WalkRequests = walk }, Stop);

    /// <summary>The keys of all notes for the sweeper, without the place of its walk.</summary>
    public async Task<IReadOnlyList<string>> NotesAsync() =>
        [.. (await RowsAsync(Keys.DuePartition)).Where(key => key != Keys.WalkPlace)];

    /// <summary>A sweeper's decisions at this moment, when only what is younger is young.</summary>
    internal Garbage Garbage(DateTimeOffset now) =>
        new(
            RowStore,
            Get<Content>(),
            Removal,
            Ingest,
            Get<LayoutIndex>(),
            new SweepAge(now, new SweepOptions { AfterPush = TimeSpan.Zero, AfterDrop = TimeSpan.Zero }),
            dryRun: false
        );

    /// <summary>Sweeps once everything that nobody needs, however young.</summary>
    public Task<SweepResult> SweepYoungAsync() =>
        Sweeper.RunAsync(
            new SweepOptions
            {
                AfterPush = TimeSpan.Zero,
                AfterDrop = TimeSpan.Zero,
                AfterChunk = TimeSpan.Zero,
                EventTakes = TimeSpan.Zero,
            },
            dryRun: false,
            Stop
        );

    /// <summary>As <see cref="SweepYoungAsync"/>, until nothing of it is left.</summary>
    public async Task SweepAllAsync()
    {
        var sweeps = 0;
        while (await SweepYoungAsync() is { Counts.Count: > 0 } result)
        {
            Assert.True(++sweeps < 10, $"still something to sweep: {result}");
        }
    }

    /// <summary>The row keys of a namespace, without the version and the log.</summary>
    public async Task<IReadOnlyList<string>> RowsAsync(string @namespace)
    {
        var keys = new List<string>();
        await foreach (
            var row in Storage.ImageTable.QueryAsync<TableEntity>(
                r => r.PartitionKey == @namespace,
                cancellationToken: Stop
            )
        )
        {
            if (row.RowKey != JournalKeys.Version && !Keys.All('c').Contains(row.RowKey))
            {
                keys.Add(row.RowKey);
            }
        }

        return keys;
    }

    public async Task<IReadOnlyList<string>> PathsAsync()
    {
        var paths = new List<string>();
        await foreach (var blob in Storage.Images.GetBlobsAsync(cancellationToken: Stop))
        {
            paths.Add(blob.Name);
        }

        return paths;
    }

    /// <summary>What a list shows of a namespace: each image with its tags, as <c>app@digest tag tag</c>.</summary>
    public async Task<string[]> ListedAsync(string @namespace)
    {
        var list = await Lists.CurrentAsync(@namespace, null, Stop);
        return
        [
            .. list.In(Keys.All('i'), "", tagged: false)
                .Select(i => string.Join(' ', [$"{i.Row.App}@{i.Row.Digest}", .. i.Tags])),
        ];
    }

    public static Repository Repository(string name) =>
        ImagesFunctions.Oci.Repository.TryParse(name, out var repository)
            ? repository
            : throw new FormatException(name);

    public static Digest Digest(string text) =>
        ImagesFunctions.Oci.Digest.TryParse(text, out var digest) ? digest : throw new FormatException(text);

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();
}
