using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Queues;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Local;

/// <summary>The queue in which the Functions host leaves blobs that failed five times. Only the doctor looks at it.</summary>
internal static class PoisonQueue
{
    private const int MaxRetries = 2;

    /// <summary>Its client, with the key or identity of the account; null where its address is not known.</summary>
    /// <param name="configuration">Names the account, as for <see cref="StorageAccount.From(IConfiguration, IEnumerable{HttpPipelinePolicy}?)"/>.</param>
    /// <param name="credential">The account's identity; null: its key.</param>
    /// <param name="network">Sends the requests; null: as usual.</param>
    public static QueueClient? Of(
        IConfiguration configuration,
        TokenCredential? credential,
        HttpMessageHandler? network = null
    )
    {
        var section = configuration.GetSection(StorageAccount.Section);
        // As the blobs', what Azurite speaks.
        var options = new QueueClientOptions(QueueClientOptions.ServiceVersion.V2026_06_06);
        options.Retry.MaxRetries = MaxRetries;
        if (network is not null)
        {
            options.Transport = new HttpClientTransport(network);
        }

        return credential is null ? new QueueClient(section.Value, Expected.PoisonQueue, options)
            : ServiceOf(section) is { } service
                ? new QueueClient(
                    new Uri($"{service.AbsoluteUri.TrimEnd('/')}/{Expected.PoisonQueue}"),
                    credential,
                    options
                )
            : null;
    }

    // Azure names the services of an account alike.
    private static Uri? ServiceOf(IConfigurationSection section)
    {
        if (Uri.TryCreate(section["queueServiceUri"], UriKind.Absolute, out var given))
        {
            return given;
        }

        return
            Uri.TryCreate(section["blobServiceUri"], UriKind.Absolute, out var blobs)
            && blobs.Host.Contains(".blob.", StringComparison.Ordinal)
            ? new UriBuilder(blobs) { Host = blobs.Host.Replace(".blob.", ".queue.", StringComparison.Ordinal) }.Uri
            : null;
    }
}
