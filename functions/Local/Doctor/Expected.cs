using ImagesFunctions.Storage;

namespace ImagesFunctions.Local;

/// <summary>
/// What <c>infra/</c> makes, as far as the doctor looks at it. <c>DoctorAgrees</c> compares it with what the Bicep compiles to, so
/// that neither changes alone.
/// </summary>
internal static class Expected
{
    /// <summary>The function that Event Grid calls.</summary>
    public const string EventFunction = "BlobLanded";

    /// <summary>Its twin, which scans: Flex Consumption cannot run it.</summary>
    public const string ScanFunction = "BlobLandedPolling";

    /// <summary>The function of the timer.</summary>
    public const string TimerFunction = "Sweep";

    /// <summary>When that runs.</summary>
    public const string Schedule = "SweepSchedule";

    /// <summary>The setting that says within what time each namespace is looked at.</summary>
    public const string WalkTime = "SweepWalk";

    /// <summary>The setting that says how many requests that may take in a pass; 0: it is not done.</summary>
    public const string WalkRequests = "SweepWalkRequests";

    /// <summary>As <c>main.bicep</c> sets <see cref="Schedule"/> where nobody says otherwise.</summary>
    public const string UsualSchedule = "0 17 * * * *";

    /// <summary>The version of Azure's API for web apps.</summary>
    public const string SitesVersion = "2024-11-01";

    /// <summary>That of Event Grid.</summary>
    public const string EventsVersion = "2025-02-15";

    /// <summary>That of role assignments.</summary>
    public const string RolesVersion = "2022-04-01";

    /// <summary>Where the host puts blobs that failed five times.</summary>
    public const string PoisonQueue = "webjobs-blobtrigger-poison";

    /// <summary>The event subscription.</summary>
    public const string EventSubscription = "images-landed";

    /// <summary>The form of its events: <see cref="ImagesFunctions"/> reads dead letters of this one.</summary>
    public const string EventSchema = "EventGridSchema";

    /// <summary>The path and query of the address that it calls, without the key.</summary>
    public const string Webhook = $"/runtime/webhooks/blobs?functionName=Host.Functions.{EventFunction}";

    /// <summary>What its subjects begin with.</summary>
    public const string Subject = $"/blobServices/default/containers/{StorageAccount.ImagesContainer}/blobs/";

    /// <summary>The only events that it passes on.</summary>
    public static readonly string[] EventTypes = ["Microsoft.Storage.BlobCreated"];

    /// <summary>All functions of the app.</summary>
    public static readonly string[] Functions =
    [
        EventFunction,
        ScanFunction,
        "Images",
        "Registry",
        "Site",
        TimerFunction,
    ];

    /// <summary>Settings that have one right value.</summary>
    public static readonly IReadOnlyDictionary<string, string> Settings = new Dictionary<string, string>(
        StringComparer.Ordinal
    )
    {
        [$"AzureWebJobs.{ScanFunction}.Disabled"] = "true",
        ["AzureWebJobsDisableHomepage"] = "true",
        ["AzureWebJobsStorage__credential"] = "managedidentity",
        ["ImagesStorage__credential"] = "managedidentity",
    };

    /// <summary>Settings without which the host does not start, or a trigger of it.</summary>
    public static readonly string[] Needed =
    [
        "AzureWebJobsStorage__accountName",
        "AzureWebJobsStorage__blobServiceUri",
        "AzureWebJobsStorage__queueServiceUri",
        "AzureWebJobsStorage__tableServiceUri",
        "AzureWebJobsStorage__clientId",
        "ImagesStorage__clientId",
        Schedule,
    ];

    /// <summary>Settings that name a service of the account of images: <c>blob</c>, <c>queue</c> and <c>table</c>.</summary>
    public static readonly IReadOnlyDictionary<string, string> Services = new Dictionary<string, string>(
        StringComparer.Ordinal
    )
    {
        ["ImagesStorage__blobServiceUri"] = "blob",
        ["ImagesStorage__queueServiceUri"] = "queue",
        ["ImagesStorage__tableServiceUri"] = "table",
    };

    /// <summary>The roles that the app's identity, and whoever operates, have on the account of images; by the ids of Azure.</summary>
    public static readonly IReadOnlyDictionary<string, string> Roles = new Dictionary<string, string>(
        StringComparer.Ordinal
    )
    {
        ["ba92f5b4-2d11-453d-a403-e96b0029c9fe"] = BlobRole,
        ["0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"] = TableRole,
        ["974c5e8b-45b9-4653-ba55-5f855dd0fb88"] = QueueRole,
    };

    /// <summary>The role that reads and writes blobs.</summary>
    public const string BlobRole = "Storage Blob Data Contributor";

    /// <summary>The role that reads and writes rows.</summary>
    public const string TableRole = "Storage Table Data Contributor";

    /// <summary>The role that reads and empties queues.</summary>
    public const string QueueRole = "Storage Queue Data Contributor";

    /// <summary>Whether a setting says that a function is switched off, as the host reads it.</summary>
    public static bool IsOff(IReadOnlyDictionary<string, string> settings, string function) =>
        settings.GetValueOrDefault($"AzureWebJobs.{function}.Disabled") is { } value
        && (value.Equals("true", StringComparison.OrdinalIgnoreCase) || value == "1");
}
