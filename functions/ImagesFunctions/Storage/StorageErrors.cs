using Azure;
using Azure.Identity;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Storage;

/// <summary>What a failed storage call means. The only place that knows status numbers.</summary>
internal static class StorageErrors
{
    /// <summary>The row or blob is not there.</summary>
    public static bool IsNotFound(this RequestFailedException error) => error.Status == 404;

    /// <summary>An If-Match or If-None-Match did not hold, or the row to add exists.</summary>
    public static bool IsConflict(this RequestFailedException error) => error.Status is 409 or 412;

    /// <summary>Whether a storage call failed, for whatever reason.</summary>
    public static bool IsFailure(Exception error) => error is StorageUnavailableException or RequestFailedException;

    /// <summary>Nobody knows whether the call took effect: the answer was lost, or the service was busy.</summary>
    public static bool IsUnclear(Exception error) =>
        error switch
        {
            RequestFailedException failed => failed.Status is 0 or 408 or 429 or >= 500,
            AggregateException or IOException or HttpRequestException or TimeoutException => true,
            // The SDK's network timeout, where it is not our own token that ended the call.
            OperationCanceledException => true,
            _ => false,
        };

    /// <summary>
    /// Whether storage failed, or the right to it, in a way that ends by itself: it is away, busy, or does not accept us yet.
    /// </summary>
    public static bool MayPass(Exception error) =>
        error is StorageUnavailableException or AuthenticationFailedException
        || error is RequestFailedException { Status: 401 or 403 }
        || IsUnclear(error);
}
