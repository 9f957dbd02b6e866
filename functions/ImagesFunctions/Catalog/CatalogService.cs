using ImagesFunctions.Journal;
using ImagesFunctions.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ImagesFunctions.Catalog;

/// <summary>
/// Writes catalogs in the background of a host, from its start to its end. A host also never answers from a table that is half
/// rebuilt.
/// </summary>
/// <param name="services">The host's services. A storage account that is not configured shows at its first use, and not here.</param>
/// <param name="time">Measures the pauses.</param>
internal sealed class CatalogService(IServiceProvider services, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MaxEnd = TimeSpan.FromSeconds(5);

    private CatalogWriter? _writer;

    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            services.GetRequiredService<StorageAccount>().Guard();
            _writer = services.GetRequiredService<CatalogWriter>();
        }
        catch (InvalidOperationException)
        {
            // No account is configured: nothing can be committed, and each request says so.
        }

        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_writer is not null)
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            end.CancelAfter(MaxEnd);
            // What is not written by then is in the log, for the next process that commits there, or the sweeper.
            await _writer.FlushAsync(end.Token);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_writer is not { } writer)
        {
            return;
        }

        var failures = 0;
        while (!stoppingToken.IsCancellationRequested)
        {
            await writer.AnyAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.Delay(Pause(failures), time, stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stoppingToken.IsCancellationRequested)
            {
                failures = await writer.FlushAsync(stoppingToken) ? 0 : failures + 1;
            }
        }
    }

    private static TimeSpan Pause(int failures) =>
        failures == 0 ? CatalogWriter.Window : Backoff.Bound(failures, CatalogWriter.Window, MaxPause);
}
