using Azure.Storage.Blobs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using static Microsoft.Azure.Functions.Worker.AuthorizationLevel;

namespace ImagesFunctions.App;

/// <summary>
/// The functions of the app. HTTP functions are anonymous to the host, because the library authenticates requests. The host
/// tries them in the alphabetical order of their names: <c>Site</c>, which takes every path, has to stay the last.
/// </summary>
/// <remarks>
/// A blob that lands has two triggers; app settings disable one of them (<c>AzureWebJobs.BlobLanded.Disabled</c> or
/// <c>AzureWebJobs.BlobLandedPolling.Disabled</c>). Neither uses its <see cref="BlobClient"/>: bound to any other type, the host
/// sends the blob's bytes along. The host retries at once, five times in all, and then leaves a message in the queue
/// <c>webjobs-blobtrigger-poison</c>; so the library waits while storage is away before it throws.
/// </remarks>
public sealed class Functions(ImagesApp images)
{
    /// <summary>The Images API.</summary>
    [Function("Images")]
    public Task<IActionResult> Images(
        [HttpTrigger(Anonymous, "get", "head", "post", "put", "patch", "delete", "options", Route = "v1/{*path}")]
            HttpRequest request
    ) => AnswerAsync(request);

    /// <summary>The OCI Distribution API.</summary>
    [Function("Registry")]
    public Task<IActionResult> Registry(
        [HttpTrigger(Anonymous, "get", "head", "post", "put", "patch", "delete", "options", Route = "v2/{*path}")]
            HttpRequest request
    ) => AnswerAsync(request);

    /// <summary>Every other path, so that an unknown one is answered in the form of the Images API.</summary>
    [Function("Site")]
    public Task<IActionResult> Site(
        [HttpTrigger(Anonymous, "get", "head", "post", "put", "patch", "delete", "options", Route = "{*path}")]
            HttpRequest request
    ) => AnswerAsync(request);

    /// <summary>For the cloud: an Event Grid subscription calls within moments.</summary>
    [Function("BlobLanded")]
    public Task BlobLanded(
        [BlobTrigger("images/{name}", Source = BlobTriggerSource.EventGrid, Connection = "ImagesStorage")]
            BlobClient blob,
        string name,
        CancellationToken stop
    ) => images.BlobLandedAsync(name, stop);

    /// <summary>For a machine without Event Grid: the host scans the container.</summary>
    [Function("BlobLandedPolling")]
    public Task BlobLandedPolling(
        [BlobTrigger("images/{name}", Connection = "ImagesStorage")] BlobClient blob,
        string name,
        CancellationToken stop
    ) => images.BlobLandedAsync(name, stop);

    /// <summary>
    /// Garbage collection of what is due, on the app setting <c>SweepSchedule</c>, such as <c>0 0 * * * *</c> for every hour. The host runs a timer
    /// on one instance at a time, and tries what throws again at the next time.
    /// </summary>
    [Function("Sweep")]
    public Task Sweep([TimerTrigger("%SweepSchedule%")] TimerInfo timer, CancellationToken stop) =>
        images.SweepAsync(stop);

    private async Task<IActionResult> AnswerAsync(HttpRequest request)
    {
        await images.HandleAsync(request.HttpContext);
        return new EmptyResult();
    }
}
