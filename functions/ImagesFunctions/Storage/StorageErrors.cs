using System.Text.Json;
using System.Xml;
using Azure;
using Azure.Identity;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Storage;

/// <summary>What a failed storage call means. The only place that knows status numbers, with <see cref="StorageCodes"/>.</summary>
internal static class StorageErrors
{
    private const string NoAnswer = "Storage does not answer: try again.";

    /// <summary>What storage said.</summary>
    public static StorageMeaning Meaning(this RequestFailedException error) =>
        StorageCodes.MeaningOf(StorageCodes.CodeOf(error), error.Status);

    /// <summary>The row or blob is not there. A table or container that is not there says nothing of the kind.</summary>
    public static bool IsAbsent(this RequestFailedException error) => error.Meaning() == StorageMeaning.Absent;

    /// <summary>An If-Match did not hold.</summary>
    public static bool IsChanged(this RequestFailedException error) => error.Meaning() == StorageMeaning.Changed;

    /// <summary>An If-Match or If-None-Match did not hold, or the row to add exists.</summary>
    public static bool IsConflict(this RequestFailedException error) =>
        error.Meaning() is StorageMeaning.Changed or StorageMeaning.Exists;

    /// <summary>The blob is there, and storage keeps it as it is.</summary>
    public static bool IsHeld(this RequestFailedException error) => error.Meaning() == StorageMeaning.Held;

    /// <summary>Whether a storage call failed, for whatever reason: also where nobody vouched for us, and it was not made.</summary>
    public static bool IsFailure(Exception error) =>
        error
            is StorageUnavailableException
                or StorageHeldException
                or RequestFailedException
                or AuthenticationFailedException;

    /// <summary>Whether storage does not let us do it: the right is missing, or nothing may be written at all.</summary>
    public static bool IsDenied(Exception error) =>
        error is RequestFailedException failed && failed.Meaning() == StorageMeaning.Denied;

    /// <summary>The failure as one of something that storage keeps as it is; null where it is another.</summary>
    public static StorageHeldException? HeldOf(Exception error) =>
        error switch
        {
            StorageHeldException held => held,
            RequestFailedException failed when failed.IsHeld() => StorageHeldException.Of("what it needs", failed),
            _ => null,
        };

    /// <summary>
    /// Whether storage has definitely not copied something, and will not if it is asked again: what it was to copy, or to write
    /// over, is held, or the copy itself is refused.
    /// </summary>
    public static bool IsNoCopy(Exception error) =>
        error is StorageHeldException
        || (
            error is RequestFailedException { Status: < 500 } failed
            && (
                failed.Meaning() is StorageMeaning.Held or StorageMeaning.Other
                || StorageCodes.CodeOf(failed) == StorageCodes.CopySource
            )
        );

    /// <summary>What a caller is told of a failure that is no fault of the request, in one sentence with storage's own code.</summary>
    public static string Told(Exception error)
    {
        for (var inner = error; inner is not null; inner = inner.InnerException)
        {
            if (inner is RequestFailedException said)
            {
                return said.Meaning() switch
                {
                    StorageMeaning.Denied when StorageCodes.CodeOf(said) is { } code =>
                        $"Storage does not let the service do this now ({code}): its operator has to look after it.",
                    StorageMeaning.NoStore =>
                        $"Storage is not whole now ({StorageCodes.CodeOf(said)}): its operator has to look after it.",
                    _ => NoAnswer,
                };
            }
        }

        return NoAnswer;
    }

    /// <summary>Nobody knows whether the call took effect: the answer was lost or came damaged, or the service was busy.</summary>
    public static bool IsUnclear(Exception error) =>
        error switch
        {
            RequestFailedException failed => failed.Meaning() == StorageMeaning.Away,
            AggregateException or IOException or HttpRequestException or TimeoutException => true,
            // Rows and lists of blobs that do not end, or are no such thing.
            JsonException or XmlException or InvalidDataException => true,
            // The SDK's network timeout, where it is not our own token that ended the call.
            OperationCanceledException => true,
            _ => false,
        };

    /// <summary>
    /// Whether storage failed, or the right to it, in a way that ends by itself: it is away, busy, or does not accept us yet.
    /// </summary>
    public static bool MayPass(Exception error) =>
        error is StorageUnavailableException or AuthenticationFailedException
        || (
            error is RequestFailedException failed
            && failed.Meaning() is StorageMeaning.Denied or StorageMeaning.NoStore
        )
        || IsUnclear(error);

    /// <summary>Why a call failed, for the log, in one line: storage's own code first, where there is one.</summary>
    public static string Reason(Exception error)
    {
        var message = FirstLine(error);
        // Ours says what was tried, and the one inside what storage said.
        for (var inner = error; inner is not null; inner = inner.InnerException)
        {
            if (inner is RequestFailedException said)
            {
                var code = $"{StorageCodes.CodeOf(said) ?? "no code"} ({said.Status})";
                return ReferenceEquals(said, error) ? $"{code}: {message}" : $"{code}: {message}: {FirstLine(said)}";
            }
        }

        return message;
    }

    /// <summary>Throws unless an answer that the SDK takes for "not there" says just that.</summary>
    /// <exception cref="RequestFailedException">It says something else, such as that there is no table.</exception>
    public static void DemandAbsent(Response response)
    {
        if (StorageCodes.MeaningOf(StorageCodes.CodeOf(response), response.Status) != StorageMeaning.Absent)
        {
            throw new RequestFailedException(response);
        }
    }

    private static string FirstLine(Exception error) => error.Message.Split('\n')[0].Trim();
}
