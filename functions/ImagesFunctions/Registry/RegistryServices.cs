using ImagesFunctions.Blobs;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Registry;

/// <summary>Registers the OCI Distribution API.</summary>
internal static class RegistryServices
{
    public static void AddRegistry(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<UploadParts>();
        services.AddSingleton(s => s.GetRequiredService<RowStore>().Due);
        services.AddSingleton<UploadSessions>();
        services.AddSingleton<UploadHashes>();
        services.AddSingleton<BlobStore>();
        services.AddSingleton<ManifestPush>();
        services.AddSingleton<PullNotes>();
        services.AddSingleton<Pushes>();
        services.AddSingleton<Blobs>();
        services.AddSingleton<UploadChunks>();
        services.AddSingleton<Uploads>();
        services.AddSingleton<UploadEnd>();
        services.AddSingleton<Manifests>();
        services.AddSingleton<Tags>();
        services.AddSingleton<Referrers>();
        services.AddSingleton<RepositoryCatalog>();
        var isRedirecting = Setting.Flag(configuration, PullRedirect.Name);
        services.AddSingleton(s => new PullRedirect(s.GetRequiredService<Content>(), isRedirecting));
    }
}
