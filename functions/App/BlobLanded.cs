using Azure.Storage.Blobs;
using ImagesFunctions.Ingest;
using Microsoft.Azure.Functions.Worker;

namespace ImagesFunctions.App;

/// <summary>
/// A blob landed in the container <c>images</c>. Two triggers for the one job: the app settings disable one of them
/// (<c>AzureWebJobs.BlobLanded.Disabled</c> or <c>AzureWebJobs.BlobLandedPolling.Disabled</c>). What throws is tried
/// again by the host at once, five times in all; then the host leaves a message in the queue
/// <c>webjobs-blobtrigger-poison</c>. So a failure of storage is waited for before it is thrown.
/// </summary>
/// <remarks>
/// Neither trigger uses its <see cref="BlobClient"/>: bound to anything else, the host would send the blob's bytes along.
/// </remarks>
public sealed class BlobLanded(PatientIngest ingest)
{
    /// <summary>For the cloud: an Event Grid subscription calls within moments.</summary>
    [Function(nameof(BlobLanded))]
    public Task FromEventGrid(
        [BlobTrigger("images/{name}", Source = BlobTriggerSource.EventGrid, Connection = "ImagesStorage")]
            BlobClient blob,
        string name,
        CancellationToken stop
    ) => ingest.LandedAsync(name, stop);

    /// <summary>For a machine without Event Grid: the host scans the container.</summary>
    [Function(nameof(BlobLanded) + "Polling")]
    public Task FromScan(
        [BlobTrigger("images/{name}", Connection = "ImagesStorage")] BlobClient blob,
        string name,
        CancellationToken stop
    ) => ingest.LandedAsync(name, stop);
}
