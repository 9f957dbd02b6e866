using ImagesFunctions.Local;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Operation;

/// <summary>
/// The pipeline on Kestrel with nothing beside it: as the function app does, it starts where there is no storage, which the
/// local host's watcher would not.
/// </summary>
internal static class PipelineAlone
{
    /// <summary>An account at an address where nothing listens.</summary>
    public const string NoStorage =
        "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/a;TableEndpoint=http://127.0.0.1:1/a;";

    /// <param name="connection">The storage account; empty: none is configured.</param>
    /// <param name="scheme">http or https.</param>
    /// <param name="configure">May replace what is registered.</param>
    public static async Task<WebApplication> StartAsync(
        string connection,
        string scheme = "http",
        Action<IServiceCollection>? configure = null
    )
    {
        var app = LocalHost.Build(
            connection,
            $"{scheme}://127.0.0.1:0",
            services =>
            {
                var beside = services.Where(s =>
                    s.ImplementationType == typeof(ContainerWatcher) || s.ImplementationType == typeof(SweepTimer)
                );
                foreach (var service in beside.ToList())
                {
                    services.Remove(service);
                }

                configure?.Invoke(services);
            }
        );
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }
}
