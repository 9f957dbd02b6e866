using ImagesFunctions.FunctionsHost;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Contract;
using ImagesFunctions.Tests.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

[assembly: AssemblyFixture(typeof(WorkerFixture))]

namespace ImagesFunctions.Tests.Worker;

/// <summary>The function app in the worker process that the Functions host would start, on a storage account of its own.</summary>
public sealed class OwnWorker : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private OwnWorker(WorkerHost host, ServiceProvider services)
    {
        (Host, _services) = (host, services);
        // A start of the worker may be waited for.
        var http = OpenApi.Client(host.Address);
        http.Timeout = TimeSpan.FromMinutes(5);
        Running = new RunningHost(http, services);
    }

    public WorkerHost Host { get; }

    /// <summary>The worker as the tests of every host see it.</summary>
    public RunningHost Running { get; }

    /// <summary>Starts it with the settings of a function app whose polling trigger is off, as in the cloud.</summary>
    public static async Task<OwnWorker> StartAsync(params (string Name, string Value)[] settings)
    {
        var all = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [StorageAccount.Section] = await Storages.NewWithTablesAsync(),
            ["AzureWebJobs.BlobLandedPolling.Disabled"] = "true",
            ["SweepSchedule"] = "0 0 * * * *",
        };
        foreach (var (name, value) in settings)
        {
            all[name] = value;
        }

        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(all.Select(one => KeyValuePair.Create(one.Key, (string?)one.Value)))
            .Build();
        var services = new ServiceCollection().AddLogging().AddImages(configuration).BuildServiceProvider();
        return new OwnWorker(await WorkerHost.StartAsync(WorkerHost.BuiltApp, all, CancellationToken.None), services);
    }

    /// <summary>Drops a layout, and has the blob trigger called for each file as Event Grid does.</summary>
    public async Task DropAsync(string repository, Layout layout)
    {
        await Running.LayoutAsync(repository, layout);
        foreach (var path in layout.Files.Keys)
        {
            var result = await Host.BlobLandedAsync($"{repository}/{path}", TestContext.Current.CancellationToken);
            Assert.True(result.Succeeded, $"{path}: {result.Error}\n{Host.Log}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        Running.Http.Dispose();
        await Host.DisposeAsync();
        await _services.DisposeAsync();
    }
}

/// <summary>One worker for the tests that do it no harm. It is started by the first of them.</summary>
public sealed class WorkerFixture : IAsyncDisposable
{
    private readonly Lazy<Task<OwnWorker>> _started = new(() => OwnWorker.StartAsync());

    public Task<OwnWorker> Started => _started.Value;

    public async ValueTask DisposeAsync()
    {
        if (_started.IsValueCreated)
        {
            await (await _started.Value).DisposeAsync();
        }
    }
}
