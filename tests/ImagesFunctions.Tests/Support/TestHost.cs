using ImagesFunctions.Accounts;
using ImagesFunctions.Ingest;
using ImagesFunctions.Local;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Contract;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.Tests.Support;

/// <summary>
/// What a test may know of a host under test: its HTTP address, and the library's own types on the storage that the host uses.
/// The host may run in this process or in another one, as long as both use the same storage.
/// </summary>
public sealed class RunningHost(HttpClient http, IServiceProvider services)
{
    public HttpClient Http => http;

    public StorageAccount Storage => services.GetRequiredService<StorageAccount>();

    public Tokens Tokens => services.GetRequiredService<Tokens>();

    public TrustRules Trust => services.GetRequiredService<TrustRules>();

    internal RulesStore Rules => services.GetRequiredService<RulesStore>();

    /// <summary>Where the host's log can be listened to.</summary>
    public ILoggerFactory Loggers => services.GetRequiredService<ILoggerFactory>();

    public async Task<string> TokenForAsync(string account) =>
        (await Tokens.CreateAsync(account, lifetime: null, TestContext.Current.CancellationToken)).Text;

    public Task<IngestStatus> StatusAsync(string @namespace) =>
        services
            .GetRequiredService<StatusReader>()
            .ReadAsync(@namespace, app: null, TestContext.Current.CancellationToken);
}

/// <summary>Base of the tests that talk to a host, which those of one class share.</summary>
public abstract class AgainstAHost(KestrelFixture fixture) : IClassFixture<KestrelFixture>, IAsyncLifetime
{
    private RunningHost? host;

    protected RunningHost Host => host ?? throw new InvalidOperationException("The host has not been started.");

    public async ValueTask InitializeAsync() => host = await fixture.Started;

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}

/// <summary>The local host in this process: the web pipeline on Kestrel, and the watcher of the container.</summary>
public sealed class KestrelFixture : IAsyncDisposable
{
    private readonly Lazy<Task<RunningHost>> started;
    private WebApplication? app;

    public KestrelFixture() => started = new Lazy<Task<RunningHost>>(StartAsync);

    public Task<RunningHost> Started => started.Value;

    private async Task<RunningHost> StartAsync()
    {
        app = LocalHost.Build(await Storages.NewAsync(), "http://127.0.0.1:0");
        await app.StartAsync(CancellationToken.None);
        return new RunningHost(OpenApi.Client(app.Address()), app.Services);
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
        {
            await app.StopAsync(CancellationToken.None);
            await app.DisposeAsync();
        }
    }
}
