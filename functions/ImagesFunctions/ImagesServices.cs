using ImagesFunctions.Accounts;
using ImagesFunctions.Blobs;
using ImagesFunctions.Boot;
using ImagesFunctions.Catalog;
using ImagesFunctions.GarbageCollection;
using ImagesFunctions.Http;
using ImagesFunctions.Images;
using ImagesFunctions.Ingest;
using ImagesFunctions.Listing;
using ImagesFunctions.Rebuild;
using ImagesFunctions.Registry;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Settings;
using ImagesFunctions.Storage;
using ImagesFunctions.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols;

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
        services.AddRouting();
        services.Configure<KestrelServerOptions>(ConfigureServer);
        services.AddSingleton<ImagesApp>();
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
        services.AddPolicies();
        services.AddSingleton<BootImages>();
        services.AddSingleton<LayoutIndex>();
        services.AddSingleton<ListSnapshots>();
        services.AddSingleton<NamespaceLists>();
        services.AddSingleton<ImageLists>();
        services.AddSingleton<ReferrerReads>();
        services.AddSingleton<RepositorySummaries>();
        services.AddSingleton<StoredManifests>();
        services.AddSingleton<RemovalPreviews>();
        services.AddSingleton<RecentCommits>();
        services.AddStored();
        services.AddSingleton(Metros.From(configuration));
        services.AddAccounts(configuration);
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
        services.AddCatalog();
        return services;
    }

    private static void AddPolicies(this IServiceCollection services)
    {
        services.AddSingleton<RulesStore>();
        services.AddSingleton<Quotas>();
        services.AddSingleton<UsageReports>();
        services.AddSingleton<UsageReader>();
    }

    private static void AddStored(this IServiceCollection services) =>
        services.AddSingleton(s => new StoredImages(
            s.GetRequiredService<RowStore>(),
            s.GetRequiredService<ImageRows>(),
            s.GetRequiredService<Content>(),
            s.GetRequiredService<NamespaceLists>(),
            s.GetRequiredService<Removal>(),
            s.GetRequiredService<Pins>(),
            s.GetRequiredService<ManifestPush>()
        ));

    private static void AddAccounts(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<Tokens>();
        services.AddHostedService(s => new TokenUseService(
            s.GetRequiredService<Tokens>,
            s.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton<TrustRules>();
        services.AddSingleton<IDocumentRetriever>(s => new IssuerDocuments(
            s.GetRequiredService<StorageAccount>().IsOnThisMachine
        ));
        services.AddSingleton<IssuerKeys>();
        services.AddSingleton<Identities>();
        var (requests, failures) = (Limits.RequestsOf(configuration), Limits.FailuresOf(configuration));
        var anonymous = Limits.AnonymousOf(configuration);
        services.AddSingleton(_ => new Limits(requests, failures, anonymous));
        services.AddSingleton(s => new Logins(
            s.GetRequiredService<Tokens>(),
            s.GetRequiredService<Limits>(),
            configuration,
            s.GetRequiredService<Identities>()
        ));
    }

    private static void AddIngest(this IServiceCollection services, IConfiguration configuration)
    {
        var wait = Setting.Time(configuration, PatientIngest.WaitSetting, PatientIngest.DefaultWait);
        services.AddSingleton<BlobIngest>();
        services.AddSingleton(s => new PatientIngest(
            async (path, stop) =>
            {
                // Before anything of it is done: a blob that the host gives up is found all the same.
                await s.GetRequiredService<RowStore>().Due.AnnounceAsync(RefusedRow.PartitionOf(path), stop);
                await s.GetRequiredService<BlobIngest>().LandedAsync(path, stop);
            },
            wait,
            s.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton<StatusReader>();
    }

    private static void AddSweep(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(SweepOptions.From(configuration));
        services.AddSingleton(s => s.GetRequiredService<SweepOptions>().Grace);
        services.AddSingleton<BlobRetention>();
        services.AddSingleton<Visits>();
        services.AddSingleton<Sweeper>();
    }

    private static void AddCatalog(this IServiceCollection services)
    {
        services.AddSingleton<CatalogJournal>();
        services.AddSingleton<CatalogWriter>();
        services.AddSingleton<Rebuilder>();
        services.AddHostedService(s => new CatalogService(s, s.GetRequiredService<TimeProvider>()));
    }

    private static void ConfigureServer(KestrelServerOptions server)
    {
        server.AddServerHeader = false;
        // A layer may have any size. At its own limit the server answers 500 without a body before the pipeline sees the request.
        server.Limits.MaxRequestBodySize = null;
        // A client may pause: the pipeline bounds for how long.
        server.Limits.MinRequestBodyDataRate = null;
    }
}
