using Azure.Core.Pipeline;
using ImagesFunctions.Accounts;
using ImagesFunctions.Local;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Support;

namespace ImagesFunctions.Benchmarks;

/// <summary>A storage account on an Azurite of its own, and the library on it in this process, for seeding and for raw calls.</summary>
internal sealed class Store : IAsyncDisposable
{
    private readonly Azurite _azurite;
    private readonly WebApplication _app;

    private Store(Azurite azurite, string connectionString, CancellationToken stop, HttpPipelinePolicy? calls = null)
    {
        (_azurite, ConnectionString, Stop) = (azurite, connectionString, stop);
        _app = LocalHost.Build(
            connectionString,
            urls: null,
            services =>
            {
                if (calls is not null)
                {
                    services.AddSingleton<StorageAccount>(s =>
                        StorageAccount.From(s.GetRequiredService<IConfiguration>(), [calls])
                    );
                }
            }
        );
    }

    public string ConnectionString { get; }

    public StorageAccount Account => Get<StorageAccount>();

    private CancellationToken Stop { get; }

    /// <summary>An empty one, in memory.</summary>
    /// <param name="bench">Whose it is.</param>
    /// <param name="calls">Sees each call to storage that is made in this process.</param>
    public static async Task<Store> StartAsync(Bench bench, HttpPipelinePolicy? calls = null)
    {
        var azurite = await Azurite.StartAsync(inMemory: true, cancellationToken: bench.Stop);
        var store = new Store(azurite, azurite.ConnectionString, bench.Stop, calls);
        await store.Account.CreateAsync(bench.Stop);
        // A store without this account counts as fresh: `serve` would put a sample image into it.
        await store.TokenAsync("demo");
        return store;
    }

    /// <summary>One whose blobs are on the disk, and whose tables are those of another one.</summary>
    public static async Task<Store> OnDiskAsync(Bench bench, Store tables)
    {
        var folder = Path.Combine(bench.Folder, $"azurite-{Guid.NewGuid():N}");
        var azurite = await Azurite.StartAsync(data: folder, cancellationToken: bench.Stop);
        var parts = azurite
            .ConnectionString.Split(';')
            .Where(part => !part.StartsWith("TableEndpoint", StringComparison.Ordinal))
            .Concat(
                tables
                    .ConnectionString.Split(';')
                    .Where(part => part.StartsWith("TableEndpoint", StringComparison.Ordinal))
            );
        var store = new Store(azurite, string.Join(';', parts.Where(part => part.Length > 0)), bench.Stop);
        await store.Account.CreateAsync(bench.Stop);
        return store;
    }

    /// <summary>Writes images as rows; one in so many has a tag.</summary>
    public Task SeedAsync(string @namespace, int images, int imagesPerTag = Bench.PerApp) =>
        Seeds.WriteAsync(Account.ImageTable, @namespace, Seeds.Images(images, Bench.PerApp), imagesPerTag, Stop);

    public async Task<string> TokenAsync(string account) =>
        (await Get<Tokens>().CreateAsync(account, lifetime: null, Stop)).Text;

    /// <summary>A part of the library, on this storage and in this process. Nothing of it runs by itself.</summary>
    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _azurite.DisposeAsync();
    }
}
