using ImagesFunctions.Accounts;
using ImagesFunctions.Blobs;
using ImagesFunctions.Boot;
using ImagesFunctions.GarbageCollection;
using ImagesFunctions.Http;
using ImagesFunctions.Images;
using ImagesFunctions.Ingest;
using ImagesFunctions.Listing;
using ImagesFunctions.Registry;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Settings;
using ImagesFunctions.Storage;
using ImagesFunctions.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions;

/// <summary>Registers the library with a host.</summary>
public static class ImagesServices
{
    /// <summary>
    /// Registers everything as singletons. Does no I/O; a storage account that is not configured shows at its first use, any other
    /// setting that is wrong at once.
    /// A <see cref="StorageAccount"/> or <see cref="TimeProvider"/> that is registered already is kept.
    /// </summary>
    /// <exception cref="InvalidSettingException">A setting is not what it has to be.</exception>
    public static IServiceCollection AddImages(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddTelemetry(configuration);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(new StorageTimes());
        services.TryAddSingleton(s => StorageAccount.From(configuration, s.GetRequiredService<StorageTimes>()));
        services.AddSingleton(s => s.GetRequiredService<StorageAccount>().Clock);
        services.AddSingleton<RowStore>();
        services.AddSingleton<Content>();
        services.AddSingleton<ImageRows>();
        services.AddSingleton<Refusals>();
        services.AddSingleton<ManifestCommit>();
        services.AddSingleton<BlobInvalidation>();
        services.AddSingleton<BlobRegistration>();
        services.AddSingleton<Removal>();
        services.AddSingleton<Pins>();
        services.AddSingleton<BootImages>();
        services.AddSingleton<LayoutIndex>();
        services.AddSingleton<ListSnapshots>();
        services.AddSingleton<NamespaceLists>();
        services.AddSingleton<ImageLists>();
        services.AddSingleton(Metro.From(configuration));
        services.AddSingleton<Tokens>();
        var (requests, failures) = (Limits.RequestsOf(configuration), Limits.FailuresOf(configuration));
        services.AddSingleton(_ => new Limits(requests, failures));
        services.AddSingleton(s => new Logins(
            s.GetRequiredService<Tokens>(),
            s.GetRequiredService<Limits>(),
            configuration
        ));
        // Storage that is not configured is not ready, and no fault of the request.
        services.AddSingleton(s => new Readiness(
            s.GetRequiredService<StorageAccount>,
            s.GetRequiredService<ILogger<Readiness>>()
        ));
        services.AddRegistry(configuration);
        services.AddIngest(configuration);
        // The bodies hold nothing of one account that another one could have put beside it (BREACH).
        services.AddResponseCompression(compression =>
        {
            compression.EnableForHttps = true;
            compression.MimeTypes = ["application/json"];
        });
        services.AddSweep(configuration);
        return services;
    }

    private static void AddIngest(this IServiceCollection services, IConfiguration configuration)
    {
        var wait = Setting.Time(configuration, PatientIngest.WaitSetting, PatientIngest.DefaultWait);
        // Their constructors are not public, because the types that they take are not.
        services.AddSingleton(s => new BlobIngest(
            s.GetRequiredService<Content>(),
            s.GetRequiredService<BlobRegistration>(),
            s.GetRequiredService<Refusals>(),
            s.GetRequiredService<LayoutIndex>()
        ));
        services.AddSingleton(s => new PatientIngest(
            s.GetRequiredService<BlobIngest>(),
            wait,
            s.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton(s => new StatusReader(
            s.GetRequiredService<RowStore>(),
            s.GetRequiredService<Content>(),
            s.GetRequiredService<ImageRows>(),
            s.GetRequiredService<LayoutIndex>(),
            s.GetRequiredService<StorageClock>()
        ));
    }

    private static void AddSweep(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(SweepOptions.From(configuration));
        services.AddSingleton(s => s.GetRequiredService<SweepOptions>().Grace);
        services.AddSingleton<BlobRetention>();
        services.AddSingleton(s => new Sweeper(
            s.GetRequiredService<StorageAccount>(),
            s.GetRequiredService<RowStore>(),
            s.GetRequiredService<Content>(),
            s.GetRequiredService<ImageRows>(),
            s.GetRequiredService<Removal>(),
            s.GetRequiredService<LayoutIndex>(),
            s.GetRequiredService<BlobIngest>(),
            s.GetRequiredService<SweepOptions>(),
            s.GetRequiredService<ILogger<Sweeper>>()
        ));
    }
}
