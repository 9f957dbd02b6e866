using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
using Azure.Storage.Blobs;

namespace ImagesFunctions.Storage;

/// <summary>The options of the clients of one storage account.</summary>
/// <param name="Blobs">Of requests about blobs that can be repeated.</param>
/// <param name="Streams">Of requests whose bytes come only once.</param>
/// <param name="Tables">Of requests about rows that can be repeated.</param>
/// <param name="Transactions">Of transactions, which their senders repeat.</param>
internal sealed record StorageClientOptions(
    BlobClientOptions Blobs,
    BlobClientOptions Streams,
    TableClientOptions Tables,
    TableClientOptions Transactions
)
{
    private const int MaxRetries = 4;

    /// <summary>The longest pause between two tries of a request.</summary>
    public static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(5);

    /// <summary>Makes them.</summary>
    /// <param name="policies">See every request, once a try.</param>
    /// <param name="times">How long storage is waited for.</param>
    /// <param name="clock">Is set by the answers.</param>
    /// <param name="network">Sends the requests.</param>
    public static StorageClientOptions Of(
        IReadOnlyList<HttpPipelinePolicy> policies,
        StorageTimes times,
        StorageClock clock,
        HttpMessageHandler network
    )
    {
        var (blobs, tables) = (Transport(isTable: false), Transport(isTable: true));
        return new StorageClientOptions(
            Configure(BlobOptions(), blobs, MaxRetries),
            Configure(BlobOptions(), blobs, retries: 0),
            Configure(new TableClientOptions(), tables, MaxRetries),
            Configure(new TableClientOptions(), tables, retries: 0)
        );

        HttpClientTransport Transport(bool isTable) =>
            new(
                new HttpClient(new ProgressHandler(times, clock, isTable, network), disposeHandler: false)
                {
                    Timeout = Timeout.InfiniteTimeSpan,
                }
            );

        T Configure<T>(T options, HttpClientTransport transport, int retries)
            where T : ClientOptions
        {
            options.Retry.Mode = RetryMode.Exponential;
            options.Retry.MaxRetries = retries;
            options.Retry.Delay = TimeSpan.FromMilliseconds(100);
            options.Retry.MaxDelay = MaxDelay;
            // The SDK's own would end a transfer that moves: see ProgressHandler.
            options.Retry.NetworkTimeout = Timeout.InfiniteTimeSpan;
            options.Transport = transport;
            foreach (var policy in policies)
            {
                options.AddPolicy(policy, HttpPipelinePosition.PerRetry);
            }

            return options;
        }
    }

    // Pinned to what Azurite speaks, so that a plain Azurite works.
    private static BlobClientOptions BlobOptions() => new(BlobClientOptions.ServiceVersion.V2026_06_06);
}
